// The messages of connections that compress, against node:zlib: whatever is agreed on, however long the messages are, and
// whenever a turn has no time for more.

import assert from 'node:assert/strict'
import { isUtf8 } from 'node:buffer'
import { spawnSync } from 'node:child_process'
import { mock, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import zlib from 'node:zlib'
import fc from 'fast-check'
import { Deflate, type DeflateOptions } from '../../../../test/support/deflate.ts'
import { runs } from '../../../../test/support/runs.ts'
import type { CompressOpts } from '../../src/options/websocket.ts'
import { Context, UNUSED } from '../../src/websocket/context.ts'
import { agreeOn, type Deflation, offerDeflate } from '../../src/websocket/deflate.ts'
import { Deflater } from '../../src/websocket/deflater.ts'
import { type Inflated, Inflater } from '../../src/websocket/inflater.ts'
import { Shelf } from '../../src/websocket/shelf.ts'

const PACKAGE = fileURLToPath(new URL('../..', import.meta.url))

const MIB = 1024 * 1024
const KIB = 1024
/** The sizes of pieces: of what is compressed, of what is inflated, and of what that becomes. */
const PIECES = [2 * KIB, 16 * KIB, 128 * KIB]
const TAIL = Buffer.of(0x00, 0x00, 0xff, 0xff)

// A clock that passes as the test says: each look at it finds it later by the next of these, over and over.

let steps: readonly number[] = [0]
let looks = 0
let now = 0
mock.method(performance, 'now', () => {
  now += steps[looks++ % steps.length] as number
  return now
})
/** In milliseconds: from turns that never end to those in which not even one piece is in time. */
const clock = fc.oneof(
  fc.constant([0]),
  fc.constant([2]),
  fc.array(fc.constantFrom(0, 0.25, 1, 2), { minLength: 1, maxLength: 7 }),
)
function pass(given: readonly number[]): Promise<void> {
  steps = given
  looks = 0
  return turn()
}

// Connections.

function agreed(compress: CompressOpts = {}, params = '', maxPayload = 100 * MIB): Deflation {
  const deflation = agreeOn(offerDeflate(compress, maxPayload), `permessage-deflate${params}`)
  assert.ok(deflation)
  return deflation
}

/** The compressed message. The bytes are overwritten at once, as a caller may do. */
function deflate({ deflater }: Deflation, message: string | Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const settle = (data: Buffer | Error) =>
      data instanceof Error ? reject(data) : resolve(Buffer.from(data))
    const given = typeof message === 'string' ? message : Buffer.from(message)
    const data = deflater.deflate(given, settle)
    if (typeof given !== 'string') given.fill(0)
    if (data !== undefined) settle(data)
  })
}

/** The message, or the close code of the failure. The payload lies between other bytes, and is overwritten at once. */
function inflate({ inflater }: Deflation, payload: Uint8Array, isText = true): Promise<Buffer | number> {
  return new Promise(resolve => {
    const settle = (message: Inflated) => {
      if (typeof message !== 'string' && !Buffer.isBuffer(message)) return resolve(message[1])
      assert.equal(typeof message, isText ? 'string' : 'object')
      const bytes = Buffer.from(message)
      assert.equal(inflater.size, bytes.length)
      resolve(bytes)
    }
    const chunk = Buffer.concat([Buffer.alloc(3, 7), payload, Buffer.alloc(5, 7)])
    const message = inflater.inflate(chunk, 3, 3 + payload.length, isText, settle)
    chunk.fill(0)
    if (message !== undefined) settle(message)
  })
}

// Messages.

const size = fc.oneof(
  { weight: 4, arbitrary: fc.nat(300) },
  { weight: 3, arbitrary: fc.nat(9 * KIB) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom(...PIECES), fc.integer({ min: -2, max: 2 }))
      .map(([piece, more]) => piece + more),
  },
  { weight: 1, arbitrary: fc.nat(300 * KIB) },
)
/** Pseudorandom bytes of so many different values, which zlib finds little or much in. */
function noise(length: number, seed: number, values: number): Buffer {
  const bytes = Buffer.alloc(length)
  for (let i = 0, state = seed; i < length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    bytes[i] = (state >>> 16) % values
  }
  return bytes
}
const message: fc.Arbitrary<string | Buffer> = fc.oneof(
  fc.tuple(size, fc.nat(), fc.constantFrom(1, 2, 7, 256)).map(args => noise(...args)),
  fc
    .tuple(size, fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }))
    .map(([length, unit]) => unit.repeat(Math.ceil(length / unit.length))),
)
const messages = fc.array(message, { minLength: 1, maxLength: 6 })
const windowBits = fc.integer({ min: 8, max: 15 })
const takeover = fc.boolean()
const times = runs(150)

