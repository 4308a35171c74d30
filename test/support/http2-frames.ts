// HTTP/2 bytes by hand (RFC 9113), right and wrong ones alike. Knows nothing about sockets or node:http2.

import { encodeHeaders, type HeaderList } from './hpack.ts'

/** What a client sends before its first frame. */
export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')

export const types = {
  DATA: 0,
  HEADERS: 1,
  PRIORITY: 2,
  RST_STREAM: 3,
  SETTINGS: 4,
  PUSH_PROMISE: 5,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
} as const

export const flags = { ACK: 0x1, END_STREAM: 0x1, END_HEADERS: 0x4, PADDED: 0x8, PRIORITY: 0x20 } as const

export const errorCodes = {
  NO_ERROR: 0,
  PROTOCOL_ERROR: 1,
  INTERNAL_ERROR: 2,
  FLOW_CONTROL_ERROR: 3,
  SETTINGS_TIMEOUT: 4,
  STREAM_CLOSED: 5,
  FRAME_SIZE_ERROR: 6,
  REFUSED_STREAM: 7,
  CANCEL: 8,
  COMPRESSION_ERROR: 9,
  CONNECT_ERROR: 10,
  ENHANCE_YOUR_CALM: 11,
  INADEQUATE_SECURITY: 12,
  HTTP_1_1_REQUIRED: 13,
} as const

/** SETTINGS_ENABLE_CONNECT_PROTOCOL is of RFC 8441. */
export const settingIds = {
  HEADER_TABLE_SIZE: 1,
  ENABLE_PUSH: 2,
  MAX_CONCURRENT_STREAMS: 3,
  INITIAL_WINDOW_SIZE: 4,
  MAX_FRAME_SIZE: 5,
  MAX_HEADER_LIST_SIZE: 6,
  ENABLE_CONNECT_PROTOCOL: 8,
} as const

export type SettingName = keyof typeof settingIds
export type Settings = Partial<Record<SettingName, number>>

export interface Frame {
  readonly type: number
  readonly flags: number
  readonly streamId: number
  readonly payload: Buffer
}

