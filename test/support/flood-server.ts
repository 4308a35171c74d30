// A server that sends without end, in a process of its own, so that its memory does not count. This file is both sides
// of it: what the tests start, and, as a program with the wire as its argument, the server itself.

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Peer } from '@holster/testing'
import { frame, opcodes, switchingProtocols } from '@holster/testing/frames'
import { Deflate } from './deflate.ts'
import { DEFLATE } from './flood.ts'
import { streamServer } from './http2-ends.ts'
import { origin } from './origin.ts'
import { isH2, transportOf, type Wire } from './websocket-scene.ts'

/** What the path of an upgrade asks for: so many binary messages of so many bytes, numbered, then a text. */
export interface Flood {
  readonly count: number
  readonly size: number
  readonly compressed?: boolean
  readonly last?: string
}

export interface FloodServer extends AsyncDisposable {
  readonly port: number
}

const self = fileURLToPath(import.meta.url)

export async function floodServer(wire: Wire): Promise<FloodServer> {
  const child = fork(self, [wire], {
    execArgv: ['--import=tsx'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const gone = once(child, 'exit')
  const [port] = await Promise.race([once(child, 'message'), gone])
  return {
    port,
    async [Symbol.asyncDispose]() {
      child.disconnect()
      await gone
    },
  }
}

export const pathOf = (flood: Flood): string => `/${encodeURIComponent(JSON.stringify(flood))}`

/** A message of zeros but for its number in front, and where that is. */
function template({ size, compressed = false }: Flood): { bytes: Buffer; at: number } {
  const payload = Buffer.alloc(size)
  if (!compressed) {
    const bytes = frame({ opcode: opcodes.binary, payload })
    return { bytes, at: bytes.length - size }
  }
  // RFC 1951 section 3.2.4: the number in a block of its own that is stored as it is.
  const block = Buffer.concat([Buffer.from('000400fbff', 'hex'), Buffer.alloc(4)])
  const zeros = new Deflate().deflate(payload.subarray(4))
  const bytes = frame({ opcode: opcodes.binary, rsv1: true, payload: Buffer.concat([block, zeros]) })
  return { bytes, at: bytes.length - zeros.length - 4 }
}

async function flood(peer: Peer): Promise<void> {
  const request = await peer.receiveRequest()
  const wanted: Flood = JSON.parse(decodeURIComponent(request.path.slice(1)))
  await peer.send(switchingProtocols(request, wanted.compressed ? DEFLATE : []))
  const { bytes, at } = template(wanted)
  const each = Math.max(1, Math.floor((1024 * 1024) / bytes.length))
  const block = Buffer.concat(Array.from({ length: each }, () => bytes))
  for (let from = 0; from < wanted.count; from += each) {
    const count = Math.min(each, wanted.count - from)
    for (let i = 0; i < count; i++) block.writeUInt32BE(from + i, i * bytes.length + at)
    await peer.send(block.subarray(0, count * bytes.length))
  }
  if (wanted.last !== undefined) await peer.send(frame({ opcode: opcodes.text, payload: wanted.last }))
  await peer.closed
}

if (process.argv[1] === self) {
  const wire = process.argv[2] as Wire
  const transport = transportOf(wire)
  const server = isH2(wire) ? await streamServer(transport, flood) : await origin(flood, { transport })
  process.send?.(server.port)
  // Also when the test has crashed.
  process.once('disconnect', () => process.exit())
}
