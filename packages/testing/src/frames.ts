/**
 * WebSocket frames as bytes (RFC 6455), right and wrong ones alike.
 * @module
 */

import { createHash } from 'node:crypto'
import { inspect } from 'node:util'
import type * as gun from '@holster/gun'
import type { Peer } from './peer.js'
import type { RequestHead } from './request-head.js'

/** The opcodes of frames. Source: RFC 6455 section 5.2. */
export const opcodes: {
  /** Goes on with a message whose first frame was not its last. */
  readonly continuation: 0
  /** Carries text. */
  readonly text: 1
  /** Carries bytes. */
  readonly binary: 2
  /** Ends one side of the WebSocket. */
  readonly close: 8
  /** Asks for a pong. */
  readonly ping: 9
  /** Answers a ping. */
  readonly pong: 10
} = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 }

/** The parts of a frame that `frame` makes into bytes. Nothing is checked: a frame may break every rule. */
export interface FrameOptions {
  /** The opcode, 0 to 15. */
  readonly opcode: number
  /** The payload, of which text becomes UTF-8; default empty. */
  readonly payload?: string | Uint8Array
  /** Whether the frame is the last of its message; default `true`. */
  readonly fin?: boolean
  /** Whether the first reserved bit is set, which marks a compressed message; default `false`. */
  readonly rsv1?: boolean
  /** Whether the second reserved bit is set; default `false`. */
  readonly rsv2?: boolean
  /** Whether the third reserved bit is set; default `false`. */
  readonly rsv3?: boolean
  /** Whether the payload is masked, which only a client may do; default `false`. */
  readonly masked?: boolean
  /** How many bits the length has; 16 and 64 also where fewer would do, which no server may. Default `'minimal'`. */
  readonly lengthEncoding?: 'minimal' | 16 | 64
  /** The length that the frame claims to have; default that of the payload. */
  readonly claims?: number | bigint
}

/** A frame as it came. */
export interface ClientFrame {
  /** The opcode, 0 to 15. */
  opcode: number
  /** Whether the frame is the last of its message. */
  fin: boolean
  /** Whether the first reserved bit is set. */
  rsv1: boolean
  /** Whether the second reserved bit is set. */
  rsv2: boolean
  /** Whether the third reserved bit is set. */
  rsv3: boolean
  /** Whether the payload was masked, as a client's must be. */
  masked: boolean
  /** The payload, unmasked and not inflated. */
  payload: Buffer
}

/** The kinds of frames with a payload, and those of frames that may be without. */
const FRAMES: readonly unknown[] = ['text', 'binary', 'close', 'ping', 'pong']
const BARE_FRAMES: readonly unknown[] = ['close', 'ping', 'pong']

const mask = Buffer.from('37fa213d', 'hex')

function applyMask(bytes: Uint8Array, key: Buffer): Buffer {
  return Buffer.from(bytes.map((byte, index) => byte ^ key.readUInt8(index % 4)))
}

function encodeLength(length: bigint, encoding: 'minimal' | 16 | 64): Buffer {
  const minimal = length < 126n ? 7 : length < 65_536n ? 16 : 64
  const bits = encoding === 'minimal' ? minimal : encoding
  if (bits === 7) return Buffer.of(Number(length))
  const bytes = Buffer.alloc(bits === 16 ? 3 : 9)
  bytes.writeUInt8(bits === 16 ? 126 : 127)
  if (bits === 16) bytes.writeUInt16BE(Number(length), 1)
  else bytes.writeBigUInt64BE(length, 1)
  return bytes
}

/** Makes the bytes of a frame. */
export function frame(options: FrameOptions): Buffer {
  const { opcode, fin = true, rsv1 = false, rsv2 = false, rsv3 = false, masked = false } = options
  const payload = Buffer.from(options.payload ?? '')
  const bit = (set: boolean, value: number): number => (set ? value : 0)
  const first = bit(fin, 0x80) | bit(rsv1, 0x40) | bit(rsv2, 0x20) | bit(rsv3, 0x10) | opcode
  const length = encodeLength(BigInt(options.claims ?? payload.length), options.lengthEncoding ?? 'minimal')
  if (masked) length.writeUInt8(length.readUInt8() | 0x80)
  return Buffer.concat([Buffer.of(first), length, ...(masked ? [mask, applyMask(payload, mask)] : [payload])])
}

/** Makes the payload of a close frame; the reason may be any bytes. Throws a TypeError unless `code` is a whole number of two bytes. */
export function closePayload(code: number, reason: string | Uint8Array = ''): Buffer {
  if (!Number.isInteger(code) || code < 0 || code > 0xffff)
    throw new TypeError('code must be a whole number from 0 to 65535')
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16BE(code)
  return Buffer.concat([bytes, Buffer.from(reason)])
}

function checkFrame(given: unknown): void {
  const [kind, payload = ''] = Array.isArray(given) ? given : [given]
  const kinds = Array.isArray(given) ? FRAMES : BARE_FRAMES
  if (!kinds.includes(kind)) throw new TypeError(`frame must be one of wsSend, not ${inspect(given)}`)
  if (kind !== 'close' && typeof payload !== 'string' && !(payload instanceof Uint8Array))
    throw new TypeError(`frame must have a string or a Uint8Array, not ${inspect(payload)}`)
}

