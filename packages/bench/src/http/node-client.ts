/** node:http, with an Agent that keeps one socket. */

import { once } from 'node:events'
import { Agent, type IncomingMessage, request } from 'node:http'
import type { Readable } from 'node:stream'
import type { Client } from './contract.ts'
import { PromisedConnection } from './promised-connection.ts'

export function bodyOf(response: Readable, isLarge: boolean): Promise<number> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    response.on('data', chunk => {
      if (isLarge) size += chunk.length
      else chunks.push(chunk)
    })
    response.on('end', () => {
      resolve(isLarge ? size : Buffer.concat(chunks).length)
    })
    response.on('error', reject)
  })
}

const node: Client = {
  async connect(origin) {
    const { hostname, port } = new URL(origin)
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const exchange = (method: string, path: string) => {
      const sent = request({ agent, hostname, port, path, method })
      const response = once(sent, 'response') as Promise<[IncomingMessage]>
      return { sent, response }
    }
    return new PromisedConnection({
      async get(path, isLarge) {
        const { sent, response } = exchange('GET', path)
        sent.end()
        return bodyOf((await response)[0], isLarge)
      },
      async post(path, chunk, chunks) {
        const { sent, response } = exchange('POST', path)
        for (let n = 0; n < chunks; n++) if (!sent.write(chunk)) await once(sent, 'drain')
        sent.end()
        await bodyOf((await response)[0], false)
      },
    })
  },
}

export default node
