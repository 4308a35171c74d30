/** Writes the head of a request, the chunks of its body, and the trailers behind it (RFC 9112 sections 3 and 7.1). */

import { isToken } from '../headers.js'
import { type Octets, octets } from '../octets.js'
import { ask } from '../options/function.js'
import { type HttpOpts, unchanged } from '../options/http.js'
import type { Outlet } from '../transport/outlet.js'
import type { Headers } from '../words.js'

/** Writes the head of a request. Throws a GunError `bad_option` for a name that may not be sent. */
export function writeHead(method: string, path: string, opts: HeadOpts, headers: Headers): Octets {
  return octets(`${method} ${path} ${opts.version}\r\n${writeFields(headers, opts.transformHeaderName)}\r\n`)
}

type HeadOpts = Pick<Required<HttpOpts>, 'version' | 'transformHeaderName'>

function writeFields(headers: Headers, nameOf: (name: string) => string): string {
  let fields = ''
  for (const [name, value] of headers) fields += `${sentName(name, nameOf)}: ${value}\r\n`
  return fields
}

function sentName(name: string, nameOf: (name: string) => string): string {
  if (nameOf === unchanged) return name
  return ask(
    'httpOpts.transformHeaderName',
    () => nameOf(name),
    given => (given === name || (typeof given === 'string' && isToken(given)) ? given : undefined),
    `a header name for ${JSON.stringify(name)}`,
  )
}

const CRLF = octets('\r\n')
/** The end of a chunked body without trailer fields. */
export const LAST_CHUNK: Uint8Array = Buffer.from('0\r\n\r\n')

/** Writes a part of a chunked body, which has at least one byte. */
export function writeChunk(outlet: Outlet, chunk: Uint8Array): void {
  outlet.writeText(`${chunk.length.toString(16)}\r\n` as Octets)
  outlet.write(chunk)
  outlet.writeText(CRLF)
}

/** Writes the end of a chunked body with trailer fields (RFC 9112 section 7.1.2). Throws as `writeHead` does. */
export function writeTrailers(headers: Headers, nameOf: (name: string) => string): Buffer {
  return Buffer.from(octets(`0\r\n${writeFields(headers, nameOf)}\r\n`), 'latin1')
}