test('what is compressed can be inflated by zlib, whatever was agreed on', async () => {
  const connection = fc.record({
    messages,
    windowBits,
    takeover,
    level: fc.integer({ min: 0, max: 9 }),
    memLevel: fc.integer({ min: 1, max: 9 }),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(connection, { minLength: 1, maxLength: 4 }), clock, async (given, ticks) => {
      await pass(ticks)
      const all = given.map(async ({ messages, level, memLevel, windowBits, takeover }) => {
        const compress = {
          level,
          memLevel,
          clientMaxWindowBits: windowBits,
          clientNoContextTakeover: !takeover,
        }
        const deflation = agreed(compress, `; client_max_window_bits=${windowBits}`)
        const server = new Deflate({ windowBits, takeover })
        for (const each of messages) {
          assert.deepEqual(server.inflate(await deflate(deflation, each)), Buffer.from(each))
        }
        deflation.dispose()
      })
      await Promise.all(all)
    }),
    times,
  )
})

test('what zlib has compressed is inflated, whatever was agreed on', async () => {
  const connection = fc.record({ messages, windowBits, takeover, level: fc.integer({ min: 0, max: 9 }) })
  await fc.assert(
    fc.asyncProperty(
      fc.array(connection, { minLength: 1, maxLength: 4 }),
      clock,
      fc.boolean(),
      async (given, ticks, isText) => {
        await pass(ticks)
        const all = given.map(async ({ messages, level, windowBits, takeover }) => {
          const params = `; server_max_window_bits=${windowBits}${takeover ? '' : '; server_no_context_takeover'}`
          const deflation = agreed({}, params)
          const server = new Deflate({ windowBits, takeover, level })
          for (const each of messages) {
            const bytes = Buffer.from(each)
            const isSound = !isText || isUtf8(bytes)
            const payload = server.deflate(bytes)
            assert.deepEqual(await inflate(deflation, payload, isText), isSound ? bytes : 1007)
            if (!isSound) break
          }
          deflation.dispose()
        })
        await Promise.all(all)
      },
    ),
    times,
  )
})

/** What zlib makes of a payload on its own; a block with BFINAL is followed by what comes behind it. */
function inflatedByZlib(payload: Uint8Array): Buffer | number {
  const finishFlush = zlib.constants.Z_SYNC_FLUSH
  const parts: Buffer[] = []
  let rest = Buffer.concat([payload, TAIL])
  try {
    for (;;) {
      const { buffer, engine } = zlib.inflateRawSync(rest, { finishFlush, info: true }) as unknown as {
        buffer: Buffer
        engine: { bytesWritten: number }
      }
      parts.push(buffer)
      if (engine.bytesWritten === rest.length) return Buffer.concat(parts)
      rest = rest.subarray(engine.bytesWritten)
    }
  } catch {
    return 1007
  }
}

test('a payload that somebody has changed comes to what zlib makes of it, and so does the next', async () => {
  const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 })
  const payload = fc.oneof(
    fc.tuple(message, changes).map(([it, given]) => {
      const bytes = new Deflate().deflate(it)
      for (const [at, byte] of given) bytes[at % bytes.length] = byte
      return bytes
    }),
    fc.uint8Array({ maxLength: 60 }).map(it => Buffer.from(it)),
    fc
      .array(message, { minLength: 1, maxLength: 3 })
      .map(all => Buffer.concat(all.map(it => zlib.deflateRawSync(it)))),
  )
  await fc.assert(
    fc.asyncProperty(payload, clock, async (given, ticks) => {
      await pass(ticks)
      const deflation = agreed({}, '; server_no_context_takeover')
      assert.deepEqual(await inflate(deflation, given, false), inflatedByZlib(given))
      assert.deepEqual(await inflate(deflation, new Deflate().deflate('hello')), Buffer.from('hello'))
      deflation.dispose()
    }),
    runs(300),
  )
})

