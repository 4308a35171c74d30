import assert from 'node:assert/strict'
import { test } from 'node:test'
import zlib from 'node:zlib'
import fc from 'fast-check'
import { runs } from '../../../../test/support/runs.ts'
import { ContentChain } from '../../src/content/chain.ts'
import { decode } from '../../src/content/decode.ts'
import { sse } from '../../src/content/sse.ts'
import { GunError } from '../../src/errors.ts'
import type { GunSse } from '../../src/messages.ts'
import type { Next } from '../../src/options/content-handler.ts'
import type { Headers } from '../../src/words.ts'
import { feed, places, scene, settle, split } from '../support/content.ts'

const encoding = (...values: string[]): Headers => values.map(value => ['content-encoding', value] as const)

/** What comes out. One part with `'fin'` ends it. */
async function decoded(headers: Headers, parts: readonly Buffer[], last?: Next): Promise<Buffer> {
  const { chain, parts: out, body } = scene([decode()], headers, last)
  assert.ok(chain !== undefined)
  try {
    await feed(chain, parts)
  } finally {
    chain.dispose()
  }
  assert.deepEqual(
    out.map(([isFin]) => isFin),
    [...out.slice(1).map(() => 'nofin'), 'fin'],
  )
  return body()
}

const isWrong = (problem: RegExp) => (error: unknown) => {
  assert.ok(error instanceof GunError, String(error))
  assert.deepEqual([error.code, error.kind], ['protocol_error', 'stream_error'])
  assert.match(error.message, problem)
  return true
}

interface Coding {
  readonly name: string
  encode(body: Buffer): Buffer
}

/** Where this Node has it. */
const { zstdCompressSync, createZstdCompress } = zlib as {
  zstdCompressSync?: (body: Buffer, options?: object) => Buffer
  createZstdCompress?: () => zlib.Gzip
}
const withChecksum = {
  params: { [(zlib.constants as { ZSTD_c_checksumFlag?: number }).ZSTD_c_checksumFlag ?? 0]: 1 },
}
const codings: readonly Coding[] = [
  { name: 'gzip', encode: body => zlib.gzipSync(body) },
  { name: 'x-gzip', encode: body => zlib.gzipSync(body) },
  { name: 'deflate', encode: body => zlib.deflateSync(body) },
  { name: 'deflate', encode: body => zlib.deflateRawSync(body) },
  { name: 'br', encode: body => zlib.brotliCompressSync(body) },
  ...(zstdCompressSync
    ? [
        { name: 'zstd', encode: (body: Buffer) => zstdCompressSync(body) },
        { name: 'zstd', encode: (body: Buffer) => zstdCompressSync(body, withChecksum) },
      ]
    : []),
]

const bodies = fc.oneof(
  fc.uint8Array({ maxLength: 300 }).map(bytes => Buffer.from(bytes)),
  fc
    .tuple(fc.string({ minLength: 1, maxLength: 20 }), fc.nat({ max: 5000 }))
    .map(([text, n]) => Buffer.from(text.repeat(n))),
)

for (const [i, { name, encode }] of codings.entries()) {
  test(`a body that was encoded with ${name} (${i}) is decoded, wherever it is split`, async () => {
    await fc.assert(
      fc.asyncProperty(bodies, places, async (body, at) => {
        assert.deepEqual(await decoded(encoding(name), split(encode(body), at)), body)
      }),
      runs(100),
    )
  })

  test(`a body that was encoded with ${name} (${i}) may come byte by byte`, async () => {
    const body = Buffer.from('Hello, hello, hello!')
    const each = [...encode(body)].map(byte => Buffer.of(byte))
    assert.deepEqual(await decoded(encoding(name), [...each, Buffer.alloc(0)]), body)
  })

  test(`a body that was encoded with ${name} (${i}) is an error when it is cut anywhere`, async () => {
    const bytes = encode(Buffer.from('Hello, hello, hello!'))
    for (let length = 1; length < bytes.length; length++) {
      const cut = bytes.subarray(0, length)
      const run = decoded(encoding(name), [cut])
      await assert.rejects(
        run,
        isWrong(/^the body cannot be decoded \(.+\): unexpected end of file$/),
        `${length} bytes`,
      )
    }
  })

  test(`bytes that follow a body that was encoded with ${name} (${i}) are ignored`, async () => {
    const body = Buffer.from('Hello, hello, hello!')
    for (const trailing of ['\n', '\0', '\0'.repeat(100), 'trailing', '\x1f', '\x1f\x8a']) {
      const rest = Buffer.from(trailing, 'latin1')
      assert.deepEqual(await decoded(encoding(name), [Buffer.concat([encode(body), rest])]), body)
      assert.deepEqual(await decoded(encoding(name), [encode(body), rest, rest, Buffer.alloc(0)]), body)
    }
  })
}

