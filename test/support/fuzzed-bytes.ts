// The bytes of servers of HTTP/1.1, HTTP/2 and WebSocket, whole, or with some of them changed, lost, doubled or moved.

import { gzipSync } from 'node:zlib'
import { closePayload, opcodes, frame as wsFrame } from '@holster/testing/frames'
import fc from 'fast-check'
import { Deflate } from './deflate.ts'
import { encodeHeaders, type HeaderList } from './hpack.ts'
import * as h2 from './http2-frames.ts'

// Replies, whatever carries them.

export interface Reply {
  readonly informs: readonly number[]
  readonly status: number
  /** How the end of its body is told over HTTP/1.1. */
  readonly framing: 'length' | 'chunked' | 'close'
  /** What its content handlers are for. */
  readonly content: 'plain' | 'gzip' | 'events'
  readonly parts: readonly string[]
  readonly hasTrailers: boolean
  readonly isClosing: boolean
}

const part = fc.oneof(
  { weight: 4, arbitrary: fc.string({ maxLength: 20 }) },
  { weight: 1, arbitrary: fc.constantFrom('', 'x'.repeat(300), 'y'.repeat(20_000)) },
)

export const reply: fc.Arbitrary<Reply> = fc.record({
  informs: fc.oneof(
    { weight: 4, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(fc.constantFrom(100, 103), { maxLength: 3 }) },
  ),
  status: fc.oneof(
    { weight: 5, arbitrary: fc.constant(200) },
    { weight: 2, arbitrary: fc.constantFrom(204, 304, 404, 413, 426, 101) },
  ),
  framing: fc.constantFrom('length', 'chunked', 'length', 'chunked', 'close'),
  content: fc.constantFrom('plain', 'gzip', 'events'),
  parts: fc.array(part, { maxLength: 6 }),
  hasTrailers: fc.boolean(),
  isClosing: fc.oneof(
    { weight: 6, arbitrary: fc.constant(false) },
    { weight: 1, arbitrary: fc.constant(true) },
  ),
})

/** The parts of its body, as they are sent. */
function bodyOf({ content, parts }: Reply): Buffer[] {
  if (content === 'plain') return parts.map(each => Buffer.from(each))
  if (content === 'events') return parts.map((each, i) => Buffer.from(`id: ${i}\ndata: ${each}\n\n`))
  const zipped = gzipSync(parts.join(''))
  return [zipped.subarray(0, 9), zipped.subarray(9)]
}

function fieldsOf({ content }: Reply): [string, string][] {
  if (content === 'gzip') return [['content-encoding', 'gzip']]
  return content === 'events' ? [['content-type', 'text/event-stream']] : []
}

const hasBody = ({ status }: Reply): boolean => status !== 204 && status !== 304 && status >= 200

// HTTP/1.1.

function overHttp1(it: Reply): Buffer {
  const parts = hasBody(it) ? bodyOf(it) : []
  const fields = fieldsOf(it)
  if (it.framing === 'chunked') fields.push(['transfer-encoding', 'chunked'])
  if (it.framing === 'length') fields.push(['content-length', String(Buffer.concat(parts).length)])
  if (it.isClosing) fields.push(['connection', 'close'])
  const head = (status: number, lines: readonly string[]) =>
    [`HTTP/1.1 ${status} X`, ...lines, '', ''].join('\r\n')
  const chunks = parts
    .filter(({ length }) => length > 0)
    .flatMap(each => [Buffer.from(`${each.length.toString(16)}\r\n`), each, Buffer.from('\r\n')])
  const last = `0\r\n${it.hasTrailers ? 'x-t: 1\r\n' : ''}\r\n`
  return Buffer.concat([
    ...it.informs.map(status => Buffer.from(head(status, []))),
    Buffer.from(
      head(
        it.status,
        fields.map(pair => pair.join(': ')),
      ),
    ),
    ...(it.framing === 'chunked' && hasBody(it) ? [...chunks, Buffer.from(last)] : parts),
  ])
}

export const http1Bytes: fc.Arbitrary<Buffer> = fc
  .array(reply, { minLength: 1, maxLength: 5 })
  .map(replies => Buffer.concat(replies.map(overHttp1)))

// HTTP/2.

