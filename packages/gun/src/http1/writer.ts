/** Writes the head of a request, and the trailers behind its body (RFC 9112 sections 3 and 7.1.2). */

import { isToken } from '../headers.js'
import { type Octets, octets } from '../octets.js'
import { ask } from '../options/function.js'
import { type HttpOpts, unchanged } from '../options/http.js'
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

/** Writes the end of a chunked body with trailer fields (RFC 9112 section 7.1.2). Throws as `writeHead` does. */
export function writeTrailers(headers: Headers, nameOf: (name: string) => string): Buffer {
  return Buffer.from(octets(`0\r\n${writeFields(headers, nameOf)}\r\n`), 'latin1')
}
