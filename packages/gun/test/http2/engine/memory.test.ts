// The engine keeps nothing of streams that are over, and of floods as much as a limit says.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as h2 from '../../../../../test/support/http2-frames.ts'
import { begun, head, type Stream, type Talk } from '../../support/engine.ts'

const end = { endStream: true }
const request = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':path', '/p'],
] as const

const collect = (): void => {
  if (globalThis.gc === undefined) throw new Error('run with --expose-gc')
  globalThis.gc()
}

/** The ways in which a stream ends; each opens one, or has the server open one, and ends it. */
const ways: Readonly<Record<string, (talk: Talk) => Stream>> = {
  'in order': talk => {
    const stream = talk.open()
    talk.give(head(stream.id), h2.data(stream.id, 'x', end))
    return stream
  },
  'in order, the peer first': talk => {
    const stream = talk.open({ method: 'POST' }, false)
    talk.give(head(stream.id, {}, end))
    talk.send(stream, 'x', true)
    return stream
  },
  'with trailers of both sides': talk => {
    const stream = talk.open({ method: 'POST' }, false)
    talk.engine.sendTrailers(stream, [])
    talk.give(head(stream.id), h2.headers(stream.id, [], end))
    return stream
  },
  'by our reset': talk => {
    const stream = talk.open()
    talk.engine.reset(stream)
    return stream
  },
  'by our reset while bytes wait': talk => {
    const stream = talk.open({ method: 'POST' }, false)
    talk.send(stream, Buffer.alloc(70_000), true)
    talk.engine.reset(stream)
    return stream
  },
  "by the peer's reset": talk => {
    const stream = talk.open()
    talk.give(h2.rstStream(stream.id, 8))
    return stream
  },
  'by a fault': talk => {
    const stream = talk.open()
    talk.give(h2.headers(stream.id, []))
    return stream
  },
  'pushed, in order': talk => pushed(talk, id => head(id, {}, end)),
  'pushed, and reset by the peer before it began': talk => pushed(talk, id => h2.rstStream(id, 8)),
  'pushed, and reset by the peer later': talk =>
    pushed(talk, id => Buffer.concat([head(id), h2.rstStream(id, 8)])),
  'pushed, and broken': talk => pushed(talk, id => head(id, { ':status': 'x' })),
}

const parents = new WeakMap<Talk, { readonly id: number; last: number }>()

function pushed(talk: Talk, rest: (id: number) => Buffer): Stream {
  const parent = parents.get(talk) ?? { id: talk.open().id, last: 0 }
  parents.set(talk, parent)
  parent.last += 2
  talk.now += 1000
  const [push] = talk.values(h2.pushPromise(parent.id, parent.last, request))
  assert.ok(push?.type === 'push')
  talk.give(rest(parent.last))
  return push.promised
}

describe('Nothing is kept of a stream that has ended', () => {
  for (const [name, way] of Object.entries(ways)) {
    test(name, () => {
      const talk = begun()
      const streams: WeakRef<Stream>[] = []
      for (let i = 0; i < 50; i++) streams.push(new WeakRef(way(talk)))
      talk.sink.pieces = []
      // What a function holds it may hold until the turn of the event loop is over.
      return new Promise<void>(resolve => setImmediate(resolve)).then(() => {
        collect()
        const kept = streams.filter(stream => stream.deref() !== undefined)
        assert.equal(kept.length, 0)
        assert.equal(talk.engine.canOpen, true)
      })
    })
  }

  test('that the peer has not seen', async () => {
    const talk = begun()
    const streams = Array.from({ length: 50 }, () => new WeakRef(talk.open()))
    assert.equal(talk.give(h2.goaway(0)).length, 51)
    await new Promise<void>(resolve => setImmediate(resolve))
    collect()
    assert.ok(streams.every(stream => stream.deref() === undefined))
  })
})

test('Nothing is kept of the bytes that were given, once they are read', async () => {
  const talk = begun()
  talk.open()
  const given: WeakRef<ArrayBufferLike>[] = []
  const give = (...frames: readonly Buffer[]) => {
    const bytes = new Uint8Array(Buffer.concat(frames))
    given.push(new WeakRef(bytes.buffer))
    talk.engine.give(Buffer.from(bytes.buffer), 0)
    while (talk.engine.next() !== undefined);
  }
  give(head(1), h2.data(1, 'x'), h2.ping())
  give(h2.data(1, 'y'), h2.settings().subarray(0, 5))
  await new Promise<void>(resolve => setImmediate(resolve))
  collect()
  assert.ok(given.every(bytes => bytes.deref() === undefined))
})

describe('Memory stays bounded', () => {
  /** In bytes, how much more memory is in use behind `run`, which is run before to warm up. */
  function growth(run: () => unknown): number {
    run()
    collect()
    const before = process.memoryUsage()
    const kept = run()
    collect()
    const after = process.memoryUsage()
    assert.notEqual(kept, undefined)
    return after.heapUsed - before.heapUsed + after.arrayBuffers - before.arrayBuffers
  }

  test('whatever was reset: 100,000 streams are remembered as 10,000 numbers', () => {
    const grown = growth(() => {
      const talk = begun()
      for (let i = 0; i < 100_000; i++) {
        talk.engine.reset(talk.open())
        talk.sink.pieces = []
      }
      return talk
    })
    assert.ok(grown < 4_000_000, `${grown} bytes`)
  })

  test('and of these the 10,000 newest ones', () => {
    for (const more of [9999, 10_000]) {
      const talk = begun()
      for (let i = 0; i <= more; i++) {
        talk.engine.reset(talk.open())
        talk.sink.pieces = []
      }
      const told = more === 9999 ? [] : ['failure STREAM_CLOSED']
      assert.deepEqual(talk.give(h2.data(1, 'late')), told)
    }
  })

  test('while a header block is open', () => {
    const grown = growth(() => {
      const talk = begun({ maxHeaderBlock: 200_000 })
      talk.open()
      talk.give(h2.headers(1, [], { endHeaders: false }))
      for (let i = 0; i < 1000; i++) talk.give(h2.frame(h2.types.CONTINUATION, 0, 1, Buffer.alloc(199)))
      return talk
    })
    assert.ok(grown < 2_000_000, `${grown} bytes`)
  })

  test('while a frame is to come that is large and never does', () => {
    const grown = growth(() => {
      const talks = Array.from({ length: 20 }, () => begun())
      for (const talk of talks) {
        talk.open()
        const bytes = head(1, { a: 'x'.repeat(16_000) })
        for (const byte of bytes.subarray(0, -1)) talk.give(Buffer.of(byte))
      }
      return talks
    })
    assert.ok(grown < 20 * 60_000, `${grown} bytes`)
  })
})