/** Frames for a stream of ours. */
function overHttp2(it: Reply, streamId: number, padding: number): Buffer[] {
  const parts = hasBody(it) ? bodyOf(it) : []
  const fields: HeaderList = [
    [':status', String(it.status)],
    ...fieldsOf(it),
    ...(it.framing === 'length' ? [['content-length', String(Buffer.concat(parts).length)] as const] : []),
  ]
  const isBare = parts.length === 0 && !it.hasTrailers
  const isSplit = padding % 3 === 1
  const block = encodeHeaders(fields)
  const pad = padding > 0 ? { padding } : {}
  return [
    ...it.informs.map(status => h2.headers(streamId, [[':status', String(status)]])),
    ...(isSplit
      ? [
          h2.headers(streamId, block.subarray(0, 3), { endStream: isBare, endHeaders: false }),
          h2.continuation(streamId, block.subarray(3)),
        ]
      : [h2.headers(streamId, fields, { endStream: isBare, ...pad })]),
    ...parts.map((each, i) =>
      h2.data(streamId, each.subarray(0, 16_000), {
        endStream: !it.hasTrailers && i === parts.length - 1,
        ...pad,
      }),
    ),
    ...(it.hasTrailers ? [h2.headers(streamId, [['x-t', '1']], { endStream: true })] : []),
  ]
}

const promised: HeaderList = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':authority', 'localhost'],
  [':path', '/p'],
]

const streamId = fc.constantFrom(1, 3, 5, 0, 2, 7)

/** A frame that has nothing to do with a reply, or ends one. */
const stray: fc.Arbitrary<Buffer> = fc.oneof(
  fc.tuple(streamId, fc.nat(14)).map(([id, code]) => h2.rstStream(id, code)),
  fc
    .tuple(fc.nat(5), fc.nat(2 ** 17))
    .map(([most, window]) => h2.settings({ MAX_CONCURRENT_STREAMS: most, INITIAL_WINDOW_SIZE: window })),
  fc.constant(h2.ping()),
  fc.constant(h2.settingsAck()),
  fc.tuple(streamId, fc.nat(3)).map(([id, nth]) => h2.pushPromise(id, 2 + 2 * nth, promised)),
  fc.nat(3).map(nth => h2.headers(2 + 2 * nth, [[':status', '200']], { endStream: true })),
  fc.tuple(fc.nat(7), fc.nat(3)).map(([last, code]) => h2.goaway(last, code)),
  fc.tuple(streamId, fc.nat(70_000)).map(([id, size]) => h2.windowUpdate(id, size)),
  fc.tuple(streamId, fc.boolean()).map(([id, ends]) => h2.continuation(id, [['x-c', 'd']], ends)),
  fc
    .tuple(streamId, fc.boolean(), fc.boolean())
    .map(([id, endStream, endHeaders]) => h2.headers(id, [['x-a', 'b']], { endStream, endHeaders })),
  fc.tuple(streamId, fc.boolean()).map(([id, endStream]) => h2.data(id, 'stray', { endStream })),
  // What is no block: an index out of range, a string that ends too early, a table too large.
  fc.tuple(streamId, fc.constantFrom('ff80', '00', '3fe11f', '0041', '008f')).map(([id, hex]) =>
    h2.headers(
      id,
      Buffer.concat([
        encodeHeaders([
          [':status', '200'],
          ['x-a', 'b'],
        ]),
        Buffer.from(hex, 'hex'),
      ]),
    ),
  ),
  fc
    .tuple(fc.nat(15), fc.nat(255), streamId, fc.uint8Array({ maxLength: 20 }))
    .map(([type, flags, id, payload]) => h2.frame(type, flags, id, payload)),
)

/** Where what is, as a part of all. */
const place = fc.nat(9999).map(nth => nth / 10_000)

const strays = fc.oneof(
  { weight: 1, arbitrary: fc.constant([]) },
  { weight: 2, arbitrary: fc.array(fc.tuple(place, stray), { maxLength: 4 }) },
)

function inserted(frames: Buffer[], extra: readonly (readonly [number, Buffer])[]): Buffer {
  for (const [at, each] of extra) frames.splice(Math.floor(at * (frames.length + 1)), 0, each)
  return Buffer.concat(frames)
}

/** The frames of several replies, in turns where they are mixed, in any case in order for each of them. */
function mixed(replies: readonly Buffer[][], turns: readonly number[]): Buffer[] {
  const left = replies.map(frames => [...frames])
  const all: Buffer[] = []
  for (let i = 0; left.some(frames => frames.length > 0); i++) {
    const open = left.filter(frames => frames.length > 0)
    const next = open[(turns[i % turns.length] ?? 0) % open.length]?.shift()
    if (next !== undefined) all.push(next)
  }
  return all
}

export const http2Bytes: fc.Arbitrary<Buffer> = fc
  .tuple(
    fc.array(fc.tuple(reply, fc.oneof(fc.constant(0), fc.nat(20))), { maxLength: 4 }),
    fc.array(fc.nat(3), { minLength: 1, maxLength: 8 }),
    strays,
  )
  .map(([replies, turns, extra]) => {
    const each = replies.map(([it, padding], i) => overHttp2(it, 2 * i + 1, padding))
    return inserted(mixed(each, turns), extra)
  })

// WebSocket.

const payload = fc.oneof(
  fc.constant(''),
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.constant('z'.repeat(70_000)),
)

interface Sent {
  readonly opcode: number
  readonly payload: string
  readonly cut: number | undefined
  readonly isCompressed: boolean
}

