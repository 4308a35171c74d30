// An outlet gathers the bytes of a tick, hands them to its stream together and in order, and counts what waits and what has left.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { runs } from '../../../../test/support/runs.ts'
import type { Octets } from '../../src/octets.ts'
import { SocketOutlet } from '../../src/transport/socket-outlet.ts'

const PAGE = 16 * 1024
const COPIED = 4 * 1024

const tick = () => new Promise<void>(resolve => process.nextTick(resolve))

/** A stream that takes what it is given only when `accept` is called, and keeps the pieces as they are. */
class Slow extends Duplex {
  /** The pieces of each write that the stream has begun. */
  readonly writes: Buffer[][] = []
  #done: (() => void) | undefined

  override _read(): void {}

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.writes.push([chunk])
    this.#done = done
  }

  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    this.writes.push(chunks.map(({ chunk }) => chunk))
    this.#done = done
  }

  /** Takes over the write under way, and lets the stream tell of that. */
  async accept(): Promise<void> {
    const done = this.#done
    this.#done = undefined
    done?.()
    await tick()
  }

  /** All bytes so far, as text. */
  get text(): string {
    return Buffer.concat(this.writes.flat()).toString('latin1')
  }
}

function scene() {
  const stream = new Slow()
  return { stream, outlet: new SocketOutlet(stream) }
}

/** Writes bytes of its own on the outlet's page, as the frames of a WebSocket are written. */
function compose(outlet: SocketOutlet, bytes: Uint8Array): void {
  const at = outlet.room(bytes.length)
  outlet.page.set(bytes, at)
  outlet.commit(bytes.length)
}

describe('the bytes of a tick', () => {
  test('leave together at its end, in the order in which they were written', async () => {
    const { stream, outlet } = scene()
    outlet.writeText('text, ' as Octets)
    outlet.write(Buffer.from('bytes, '))
    compose(outlet, Buffer.from('and a frame'))
    assert.deepEqual(stream.writes, [])
    await tick()
    assert.equal(stream.text, 'text, bytes, and a frame')
    assert.equal(stream.writes.flat().length, 1)
  })

  test('do not wait for those of the tick before', async () => {
    const { stream, outlet } = scene()
    outlet.write(Buffer.from('a'))
    await tick()
    await stream.accept()
    outlet.write(Buffer.from('b'))
    await tick()
    assert.equal(stream.writes.length, 2)
    assert.equal(stream.text, 'ab')
  })

  test('leave at once when they are flushed, and not again at the end of the tick', async () => {
    const { stream, outlet } = scene()
    outlet.write(Buffer.from('a'))
    outlet.flush()
    assert.equal(stream.text, 'a')
    await stream.accept()
    assert.equal(stream.text, 'a')
    assert.equal(outlet.written, 1)
  })

  test('may be none', async () => {
    const { stream, outlet } = scene()
    outlet.write(new Uint8Array())
    outlet.writeText('' as Octets)
    outlet.flush()
    await tick()
    assert.deepEqual(stream.writes, [])
  })

  test('leave in one write of several pieces where they fill more than a page', async () => {
    const { stream, outlet } = scene()
    const parts = Array.from({ length: 2 * (PAGE / COPIED) + 1 }, (_, n) => Buffer.alloc(COPIED, `${n}`))
    for (const part of parts) outlet.write(part)
    await tick()
    // The first piece of a corked stream waits for the others.
    assert.equal(stream.writes.length, 1)
    assert.equal(stream.text, Buffer.concat(parts).toString())
  })

  test('that are written as one frame get a page of their own size where they fill more than a page', async () => {
    const { stream, outlet } = scene()
    const frame = Buffer.alloc(PAGE + 1, 'frame')
    outlet.writeText('before, ' as Octets)
    compose(outlet, frame)
    outlet.writeText('behind' as Octets)
    await tick()
    assert.equal(stream.text, `before, ${frame}behind`)
  })
})

describe('a piece', () => {
  test(`of ${COPIED} bytes is copied, so that it is the caller's again`, async () => {
    const { stream, outlet } = scene()
    const piece = Buffer.alloc(COPIED, 'a')
    outlet.write(piece)
    piece.fill('b')
    await tick()
    assert.equal(stream.text, 'a'.repeat(COPIED))
  })

  test('of one byte more is handed on as it is, between what comes before and behind it', async () => {
    const { stream, outlet } = scene()
    const piece = Buffer.alloc(COPIED + 1, 'a')
    outlet.writeText('before' as Octets)
    outlet.write(piece)
    outlet.writeText('behind' as Octets)
    await tick()
    const [write = []] = stream.writes
    assert.deepEqual(
      write.map(({ length }) => length),
      [6, COPIED + 1, 6],
    )
    assert.equal(write[1], piece)
    assert.equal(stream.text, `before${piece}behind`)
  })

  test('of text is one byte for each character, whatever its length', async () => {
    const { stream, outlet } = scene()
    const text = '\u00e9'.repeat(COPIED + 1) as Octets
    outlet.writeText(text)
    outlet.writeText('\u00ff' as Octets)
    await tick()
    assert.equal(stream.text, `${text}\u00ff`)
    assert.equal(outlet.written, COPIED + 2)
  })
})

