/** undici's interface for requests, which its Client, its Pool and its function `request` share. */

import type { Dispatcher } from 'undici'
import { PromisedConnection } from './promised-connection.ts'

export interface UndiciRequest {
  readonly path: string
  readonly method: 'GET' | 'POST'
  /** Unless it is false, undici sends nothing behind the request before its response has come, pipelining or not. */
  readonly blocking?: false
  readonly body?: AsyncIterable<Uint8Array>
}

export type Ask = (request: UndiciRequest) => Promise<Dispatcher.ResponseData>

async function* repeat(chunk: Uint8Array, times: number): AsyncIterable<Uint8Array> {
  for (let n = 0; n < times; n++) yield chunk
}

export function undiciConnection(ask: Ask): PromisedConnection {
  return new PromisedConnection({
    async get(path, isLarge) {
      const { body } = await ask({ path, method: 'GET', blocking: false })
      if (!isLarge) return (await body.arrayBuffer()).byteLength
      let size = 0
      for await (const chunk of body) size += chunk.length
      return size
    },
    async post(path, chunk, chunks) {
      const { body } = await ask({ path, method: 'POST', body: repeat(chunk, chunks) as never })
      await body.arrayBuffer()
    },
  })
}
