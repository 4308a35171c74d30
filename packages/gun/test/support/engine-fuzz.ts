/** Random conversations of a server of HTTP/2, most of them right at first, and then changed. */

import fc from 'fast-check'
import { encodeHeaders, type HeaderList } from '../../../../test/support/hpack.ts'
import * as h2 from '../../../../test/support/http2-frames.ts'

const { types, settingIds } = h2

/** One thing that the server does. The numbers choose among what there is at that moment. */
export type Move = readonly [what: number, stream: number, a: number, b: number]
/** One change of the frames, or of their bytes. */
export type Change = readonly [how: number, at: number, a: number, b: number]
/** One thing that the user does, behind so many values. */
export type Act = readonly [after: number, what: number, stream: number, a: number]

const small = fc.nat(15)
export const move: fc.Arbitrary<Move> = fc.tuple(fc.nat(99), fc.nat(5), fc.nat(0xffff), small)
export const change: fc.Arbitrary<Change> = fc.tuple(fc.nat(9), fc.nat(0xffff), fc.nat(0xffff), fc.nat(0xff))
export const act: fc.Arbitrary<Act> = fc.tuple(fc.nat(3), fc.nat(99), fc.nat(7), fc.nat(0xffff))

type State = 'head' | 'body' | 'over' | 'reserved'

interface Served {
  readonly id: number
  state: State
  /** How many bytes of its body are still to come; `undefined`: any number. */
  left: number | undefined
}

const sizes = [0, 1, 2, 10, 100, 1000, 16_384]
const increments = [1, 100, 10_000, 65_535, 1_000_000]
const request: HeaderList = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':authority', 'a'],
  [':path', '/p'],
]

interface Server {
  readonly served: Served[]
  readonly pushes: boolean
  lastPushed: number
  pings: number
}

/** Reduces the table to 100 bytes, and is to be in front of the first block. */
const UPDATE = Buffer.of(0x3f, 0x45)

/** Gives the frames of a server that answers so many streams. */
export function converse(moves: readonly Move[], streams: number, pushes: boolean): Buffer[] {
  const served: Served[] = Array.from({ length: streams }, (_, i) => ({
    id: 2 * i + 1,
    state: 'head',
    left: undefined,
  }))
  const first = h2.headers(1, Buffer.concat([UPDATE, encodeHeaders([[':status', '103']])]))
  const server: Server = { served, pushes, lastPushed: 0, pings: 0 }
  return [
    h2.settings({ MAX_CONCURRENT_STREAMS: 100 }),
    h2.settingsAck(),
    first,
    ...moves.flatMap(each => framesOf(server, each)),
  ]
}

function framesOf(server: Server, [what, chosen, a, b]: Move): Buffer[] {
  const stream = server.served[chosen % server.served.length]
  const parent = server.served.find(({ id, state }) => id % 2 === 1 && state !== 'over')
  if (stream === undefined) return [h2.ping()]
  const { id } = stream
  if (what < 55) return answer(stream, a, b)
  if (what < 60) {
    if (!server.pushes || parent === undefined) return [h2.ping()]
    server.lastPushed += 2
    server.served.push({ id: server.lastPushed, state: 'reserved', left: undefined })
    return [h2.pushPromise(parent.id, server.lastPushed, request, b < 4 ? { padding: b } : {})]
  }
  if (what < 62) {
    stream.state = 'over'
    return [h2.rstStream(id, a % 14)]
  }
  if (what < 80) {
    const increment = increments[a % increments.length] ?? 1
    return [h2.windowUpdate(b < 8 || stream.state === 'reserved' ? 0 : id, increment)]
  }
  if (what < 88) return [settingsOf(a, b)]
  if (what < 92) return [h2.ping(Buffer.from([a >> 8, a & 0xff, 0, 0, 0, 0, 0, b]))]
  if (what < 95) return [h2.pingAck(Buffer.from([0x68, 0x6f, 0x6c, 0x73, 0, 0, 0, ++server.pings]))]
  if (what < 97) return [h2.frame(types.PRIORITY, 0, id, Buffer.alloc(5, b))]
  if (what < 99) return [h2.frame(0xa + (b % 3), a & 0xff, b, Buffer.alloc(a % 100))]
  return [h2.goaway(b, a % 14)]
}