test('what was decoded is handed on before more has come', async () => {
  for (const [name, compress] of [
    ['gzip', zlib.createGzip()],
    ['deflate', zlib.createDeflate()],
    ['br', zlib.createBrotliCompress()],
    ...(createZstdCompress ? [['zstd', createZstdCompress()] as const] : []),
  ] as const) {
    const { chain, body } = scene([decode()], encoding(name))
    for (const text of ['one', 'two']) {
      await new Promise<void>(resolve => compress.write(text, () => compress.flush(() => resolve())))
      // From Node 26 on one read gives one piece.
      const pieces: Buffer[] = []
      for (let piece = compress.read(); piece !== null; piece = compress.read()) pieces.push(piece)
      await chain?.handle('nofin', Buffer.concat(pieces))
      assert.ok(String(body()).endsWith(text), name)
    }
    chain?.dispose()
    compress.destroy()
  }
})

test('several members of gzip are one body, wherever they are split', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(bodies, { minLength: 1, maxLength: 5 }), places, async (members, at) => {
      const bytes = Buffer.concat(members.map(member => zlib.gzipSync(member)))
      assert.deepEqual(await decoded(encoding('gzip'), split(bytes, at)), Buffer.concat(members))
    }),
    runs(100),
  )
})

test('several frames of zstd are one body, wherever they are split, and some are skipped', async t => {
  if (zstdCompressSync === undefined) return t.skip('not in this version of Node')
  const skipped = Buffer.from('5a2a4d18030000000102035f2a4d1800000000', 'hex')
  await fc.assert(
    fc.asyncProperty(fc.array(bodies, { maxLength: 5 }), places, async (frames, at) => {
      const bytes = Buffer.concat([skipped, ...frames.flatMap(frame => [zstdCompressSync(frame), skipped])])
      assert.deepEqual(await decoded(encoding('zstd'), split(bytes, at)), Buffer.concat(frames))
    }),
    runs(100),
  )
  // A frame with nothing in it that asks for a window of 16 MiB.
  const wide = Buffer.from('28b52ffd0070010000', 'hex')
  await assert.rejects(decoded(encoding('zstd'), [wide]), isWrong(/\(zstd\): .*memory/))
})

test('the second member of gzip must not be cut', async () => {
  const bytes = zlib.gzipSync('a')
  for (let length = 2; length < bytes.length; length++) {
    const run = decoded(encoding('gzip'), [Buffer.concat([bytes, bytes.subarray(0, length)])])
    await assert.rejects(run, isWrong(/unexpected end of file/))
  }
})

test('all fields that the header of a gzip member may have are skipped', async () => {
  const plain = zlib.gzipSync('Hello!')
  const head = Buffer.from(plain.subarray(0, 10))
  head.writeUInt8(2 | 4 | 8 | 16, 3)
  const bytes = Buffer.concat([
    head,
    Buffer.of(3, 0, 0, 1, 0),
    Buffer.from('name\0comment\0'),
    Buffer.of(1, 2),
    plain.subarray(10),
  ])
  const each = [...bytes].map(byte => Buffer.of(byte))
  assert.equal(String(await decoded(encoding('gzip'), [bytes])), 'Hello!')
  assert.equal(String(await decoded(encoding('gzip'), [...each, Buffer.alloc(0)])), 'Hello!')
})

test('a corrupt body is an error that says what is wrong; what zlib says is the cause', async () => {
  const gzip = zlib.gzipSync('Hello, hello, hello!')
  const broken = (index: number) => {
    const bytes = Buffer.from(gzip)
    bytes.writeUInt8(bytes.readUInt8(index) ^ 0xff, index)
    return [bytes]
  }
  await assert.rejects(decoded(encoding('gzip'), broken(0)), isWrong(/\(gzip\): incorrect header check/))
  await assert.rejects(decoded(encoding('gzip'), broken(2)), isWrong(/unknown compression method/))
  await assert.rejects(decoded(encoding('gzip'), broken(3)), isWrong(/unknown header flags set/))
  await assert.rejects(decoded(encoding('gzip'), broken(gzip.length - 8)), isWrong(/incorrect data check/))
  await assert.rejects(decoded(encoding('gzip'), broken(gzip.length - 1)), isWrong(/incorrect length check/))
  for (const name of ['gzip', 'deflate', 'br']) {
    const bytes = Buffer.concat([
      name === 'gzip' ? gzip.subarray(0, 10) : Buffer.alloc(0),
      Buffer.alloc(50, 0xff),
    ])
    await assert.rejects(decoded(encoding(name), [bytes]), (error: unknown) => {
      assert.ok(isWrong(/cannot be decoded/)(error))
      assert.ok((error as Error).cause instanceof Error)
      return true
    })
  }
})