const sent: fc.Arbitrary<Sent> = fc.record({
  opcode: fc.constantFrom(opcodes.text, opcodes.binary, opcodes.text, opcodes.ping, opcodes.pong),
  payload,
  cut: fc.option(place, { nil: undefined }),
  isCompressed: fc.boolean(),
})

function wsFrames(sent: readonly Sent[], close: number | undefined, deflates: boolean): Buffer {
  const deflater = new Deflate()
  const frames = sent.flatMap(it => {
    const isControl = it.opcode >= 8
    const rsv1 = deflates && it.isCompressed && !isControl
    const plain = Buffer.from(isControl ? it.payload.slice(0, 30) : it.payload)
    const all = rsv1 ? deflater.deflate(plain) : plain
    if (it.cut === undefined || isControl) return [wsFrame({ opcode: it.opcode, rsv1, payload: all })]
    const at = Math.floor(it.cut * all.length)
    return [
      wsFrame({ opcode: it.opcode, rsv1, fin: false, payload: all.subarray(0, at) }),
      wsFrame({ opcode: opcodes.continuation, payload: all.subarray(at) }),
    ]
  })
  if (close !== undefined)
    frames.push(wsFrame({ opcode: opcodes.close, payload: closePayload(close, 'end') }))
  return Buffer.concat(frames)
}

/** Frames as they follow an upgrade; `deflates` is whether permessage-deflate was agreed to. */
export const wsBytes = (deflates: boolean): fc.Arbitrary<Buffer> =>
  fc
    .tuple(fc.array(sent, { maxLength: 8 }), fc.option(fc.constantFrom(1000, 1001, 4000), { nil: undefined }))
    .map(([frames, close]) => wsFrames(frames, close, deflates))

/** The bytes of a WebSocket on stream 1 of HTTP/2, in DATA of any sizes. */
export const wsOverHttp2Bytes: fc.Arbitrary<Buffer> = fc
  .tuple(
    wsBytes(false),
    fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 4 }),
    fc.constantFrom('200', '200', '200', '200', '404', '204'),
    fc.boolean(),
    strays,
  )
  .map(([bytes, sizes, status, endStream, extra]) => {
    const frames = [h2.headers(1, [[':status', status]])]
    for (let at = 0, i = 0; at < bytes.length; i++) {
      const size = i < 50 ? (sizes[i % sizes.length] ?? 1) : 16_000
      frames.push(h2.data(1, bytes.subarray(at, at + size)))
      at += size
    }
    if (endStream) frames.push(h2.data(1, '', { endStream: true }))
    return inserted(frames, extra)
  })

// What becomes of them.

export interface Mutation {
  readonly how: 'flip' | 'set' | 'drop' | 'double' | 'cut' | 'insert' | 'move'
  readonly at: number
  readonly to: number
  readonly size: number
  readonly bytes: Uint8Array
}

/** Bytes that mean something to one of the protocols. */
const telling = fc.constantFrom(0, 9, 10, 13, 32, 44, 48, 49, 58, 59, 126, 127, 128, 255)

const mutation: fc.Arbitrary<Mutation> = fc.record({
  how: fc.constantFrom('flip', 'flip', 'set', 'set', 'drop', 'double', 'cut', 'insert', 'move'),
  at: place,
  to: place,
  size: fc.integer({ min: 1, max: 64 }),
  bytes: fc.oneof(
    telling.map(byte => Uint8Array.of(byte)),
    fc.uint8Array({ minLength: 1, maxLength: 12 }),
  ),
})

/** As often as not nothing is changed, so that what is right is met by what the caller does. */
export const mutations: fc.Arbitrary<readonly Mutation[]> = fc.oneof(
  fc.constant([]),
  fc.array(mutation, { minLength: 1, maxLength: 4 }),
)

export function mutated(given: Buffer, all: readonly Mutation[]): Buffer {
  let bytes = Buffer.from(given)
  for (const { how, at: part, to, size, bytes: others } of all) {
    if (bytes.length === 0) return bytes
    const at = Math.floor(part * bytes.length)
    const before = bytes.subarray(0, at)
    const behind = bytes.subarray(at)
    const piece = Buffer.from(behind.subarray(0, size))
    const without = Buffer.concat([before, behind.subarray(size)])
    const target = Math.floor(to * (without.length + 1))
    if (how === 'flip') bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << (size % 8)), at)
    else if (how === 'set') bytes.writeUInt8(others[0] ?? 0, at)
    else if (how === 'drop') bytes = without
    else if (how === 'double') bytes = Buffer.concat([before, piece, behind])
    else if (how === 'cut') bytes = Buffer.from(before)
    else if (how === 'insert') bytes = Buffer.concat([before, others, behind])
    else bytes = Buffer.concat([without.subarray(0, target), piece, without.subarray(target)])
  }
  return bytes
}