/**
 * Makes the bytes of a frame that `wsSend` would take, as a server sends it. A close frame without a code has 1000, as in Gun. Throws a
 * TypeError for anything else, such as a bare text.
 */
export function encode(given: gun.WsFrame): Buffer {
  checkFrame(given)
  if (typeof given === 'string') return frame({ opcode: opcodes[given] })
  if (given[0] !== 'close') return frame({ opcode: opcodes[given[0]], payload: given[1] })
  const payload = given.length === 2 ? closePayload(1000, given[1]) : closePayload(given[1], given[2])
  return frame({ opcode: opcodes.close, payload })
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Gives a whole, uncompressed frame as a value. Throws an Error for a piece of a message, and for text that is no UTF-8. */
export function decode({ opcode, fin, payload }: ClientFrame): gun.WsFrameIn {
  if (!fin) throw new Error(`the frame with opcode ${opcode} is only a piece of a message`)
  switch (opcode) {
    case opcodes.text:
      return ['text', utf8.decode(payload)]
    case opcodes.binary:
      return ['binary', payload]
    case opcodes.ping:
      return payload.length === 0 ? 'ping' : ['ping', payload]
    case opcodes.pong:
      return payload.length === 0 ? 'pong' : ['pong', payload]
    case opcodes.close:
      if (payload.length === 0) return 'close'
      return ['close', payload.readUInt16BE(), utf8.decode(payload.subarray(2))]
    default:
      throw new Error(`no whole message has the opcode ${opcode}`)
  }
}

/** Gives the Sec-WebSocket-Accept that answers a Sec-WebSocket-Key. */
export function accept(key: string): string {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
}

/**
 * Makes the head of the 101 response that accepts an upgrade, blank line included. Frames may be glued to it, to send both in one write.
 * Throws an Error if the request has no Sec-WebSocket-Key.
 */
export function switchingProtocols(request: RequestHead | gun.Headers, extra: gun.Headers = []): string {
  const headers = 'headers' in request ? request.headers : request
  const key = headers.find(([name]) => name.toLowerCase() === 'sec-websocket-key')?.[1]
  if (key === undefined) throw new Error('the request has no Sec-WebSocket-Key')
  const lines = [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${accept(key)}`,
    ...extra.map(([name, value]) => `${name}: ${value}`),
  ]
  return `${lines.join('\r\n')}\r\n\r\n`
}

interface Layout {
  /** Where the payload begins. */
  start: number
  /** Where the frame ends. */
  end: number
}

/** Gives `undefined` while the header itself is not complete. */
function layout(bytes: Buffer): Layout | undefined {
  if (bytes.length < 2) return undefined
  const second = bytes.readUInt8(1)
  const short = second & 0x7f
  const extended = short === 126 ? 2 : short === 127 ? 8 : 0
  const start = 2 + extended + (second & 0x80 ? 4 : 0)
  if (bytes.length < start) return undefined
  const length = extended === 0 ? short : Number(BigInt(`0x${bytes.toString('hex', 2, 2 + extended)}`))
  return { start, end: start + length }
}

function read(bytes: Buffer, { start, end }: Layout): ClientFrame {
  const first = bytes.readUInt8()
  const masked = (bytes.readUInt8(1) & 0x80) !== 0
  const body = bytes.subarray(start, end)
  return {
    opcode: first & 0x0f,
    fin: (first & 0x80) !== 0,
    rsv1: (first & 0x40) !== 0,
    rsv2: (first & 0x20) !== 0,
    rsv3: (first & 0x10) !== 0,
    masked,
    payload: masked ? applyMask(body, bytes.subarray(start - 4, start)) : Buffer.from(body),
  }
}

/** The frames that `parseClientFrames` has found. */
export interface ParsedFrames {
  /** The complete frames, in their order. */
  frames: ClientFrame[]
  /** The bytes behind them. */
  rest: Buffer
}

/** Gives every complete frame at the start of the bytes, and the bytes that are left. */
export function parseClientFrames(bytes: Buffer): ParsedFrames {
  const frames: ClientFrame[] = []
  let rest = bytes
  for (;;) {
    const found = layout(rest)
    if (found === undefined || rest.length < found.end) return { frames, rest }
    frames.push(read(rest, found))
    rest = rest.subarray(found.end)
  }
}

/** Resolves to the next frame of a client, and rejects as `peer.receive` does. */
export async function receiveFrame(peer: Pick<Peer, 'receive'>): Promise<ClientFrame> {
  let bytes = await peer.receive(2)
  const short = bytes.readUInt8(1) & 0x7f
  const more = (short === 126 ? 2 : short === 127 ? 8 : 0) + (bytes.readUInt8(1) & 0x80 ? 4 : 0)
  bytes = Buffer.concat([bytes, await peer.receive(more)])
  const found = layout(bytes)
  if (found === undefined) throw new Error('a frame header has at most 14 bytes')
  return read(Buffer.concat([bytes, await peer.receive(found.end - found.start)]), found)
}