/** Goes on with a stream. */
function answer(stream: Served, a: number, b: number): Buffer[] {
  const { id, state, left } = stream
  const endStream = b % 4 === 0
  if (state === 'over') return [h2.windowUpdate(0, 1)]
  if (state !== 'body') {
    if (b > 13) return blockOf(id, [[':status', '103']], { padding: a % 300 > 255 ? 0 : a % 300 })
    const length = b % 3 === 0 && !endStream ? sizes[a % 5] : undefined
    stream.state = endStream ? 'over' : 'body'
    stream.left = length
    const fields: HeaderList = [
      [':status', b === 12 ? '204' : '200'],
      ...(length === undefined ? [] : [['content-length', String(length)] as const]),
      ['x', 'y'.repeat(a % 200)],
    ]
    if (b === 12) stream.left = 0
    return a % 5 === 0 ? split(id, fields, endStream, a) : blockOf(id, fields, { endStream })
  }
  if (b === 15) {
    if (left !== undefined && left > 0) return [h2.data(id, '')]
    stream.state = 'over'
    return blockOf(id, [['t', 'u']], { endStream: true })
  }
  const wanted = sizes[a % sizes.length] ?? 0
  const size = left === undefined ? wanted : endStream ? left : Math.min(left, wanted)
  if (left !== undefined) stream.left = left - size
  if (endStream) stream.state = 'over'
  return [
    h2.data(id, Buffer.alloc(size, 0x61 + (a % 26)), {
      endStream,
      ...(b < 3 && size < 16_000 ? { padding: a % 100 } : {}),
    }),
  ]
}

function blockOf(id: number, fields: HeaderList, options: h2.HeadersOptions): Buffer[] {
  return [h2.headers(id, fields, options)]
}

/** A block whose fields enter the table, in several frames. */
function split(id: number, fields: HeaderList, endStream: boolean, a: number): Buffer[] {
  const block = Buffer.concat([encodeHeaders(fields), Buffer.from('4001610162be', 'hex')])
  const [first, second] = [a % block.length, (a >> 4) % block.length].toSorted((x, y) => x - y) as [
    number,
    number,
  ]
  return [
    h2.headers(id, block.subarray(0, first), { endHeaders: false, endStream }),
    h2.continuation(id, block.subarray(first, second), false),
    h2.continuation(id, block.subarray(second)),
  ]
}

function settingsOf(a: number, b: number): Buffer {
  const all: readonly (readonly [number, number])[] = [
    [settingIds.HEADER_TABLE_SIZE, a % 5000],
    [settingIds.INITIAL_WINDOW_SIZE, [0, 1, 1000, 65_535, 1_000_000][a % 5] ?? 0],
    [settingIds.MAX_FRAME_SIZE, 16_384 + (a % 1000)],
    [settingIds.MAX_HEADER_LIST_SIZE, a],
    [settingIds.ENABLE_CONNECT_PROTOCOL, 1],
    [0x99, a],
  ]
  return h2.settings(all.filter((_, i) => ((b + a) >> i) % 2 === 1))
}

/** Changes frames as they are listed, or their bytes. */
export function changed(frames: readonly Buffer[], changes: readonly Change[]): Buffer[] {
  const list: Buffer[] = frames.map(frame => Buffer.from(frame))
  for (const [how, where, a, b] of changes) {
    const at = where % list.length
    const frame = list[at]
    if (frame === undefined) continue
    const place = a % Math.max(1, frame.length)
    if (how === 0) list.splice(at, 1)
    else if (how === 1) list.splice(a % (list.length + 1), 0, Buffer.from(frame))
    else if (how === 2) list.splice(a % list.length, 0, ...list.splice(at, 1))
    else if (how === 3) list.splice(at, 0, stray(a, b))
    else if (how === 4) frame[place] = (frame[place] ?? 0) ^ (1 << (b % 8))
    else if (how === 5) frame[a % 9] = b
    else if (how === 6) list[at] = frame.subarray(0, place)
    else if (how === 7)
      list[at] = Buffer.concat([frame.subarray(0, place), Buffer.alloc(b % 20, a), frame.subarray(place)])
    else if (how === 8 && frame.length >= 9) list[at] = resized(frame, b % 40)
    else if (frame.length >= 9) frame.writeUInt32BE(b % 16, 5)
    if (list.length === 0) list.push(h2.ping())
  }
  return list
}

/** A frame of any type on any stream. */
function stray(a: number, b: number): Buffer {
  return h2.frame(
    a % 11,
    b,
    (a >> 4) % 12,
    Buffer.alloc([0, 1, 4, 5, 6, 8, 9, 100][(a >> 8) % 8] ?? 0, a & 0xff),
  )
}

/** A frame with so many bytes of payload, and a length that says so. */
function resized(frame: Buffer, size: number): Buffer {
  const bytes = Buffer.alloc(9 + size)
  frame.copy(bytes)
  bytes.writeUIntBE(size, 0, 3)
  return bytes
}