test('an empty body stays empty', async () => {
  for (const { name } of codings) {
    assert.equal((await decoded(encoding(name), [Buffer.alloc(0)])).length, 0)
    assert.equal((await decoded(encoding(name, 'gzip'), [Buffer.alloc(0), Buffer.alloc(0)])).length, 0)
  }
})

test('several codings are decoded in reverse order, from one header or from many', async () => {
  const body = Buffer.from('Hello, hello, hello!')
  const bytes = zlib.brotliCompressSync(zlib.gzipSync(zlib.deflateSync(body)))
  assert.deepEqual(await decoded(encoding('deflate, GZIP ,identity, br'), [bytes]), body)
  assert.deepEqual(await decoded(encoding('deflate', 'gzip,', 'br'), split(bytes, [1, 5, 20])), body)
  const gzip5 = [1, 2, 3, 4, 5].reduce(bytes => zlib.gzipSync(bytes), body)
  assert.deepEqual(await decoded(encoding('gzip', 'gzip, gzip', 'gzip, gzip'), [gzip5]), body)
  const cut = zlib.brotliCompressSync(zlib.gzipSync(body).subarray(0, -1))
  await assert.rejects(decoded(encoding('gzip, br'), [cut]), isWrong(/\(gzip\): unexpected end of file/))
})

test('more than five codings are refused', () => {
  assert.throws(
    () => scene([decode()], encoding(Array(6).fill('gzip').join())),
    isWrong(/6 codings are more than 5/),
  )
})

test('bodies without a coding, or with one that is not known, are left alone', () => {
  for (const values of [
    [],
    ['identity'],
    [''],
    ['compress'],
    ['gzip, compress'],
    ['toString'],
    ['gzip;q=1'],
  ]) {
    assert.equal(scene([decode()], encoding(...values)).chain, undefined, values.join())
  }
})

test('events that come encoded are decoded first', async () => {
  const { chain, posted, parts } = scene(
    [decode(), sse()],
    [...encoding('gzip'), ['content-type', 'text/event-stream']],
  )
  await feed(chain, split(zlib.gzipSync('data: a\n\ndata: b\n\n'), [3, 9, 20]))
  assert.deepEqual(
    (posted as GunSse[]).map(({ event }) => (event === 'fin' ? event : event.data)),
    ['a', 'b', 'fin'],
  )
  assert.deepEqual(parts, [])
})

test('a small body that decodes to a large one is decoded only as fast as it is taken', async () => {
  const zeros = Buffer.alloc(100 * 1024 * 1024)
  for (const [name, bomb] of [
    ['gzip', zlib.gzipSync(zeros)],
    ['deflate', zlib.deflateSync(zeros)],
    ['br', zlib.brotliCompressSync(zeros, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 1 } })],
    ['gzip, gzip', zlib.gzipSync(zlib.gzipSync(zeros))],
    ...(zstdCompressSync ? [['zstd', zstdCompressSync(zeros)] as const] : []),
  ] as const) {
    let release = () => {}
    let count = 0
    let total = 0
    const { chain } = scene([decode()], encoding(name), (_, data) => {
      count++
      total += data.length
      if (count > 1 && count < 10) return
      return new Promise<void>(resolve => {
        release = resolve
      })
    })
    globalThis.gc?.()
    const before = process.memoryUsage()
    const handled = chain?.handle('fin', bomb)
    while (count === 0) await settle()
    await settle()
    assert.equal(count, 1)
    assert.ok(total <= 256 * 1024, `${name}: a piece has ${total} bytes`)
    const { arrayBuffers, external } = process.memoryUsage()
    assert.ok(arrayBuffers - before.arrayBuffers < 2 * 1024 * 1024, name)
    assert.ok(external - before.external < 8 * 1024 * 1024, name)
    release()
    while (count < 10) await settle()
    await settle()
    assert.equal(count, 10)
    chain?.dispose()
    release()
    await handled
    await settle()
    assert.equal(count, 10)
  }
})

test('what the one who takes the pieces throws is not mistaken for a corrupt body', async () => {
  const failure = new Error('no')
  for (const last of [
    () => Promise.reject(failure),
    () => {
      throw failure
    },
  ]) {
    const run = decoded(encoding('gzip, br'), [zlib.brotliCompressSync(zlib.gzipSync('a'))], last)
    await assert.rejects(run, failure)
  }
})

