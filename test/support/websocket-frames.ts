// WebSocket bytes by hand (RFC 6455), right and wrong ones alike. Knows nothing about sockets or `ws`.

import { createHash } from 'node:crypto'
import type { Peer, RequestHead } from './origin.ts'

export const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const

export interface FrameOptions {
  opcode: number
  payload?: string | Uint8Array
  fin?: boolean
  rsv1?: boolean
  rsv2?: boolean
  rsv3?: boolean
  masked?: boolean
  /** How the length is written; 16 and 64 also where fewer bits would do, which no server may. */
  lengthEncoding?: 'minimal' | 16 | 64
  /** The length the frame claims to have, where that is not the payload's. */
  claims?: number | bigint
}

export interface ClientFrame {
  opcode: number
  fin: boolean
  rsv1: boolean
  rsv2: boolean
  rsv3: boolean
  masked: boolean
  /** Unmasked; not inflated. */
  payload: Buffer
}

export type Headers = readonly (readonly [name: string, value: string])[]

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

export function frame(options: FrameOptions): Buffer {
  const { opcode, fin = true, rsv1 = false, rsv2 = false, rsv3 = false, masked = false } = options
  const payload = Buffer.from(options.payload ?? '')
  const bit = (set: boolean, value: number): number => (set ? value : 0)
  const first = bit(fin, 0x80) | bit(rsv1, 0x40) | bit(rsv2, 0x20) | bit(rsv3, 0x10) | opcode
  const length = encodeLength(BigInt(options.claims ?? payload.length), options.lengthEncoding ?? 'minimal')
  if (masked) length.writeUInt8(length.readUInt8() | 0x80)
  return Buffer.concat([Buffer.of(first), length, ...(masked ? [mask, applyMask(payload, mask)] : [payload])])
}

/** The payload of a close frame; the reason may be any bytes. */
export function closePayload(code: number, reason: string | Uint8Array = ''): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16BE(code)
  return Buffer.concat([bytes, Buffer.from(reason)])
}

/** The Sec-WebSocket-Accept that answers a Sec-WebSocket-Key. */
export function accept(key: string): string {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
}

/** The exact 101 head, blank line included; glue frames to it to send both in one write. */
export function switchingProtocols(request: RequestHead | Headers, extra: Headers = []): string {
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

/** Undefined while the header itself is not complete. */
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

function decode(bytes: Buffer, { start, end }: Layout): ClientFrame {
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

/** Every complete frame at the start of the bytes, and the bytes that are left. */
export function parseClientFrames(bytes: Buffer): { frames: ClientFrame[]; rest: Buffer } {
  const frames: ClientFrame[] = []
  let rest = bytes
  for (;;) {
    const found = layout(rest)
    if (found === undefined || rest.length < found.end) return { frames, rest }
    frames.push(decode(rest, found))
    rest = rest.subarray(found.end)
  }
}

/** The next frame of a scripted origin's client. */
export async function receiveFrame(peer: Peer): Promise<ClientFrame> {
  let bytes = await peer.receive(2)
  const short = bytes.readUInt8(1) & 0x7f
  const more = (short === 126 ? 2 : short === 127 ? 8 : 0) + (bytes.readUInt8(1) & 0x80 ? 4 : 0)
  bytes = Buffer.concat([bytes, await peer.receive(more)])
  const found = layout(bytes)
  if (found === undefined) throw new Error('a frame header has at most 14 bytes')
  return decode(Buffer.concat([bytes, await peer.receive(found.end - found.start)]), found)
}