describe('the counters', () => {
  test('tell what waits, what was written and what has left', async () => {
    const { stream, outlet } = scene()
    const counters = () => [outlet.buffered, outlet.written, outlet.sent]
    assert.deepEqual(counters(), [0, 0, 0])
    outlet.write(Buffer.from('four'))
    assert.deepEqual(counters(), [4, 4, 0])
    await tick()
    assert.deepEqual(counters(), [4, 4, 0])
    outlet.write(Buffer.from('and'))
    assert.deepEqual(counters(), [7, 7, 0])
    await stream.accept()
    assert.deepEqual(counters(), [3, 7, 4])
    await stream.accept()
    assert.deepEqual(counters(), [0, 7, 7])
  })

  test('call onSent each time the stream has taken something over', async () => {
    const { stream, outlet } = scene()
    const left: number[] = []
    outlet.onSent = () => left.push(outlet.buffered)
    outlet.write(Buffer.from('a'))
    await tick()
    outlet.write(Buffer.from('bc'))
    await tick()
    assert.deepEqual(left, [])
    await stream.accept()
    assert.deepEqual(left, [2])
    await stream.accept()
    assert.deepEqual(left, [2, 0])
  })
})

describe('an outlet that was aborted', () => {
  test('discards all bytes, those of the tick included, and lets nothing wait', async () => {
    const { stream, outlet } = scene()
    outlet.onSent = () => assert.fail('nothing was sent')
    outlet.write(Buffer.from('a'))
    outlet.abort()
    outlet.write(Buffer.alloc(COPIED + 1))
    assert.equal(outlet.isAborted, true)
    assert.equal(outlet.buffered, 0)
    await tick()
    assert.deepEqual(stream.writes, [])
    assert.equal(outlet.onSent, undefined)
  })

  test('tells of no bytes that leave afterwards', async () => {
    const { stream, outlet } = scene()
    outlet.onSent = () => assert.fail('nobody asks any more')
    outlet.write(Buffer.from('a'))
    await tick()
    outlet.abort()
    await stream.accept()
  })
})

test('bytes for a stream that was destroyed go nowhere', async () => {
  const { stream, outlet } = scene()
  stream.on('error', () => assert.fail('nothing was written'))
  outlet.write(Buffer.from('a'))
  stream.destroy()
  await tick()
  assert.deepEqual(stream.writes, [])
})

/** Sizes around the limits, below and above, and whether the tick ends behind the piece. */
const piece = fc.record({
  size: fc.oneof(
    fc.nat(20),
    fc.integer({ min: COPIED - 2, max: COPIED + 2 }),
    fc.integer({ min: 0, max: 2 * PAGE }),
  ),
  how: fc.constantFrom('write' as const, 'text' as const, 'compose' as const),
  endsTick: fc.boolean(),
})
type Piece = typeof piece extends fc.Arbitrary<infer P> ? P : never

/** Writes the pieces, each filled with its own byte, and gives all their bytes. */
async function writeAll(outlet: SocketOutlet, pieces: readonly Piece[]): Promise<Buffer> {
  const expected: Buffer[] = []
  for (const [n, { size, how, endsTick }] of pieces.entries()) {
    const bytes = Buffer.alloc(size, (n % 255) + 1)
    if (how === 'write') outlet.write(bytes)
    else if (how === 'text') outlet.writeText(bytes.toString('latin1') as Octets)
    else compose(outlet, bytes)
    expected.push(bytes)
    if (endsTick) await tick()
  }
  await tick()
  return Buffer.concat(expected)
}

const pieces = fc.array(piece, { maxLength: 20 })

test('whatever is written arrives in order, though several slow streams share the pages', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(pieces, { minLength: 1, maxLength: 3 }), async lists => {
      const scenes = lists.map(() => scene())
      const expected = await Promise.all(scenes.map(({ outlet }, n) => writeAll(outlet, lists[n] as Piece[])))
      for (const [n, { stream, outlet }] of scenes.entries()) {
        while (outlet.buffered > 0) await stream.accept()
        assert.equal(Buffer.compare(Buffer.concat(stream.writes.flat()), expected[n] as Buffer), 0)
        assert.equal(outlet.sent, (expected[n] as Buffer).length)
      }
    }),
    runs(50),
  )
})

async function listen(): Promise<Server> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

/** The bytes that a socket is sent until its peer's end. */
async function readAll(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of socket) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

test('whatever is written to sockets arrives in order, though they use pages again', async () => {
  const server = await listen()
  const { port } = server.address() as { port: number }
  await fc.assert(
    fc.asyncProperty(fc.array(pieces, { minLength: 1, maxLength: 3 }), async lists => {
      const sockets: (readonly [Socket, Socket])[] = []
      for (const _ of lists) {
        const accepted = once(server, 'connection')
        const socket = connect(port, '127.0.0.1')
        const [peer] = (await accepted) as [Socket]
        sockets.push([socket, peer])
      }
      await Promise.all(
        sockets.map(async ([socket, peer], n) => {
          const received = readAll(peer)
          const expected = await writeAll(new SocketOutlet(socket), lists[n] as Piece[])
          socket.end()
          assert.equal(Buffer.compare(await received, expected), 0)
          socket.destroy()
        }),
      )
    }),
    runs(20),
  )
  server.close()
})