test('closing at any time is quiet, settles what is pending and leaves nothing behind', async () => {
  const bytes = zlib.brotliCompressSync(zlib.gzipSync(Buffer.alloc(1024 * 1024, 'abc')))
  for (let turns = 0; turns < 20; turns++) {
    const { chain } = scene([decode()], encoding('gzip, br'))
    const handled = chain?.handle('fin', bytes)
    for (let i = 0; i < turns; i++) await new Promise(resolve => setImmediate(resolve))
    chain?.dispose()
    await handled
  }
  const idle = scene([decode()], encoding('gzip'))
  await idle.chain?.handle('nofin', zlib.gzipSync('a').subarray(0, 15))
  idle.chain?.dispose()
  const unused = scene([decode()], encoding('gzip'))
  unused.chain?.dispose()
  await settle()
  assert.ok(!process.getActiveResourcesInfo().some(name => /zlib|zip|brotli|inflate/i.test(name)))
})

const MIB = 1024 * 1024
const FREE = 4 * MIB

/** What is decoded of zeros, in parts of so many bytes, and the error that ends it. */
async function bombed(
  size: number,
  maxRatio: number | undefined,
  encode = (body: Buffer): Buffer => zlib.gzipSync(body),
  names: readonly string[] = ['gzip'],
): Promise<{ size: number; error: unknown }> {
  let decodedSize = 0
  const opts = maxRatio === undefined ? {} : { maxRatio }
  const { chain } = scene([decode(opts)], encoding(...names), (_, data) => {
    decodedSize += data.length
  })
  const bytes = encode(Buffer.alloc(size))
  const outcome = await feed(chain, split(bytes, [bytes.length >> 1])).then(
    () => undefined,
    (error: unknown) => error,
  )
  chain?.dispose()
  return { size: decodedSize, error: outcome }
}

const isRatio = (error: unknown): boolean =>
  error instanceof GunError && error.code === 'ratio_exceeded' && error.kind === 'stream_error'

test('a body of up to 4 MiB may have become any number of times as large', async () => {
  assert.deepEqual(await bombed(FREE, 1), { size: FREE, error: undefined })
  const { size, error } = await bombed(FREE + 1, 1)
  assert.ok(isRatio(error))
  assert.ok(size <= FREE)
})

test('a body that becomes more than 200 times as large is given up long before its end', async () => {
  const { size, error } = await bombed(64 * MIB, undefined)
  assert.ok(isRatio(error))
  // Of 1030 times as much, a fifth of what the first half gives.
  assert.ok(size <= 16 * MIB, `${size} bytes`)
  assert.match(String(error), /more than 200 times .*decode.maxRatio/)
})

test('a body whose bytes are mixed is not', async () => {
  const text = Buffer.from(Array.from({ length: 400_000 }, (_, n) => `${n} of many lines\n`).join(''))
  assert.ok(text.length > FREE)
  assert.equal((await decoded(encoding('gzip'), [zlib.gzipSync(text)])).length, text.length)
})

test('maxRatio may be more, or Infinity', async () => {
  for (const maxRatio of [2000, Number.POSITIVE_INFINITY]) {
    assert.deepEqual(await bombed(8 * MIB, maxRatio), { size: 8 * MIB, error: undefined })
  }
})

test('each of several codings counts, also where little comes of them in the end', async () => {
  // What the outer one gives is a gzip member and then zeros, which are ignored.
  const inner = (body: Buffer): Buffer => zlib.gzipSync(Buffer.concat([zlib.gzipSync('hello'), body]))
  const { size, error } = await bombed(64 * MIB, undefined, inner, ['gzip, gzip'])
  assert.ok(isRatio(error))
  assert.ok(size <= 5)
})

test('maxRatio must be a number of at least 1', () => {
  for (const [opts, problem] of [
    [{ maxRatio: 0 }, /decode.maxRatio must be a number of at least 1, or Infinity/],
    [{ maxRatio: '5' }, /decode.maxRatio must be a number/],
    [{ maxRation: 5 }, /decode.maxRation is not an option/],
  ] as const) {
    assert.throws(() => decode(opts as never), problem)
  }
})

test('what is made of a part by a reader behind another is waited for while there is no room', async () => {
  let release = () => {}
  let isFull = false
  const posted: unknown[] = []
  const response = {
    ...scene([]).response,
    headers: [...encoding('gzip'), ['content-type', 'text/event-stream']] as Headers,
    replyTo: { send: (message: unknown) => void posted.push(message) } as never,
  }
  const untilFree = () => (isFull ? new Promise<void>(resolve => (release = resolve)) : undefined)
  const chain = ContentChain.open([decode(), sse()], response, () => undefined, untilFree)
  isFull = true
  const events = Buffer.from('data\n\n'.repeat(100_000))
  const work = chain?.handle('fin', zlib.gzipSync(events))
  for (let before = 0; before !== posted.length || before === 0; await settle()) before = posted.length
  assert.ok(posted.length < 20_000, `${posted.length} were posted`)
  isFull = false
  release()
  await work
  assert.equal(posted.length, 100_001)
  chain?.dispose()
})