/** Any frame. `claims` is the length it claims to have, where that is not the payload's. */
export function frame(
  type: number,
  flags: number,
  streamId: number,
  payload: string | Uint8Array = '',
  claims?: number,
): Buffer {
  const bytes = Buffer.from(payload)
  const head = Buffer.alloc(9)
  head.writeUIntBE(claims ?? bytes.length, 0, 3)
  head.writeUInt8(type, 3)
  head.writeUInt8(flags, 4)
  head.writeUInt32BE(streamId, 5)
  return Buffer.concat([head, bytes])
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

function padded(payload: Uint8Array, padding: number | undefined): Uint8Array {
  if (padding === undefined) return payload
  return Buffer.concat([Buffer.of(padding), payload, Buffer.alloc(padding)])
}

/** A header list, or the bytes of a header block or of a part of one. */
export type Fragment = HeaderList | Uint8Array

const bytesOf = (fragment: Fragment): Uint8Array =>
  fragment instanceof Uint8Array ? fragment : encodeHeaders(fragment)

export interface HeadersOptions {
  endStream?: boolean
  /** False where a CONTINUATION follows. Default: true. */
  endHeaders?: boolean
  padding?: number
}

const flagsOf = (set: { endStream?: boolean; endHeaders?: boolean; padding?: number }): number =>
  (set.endStream ? flags.END_STREAM : 0) |
  (set.endHeaders ? flags.END_HEADERS : 0) |
  (set.padding === undefined ? 0 : flags.PADDED)

export function headers(streamId: number, fragment: Fragment, options: HeadersOptions = {}): Buffer {
  const set = flagsOf({ endHeaders: true, ...options })
  return frame(types.HEADERS, set, streamId, padded(bytesOf(fragment), options.padding))
}

export function continuation(streamId: number, fragment: Fragment, endHeaders = true): Buffer {
  return frame(types.CONTINUATION, flagsOf({ endHeaders }), streamId, bytesOf(fragment))
}

export function data(
  streamId: number,
  payload: string | Uint8Array = '',
  options: Omit<HeadersOptions, 'endHeaders'> = {},
): Buffer {
  return frame(types.DATA, flagsOf(options), streamId, padded(Buffer.from(payload), options.padding))
}

/** Pairs of an identifier and its value are written as they are: unknown ones, and one twice. */
export function settings(values: Settings | readonly (readonly [id: number, value: number])[] = {}): Buffer {
  const pairs: readonly (readonly [id: number, value: number])[] = Array.isArray(values)
    ? values
    : Object.entries(values).map(([name, value]) => [settingIds[name as SettingName], value] as const)
  const payload = pairs.map(([id, value]) => Buffer.concat([Buffer.of(id >> 8, id & 0xff), uint32(value)]))
  return frame(types.SETTINGS, 0, 0, Buffer.concat(payload))
}

export const settingsAck = (): Buffer => frame(types.SETTINGS, flags.ACK, 0)

export function rstStream(streamId: number, errorCode: number): Buffer {
  return frame(types.RST_STREAM, 0, streamId, uint32(errorCode))
}

export function pushPromise(
  streamId: number,
  promisedStreamId: number,
  fragment: Fragment,
  options: Omit<HeadersOptions, 'endStream'> = {},
): Buffer {
  const payload = Buffer.concat([uint32(promisedStreamId), bytesOf(fragment)])
  const set = flagsOf({ endHeaders: true, ...options })
  return frame(types.PUSH_PROMISE, set, streamId, padded(payload, options.padding))
}

const ZEROS = Buffer.alloc(8)

/** The opaque data has eight bytes in a frame that is right. */
export const ping = (opaque: string | Uint8Array = ZEROS): Buffer => frame(types.PING, 0, 0, opaque)

export const pingAck = (opaque: string | Uint8Array = ZEROS): Buffer =>
  frame(types.PING, flags.ACK, 0, opaque)

export function goaway(
  lastStreamId: number,
  errorCode: number = errorCodes.NO_ERROR,
  debugData: string | Uint8Array = '',
): Buffer {
  const payload = [uint32(lastStreamId), uint32(errorCode), Buffer.from(debugData)]
  return frame(types.GOAWAY, 0, 0, Buffer.concat(payload))
}

export function windowUpdate(streamId: number, increment: number): Buffer {
  return frame(types.WINDOW_UPDATE, 0, streamId, uint32(increment))
}

/** Bytes in, however they are cut, and frames out. */
export class FrameReader {
  #bytes = Buffer.alloc(0)

  /** The frames that are complete with these bytes. */
  push(bytes: Uint8Array): Frame[] {
    this.#bytes = Buffer.concat([this.#bytes, bytes])
    const frames: Frame[] = []
    for (;;) {
      if (this.#bytes.length < 9) return frames
      const end = 9 + this.#bytes.readUIntBE(0, 3)
      if (this.#bytes.length < end) return frames
      frames.push({
        type: this.#bytes.readUInt8(3),
        flags: this.#bytes.readUInt8(4),
        streamId: this.#bytes.readUInt32BE(5) & 0x7fff_ffff,
        payload: this.#bytes.subarray(9, end),
      })
      this.#bytes = this.#bytes.subarray(end)
    }
  }

  /** What is there of a frame that is not complete. */
  get rest(): Buffer {
    return this.#bytes
  }
}

/** What a DATA or HEADERS frame carries, without padding and priority. */
export function content({ type, flags: set, payload }: Frame): Buffer {
  const padding = (set & flags.PADDED) === 0 ? undefined : payload.readUInt8()
  const priority = type === types.HEADERS && (set & flags.PRIORITY) !== 0 ? 5 : 0
  const start = (padding === undefined ? 0 : 1) + priority
  const end = payload.length - (padding ?? 0)
  if (end < start) throw new Error(`${padding} bytes of padding in a frame of ${payload.length}`)
  return payload.subarray(start, end)
}

const nameOf = (names: Readonly<Record<string, number>>, code: number): string =>
  Object.keys(names).find(name => names[name] === code) ?? String(code)

/** The name of a type, or the number of one that has none. */
export const typeName = (type: number): string => nameOf(types, type)

/** The settings of a SETTINGS frame, by their names or, where they have none, their numbers; the last wins. */
export function readSettings({ payload }: Frame): Settings {
  const values: Record<string, number> = {}
  for (let at = 0; at < payload.length; at += 6) {
    values[nameOf(settingIds, payload.readUInt16BE(at))] = payload.readUInt32BE(at + 2)
  }
  return values
}

export interface Goaway {
  readonly lastStreamId: number
  /** The name of the code. */
  readonly errorCode: string
  readonly debugData: string
}

export function readGoaway({ payload }: Frame): Goaway {
  return {
    lastStreamId: payload.readUInt32BE(),
    errorCode: nameOf(errorCodes, payload.readUInt32BE(4)),
    debugData: payload.toString('latin1', 8),
  }
}

/** The name of the code of a RST_STREAM. */
export const readRstStream = ({ payload }: Frame): string => nameOf(errorCodes, payload.readUInt32BE())

/** The increment of a WINDOW_UPDATE. */
export const readWindowUpdate = ({ payload }: Frame): number => payload.readUInt32BE()

/** A frame in a line that can be compared and read. */
export function tellFrame(given: Frame): string {
  const { type, flags: set, streamId, payload } = given
  const words = [typeName(type), ...(streamId === 0 ? [] : [`of ${streamId}`])]
  const isAck = (type === types.SETTINGS || type === types.PING) && (set & flags.ACK) !== 0
  if (isAck) words.push('ACK')
  if (type === types.DATA) words.push(JSON.stringify(content(given).toString('latin1')))
  else if (type === types.SETTINGS && !isAck) words.push(JSON.stringify(readSettings(given)))
  else if (type === types.PING) words.push(payload.toString('hex'))
  else if (type === types.RST_STREAM) words.push(readRstStream(given))
  else if (type === types.WINDOW_UPDATE) words.push(String(readWindowUpdate(given)))
  else if (type === types.GOAWAY) {
    const { lastStreamId, errorCode, debugData } = readGoaway(given)
    words.push(errorCode, `last ${lastStreamId}`, ...(debugData === '' ? [] : [JSON.stringify(debugData)]))
  }
  const endsStream = (type === types.DATA || type === types.HEADERS) && (set & flags.END_STREAM) !== 0
  return [...words, ...(endsStream ? ['END_STREAM'] : [])].join(' ')
}