test('a message of exactly maxPayload is inflated, one of a byte more is not, and nothing larger is allocated', async () => {
  const limit = fc.oneof(fc.nat(300), size, fc.constantFrom(...PIECES, 2 * MIB, 2 * MIB + 1))
  await fc.assert(
    fc.asyncProperty(limit, fc.boolean(), clock, async (maxPayload, isText, ticks) => {
      await pass(ticks)
      const [atLimit, past, bomb] = [maxPayload, maxPayload + 1, maxPayload + 9 * MIB].map(length =>
        new Deflate().deflate(Buffer.alloc(length)),
      ) as [Buffer, Buffer, Buffer]
      const deflation = agreed({}, '; server_no_context_takeover', maxPayload)
      const allocate = mock.method(Buffer, 'allocUnsafe')
      assert.equal(((await inflate(deflation, atLimit, isText)) as Buffer).length, maxPayload)
      assert.equal(await inflate(deflation, past, isText), 1009)
      assert.equal(await inflate(deflation, bomb, isText), 1009)
      const most = Math.max(...allocate.mock.calls.map(call => call.arguments[0]), 0)
      allocate.mock.restore()
      // The test and the inflater copy payloads.
      assert.ok(most <= Math.max(maxPayload, bomb.length + 8), `${most} bytes were allocated`)
      deflation.dispose()
    }),
    runs(60),
  )
})

test('a block with BFINAL is followed by others, in its message and in the next', async () => {
  await pass([0])
  const deflation = agreed()
  const block = zlib.deflateRawSync('one')
  assert.deepEqual(await inflate(deflation, block), Buffer.from('one'))
  assert.deepEqual(await inflate(deflation, Buffer.concat([block, Buffer.of(0)])), Buffer.from('one'))
  const two = Buffer.concat([block, new Deflate().deflate('two')])
  assert.deepEqual(await inflate(deflation, two), Buffer.from('onetwo'))
  // The bytes that are left out may be the end of a block with BFINAL.
  assert.deepEqual(await inflate(deflation, Buffer.of(1)), Buffer.alloc(0))
  assert.deepEqual(await inflate(deflation, new Deflate().deflate('three')), Buffer.from('three'))
  deflation.dispose()
})

test('blocks without content are inflated in pieces as well', async () => {
  const deflation = agreed()
  for (const empty of [Buffer.of(3, 0), Buffer.of(0, 0, 0, 255, 255)]) {
    const payload = Buffer.concat([...Array<Buffer>(40_000).fill(empty), new Deflate().deflate('end')])
    await pass([1])
    const before = looks
    assert.deepEqual(await inflate(deflation, payload), Buffer.from('end'))
    assert.ok(looks - before > 10, `the clock was looked at ${looks - before} times`)
  }
  deflation.dispose()
})

test('empty messages are compressed into the block of RFC 7692 section 7.2.3.6, before and after others', async () => {
  await pass([0])
  const deflation = agreed({ threshold: 0 })
  const server = new Deflate()
  for (const each of ['', '', 'a', '', Buffer.alloc(0), 'a']) {
    const payload = await deflate(deflation, each)
    if (each.length === 0) assert.deepEqual(payload, Buffer.of(0))
    assert.deepEqual(server.inflate(payload), Buffer.from(each))
  }
  deflation.dispose()
})

// Contexts.

/** A shelf whose contexts are kept for the test. */
function watched(make: () => Context, isShared: boolean): { shelf: Shelf; made: Context[] } {
  const made: Context[] = []
  const shelf = new Shelf(() => {
    const context = make()
    made.push(context)
    return context
  }, isShared)
  return { shelf, made }
}
const inflating = () => new Context(zlib.createInflateRaw(UNUSED))
const deflating = () => new Context(zlib.createDeflateRaw(UNUSED))

const isOpen = (context: Context): boolean => {
  try {
    context.run(zlib.constants.Z_SYNC_FLUSH, Buffer.of(0), 0, 0, Buffer.alloc(9), 0)
    return true
  } catch (error) {
    assert.match(String(error), /the context was closed/)
    return false
  }
}

const long = noise(MIB, 1, 7)
const never = (): never => assert.fail('it was forgotten')

