// node:http as another reader of HTTP/1.1: a request over a Duplex that answers with given bytes.

import { request } from 'node:http'
import { Duplex } from 'node:stream'
import type { Opinion, Seen } from './llhttp.ts'

/** Gives what node:http makes of the response to one request, and of the interim ones before it. */
export function opinionOfNode(method: string, bytes: Buffer): Promise<Opinion> {
  const seen: Seen[] = []
  const line = new Duplex({
    read() {},
    write: (_chunk, _encoding, done) => done(),
    final: done => done(),
  })
  return new Promise(resolve => {
    const end = (refusal?: string) => {
      line.destroy()
      resolve({ seen, refusal })
    }
    let hasResponse = false
    const asked = request({ method, createConnection: () => line })
    asked.on('information', ({ statusCode, rawHeaders }) => {
      seen.push({ status: statusCode, headers: lowered(rawHeaders), body: '', trailers: [], isWhole: true })
    })
    asked.on('response', response => {
      hasResponse = true
      const { statusCode = 0, rawHeaders } = response
      const message: Seen = {
        status: statusCode,
        headers: lowered(rawHeaders),
        body: '',
        trailers: [],
        isWhole: false,
      }
      seen.push(message)
      response.setEncoding('latin1')
      response.on('data', text => {
        message.body += text
      })
      response.on('end', () => {
        message.isWhole = response.complete
        message.trailers = lowered(response.rawTrailers)
        end()
      })
      response.on('error', error => end(reasonOf(error)))
      response.on('close', () => end())
    })
    asked.on('error', error => end(reasonOf(error)))
    // With a response, the request may close before the response has ended.
    asked.on('close', () => {
      if (!hasResponse) end()
    })
    // The bytes must not be there before the request is.
    asked.on('finish', () => {
      line.push(bytes)
      line.push(null)
    })
    asked.end()
  })
}

function lowered(fields: readonly string[]): string[] {
  return fields.map((text, i) => (i % 2 === 0 ? text.toLowerCase() : text))
}

/** Says why node:http refuses bytes; `undefined` if it only misses some. */
function reasonOf({
  code,
  reason,
}: Error & { readonly code?: string; readonly reason?: string }): string | undefined {
  if (code === 'ECONNRESET' || code === 'HPE_INVALID_EOF_STATE') return undefined
  return reason ?? code
}
