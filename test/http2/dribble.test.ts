// Bodies that come a byte at a time while nobody reads them: they cost about what they hold, and come whole.

import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import * as gun from '@holster/gun'
import { onEachTransport } from '../support/http-scene.ts'
import * as h2 from '../support/http2-frames.ts'
import { respond, type Scene, scene } from '../support/http2-scene.ts'

const KIB = 1024
const MIB = 1024 * KIB
/** In bytes. Far above what the bytes and their objects need once they are joined, and far below a buffer for each. */
const MOST = 12 * MIB

async function used(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    globalThis.gc?.()
    await turn()
  }
  const { heapUsed, external, arrayBuffers } = process.memoryUsage()
  return heapUsed + external + arrayBuffers
}

/** Sends the bytes in frames of one byte, and gives by how much the memory in use has grown. */
async function dribble(it: Scene, streamId: number, bytes: Buffer): Promise<number> {
  const before = await used()
  const TURN = 32 * KIB
  for (let at = 0; at < bytes.length; at += TURN) {
    const part = bytes.subarray(at, at + TURN)
    await it.peer.send(Buffer.concat(Array.from(part, (_, i) => h2.data(streamId, part.subarray(i, i + 1)))))
    await it.seen()
  }
  return (await used()) - before
}

onEachTransport(
  'a body in frames of one byte that nobody reads takes little memory, and comes whole',
  async transport => {
    await using it = await scene({ transport })
    const streamRef = gun.get(it.connPid, '/', {}, { flow: 1 })
    const streamId = await respond(it.peer)
    const bytes = Buffer.alloc(256 * KIB, 'abcdefghijk')
    const grown = await dribble(it, streamId, bytes)
    assert.ok(grown < MOST, `${grown} bytes more are in use`)
    gun.updateFlow(it.connPid, streamRef, 2 * MIB)
    await it.peer.send(h2.data(streamId, '', { endStream: true }))
    const [, data] = await it.story(streamRef)
    assert.equal(data, `data ${bytes} fin`)
  },
)
