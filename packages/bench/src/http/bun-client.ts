/** Bun's own fetch, under Bun. */

import type { Client } from './contract.ts'
import { PromisedConnection } from './promised-connection.ts'

function repeat(chunk: Uint8Array, times: number): ReadableStream<Uint8Array> {
  let n = 0
  return new ReadableStream({
    pull(controller) {
      if (n++ < times) controller.enqueue(chunk)
      else controller.close()
    },
  })
}

/** `init` is what all requests have in common. */
export function fetchConnection(origin: string, init: RequestInit): PromisedConnection {
  return new PromisedConnection({
    async get(path, isLarge) {
      const response = await fetch(origin + path, init)
      if (!isLarge || response.body === null) return (await response.arrayBuffer()).byteLength
      let size = 0
      for await (const chunk of response.body) size += chunk.length
      return size
    },
    async post(path, chunk, chunks) {
      const body = repeat(chunk, chunks)
      const response = await fetch(origin + path, { ...init, method: 'POST', body, duplex: 'half' })
      await response.arrayBuffer()
    },
  })
}

const bun: Client = {
  async connect(origin) {
    return fetchConnection(origin, {})
  },
}

export default bun