test('a context is made for the first message, kept for the next ones, and closed in the end', async () => {
  await pass([0])
  for (const [make, isDeflating] of [
    [inflating, false],
    [deflating, true],
  ] as const) {
    const { shelf, made } = watched(make, false)
    const one = isDeflating ? new Deflater(shelf) : new Inflater(shelf, MIB)
    assert.equal(made.length, 0)
    for (let n = 0; n < 3; n++) {
      if (one instanceof Deflater) one.deflate('message', never)
      else one.inflate(hello, 0, hello.length, true, never)
    }
    assert.deepEqual(made.map(isOpen), [true])
    one.dispose()
    assert.deepEqual(made.map(isOpen), [false])
    one.dispose()
  }
})
const hello = new Deflate().deflate('hello')

test('a message under way is forgotten when its connection ends, and its context is closed', async () => {
  const payload = new Deflate().deflate(long)
  for (const isShared of [false, true]) {
    for (const make of [inflating, deflating]) {
      const { shelf, made } = watched(make, isShared)
      const begin = (): Inflater | Deflater => {
        if (make === deflating) {
          const deflater = new Deflater(shelf)
          assert.equal(deflater.deflate(long, never), undefined)
          return deflater
        }
        const inflater = new Inflater(shelf, MIB)
        assert.equal(inflater.inflate(payload, 0, payload.length, true, never), undefined)
        return inflater
      }
      await pass([1])
      const one = begin()
      await turn()
      one.dispose()
      await pass([0])
      assert.deepEqual(made.map(isOpen), [isShared])
      if (!isShared) continue
      // Others find nothing of it.
      if (make === deflating) assert.deepEqual(new Deflater(shelf).deflate('hello', never), hello)
      else assert.equal(new Inflater(shelf, MIB).inflate(hello, 0, hello.length, true, never), 'hello')
      assert.equal(made.length, 1)
    }
  }
})

test('connections that share a context use another only while a message is under way in it', async () => {
  const { shelf, made } = watched(deflating, true)
  const [one, two, three] = [new Deflater(shelf), new Deflater(shelf), new Deflater(shelf)]
  await pass([0])
  for (const each of [one, two, three, one]) assert.deepEqual(each.deflate('hello', never), hello)
  assert.equal(made.length, 1)
  await pass([1])
  const done = new Promise(resolve => assert.equal(one.deflate(long, resolve), undefined))
  steps = [0]
  await turn()
  assert.deepEqual(new Deflate().inflate((await done) as Buffer), long)
  assert.deepEqual(two.deflate('hello', never), hello)
  for (const each of [one, two, three]) each.dispose()
  assert.equal(made.filter(isOpen).length, 1)
})

test('a context that zlib has failed in is used no more', async () => {
  await pass([0])
  const { shelf, made } = watched(inflating, true)
  const inflater = new Inflater(shelf, MIB)
  const failure = inflater.inflate(Buffer.of(7), 0, 1, true, never)
  assert.ok(Array.isArray(failure) && failure[1] === 1007)
  assert.equal(inflater.inflate(hello, 0, hello.length, true, never), 'hello')
  assert.deepEqual(made.map(isOpen), [false, true])
})

test('what two connections without context takeover send does not mix, whatever their windows and levels', async () => {
  const options: DeflateOptions[] = [9, 15].map(windowBits => ({ windowBits, takeover: false }))
  await pass([0, 1])
  const all = options.flatMap(({ windowBits }) =>
    [1, 9].map(async level => {
      const compress = { level, clientNoContextTakeover: true, clientMaxWindowBits: windowBits as number }
      const deflation = agreed(compress, `; client_max_window_bits=${windowBits}`)
      for (let n = 0; n < 5; n++) {
        const each = noise(5000, n, 30)
        const server = new Deflate({ windowBits: windowBits as number, takeover: false })
        assert.deepEqual(server.inflate(await deflate(deflation, each)), each)
      }
    }),
  )
  await Promise.all(all)
})

test('compression is not offered by a Node that cannot do it within a call', () => {
  const program = `
    import zlib from 'node:zlib'
    import { offerDeflate } from './src/websocket/deflate.ts'
    delete Object.getPrototypeOf(zlib.createInflateRaw()._handle).writeSync
    console.log(offerDeflate({}, 1000))`
  const args = ['--import', 'tsx', '--input-type=module', '--eval', program]
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: PACKAGE, encoding: 'utf8' })
  assert.deepEqual([stdout, stderr], ['undefined\n', ''])
})
