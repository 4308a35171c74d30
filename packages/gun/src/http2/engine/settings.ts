/** The settings of both sides (RFC 9113 section 6.5): ours as they are sent, the peer's as they are read. */

import { codes, FIRST_WINDOW, LARGEST, LARGEST_FRAME, LEAST_FRAME, settingIds } from './codes.js'
import { broken, type Fault } from './fault.js'
import type { WindowRule } from './flow.js'

/** The limits that our side sets the peer, and how it sends. Sizes are in bytes. */
export interface EngineOptions {
  /** The number of our first stream. Default 1, and another for tests alone. */
  readonly firstStreamId?: number
  /** How far the windows of the connection and of each stream are opened; the connection's `initial` is at least 65,535. */
  readonly connectionWindow: WindowRule
  readonly streamWindow: WindowRule
  /** How many streams the server may have open at once; `Infinity`: not stated. */
  readonly maxConcurrentStreams: number
  readonly enablePush: boolean
  /** `undefined`: not stated. From a client it has no meaning. */
  readonly enableConnectProtocol: boolean | undefined
  readonly maxDecodeTableSize: number
  readonly maxEncodeTableSize: number
  readonly maxFrameSizeReceived: number
  readonly maxFrameSizeSent: number
  /** The most that the fields of one head may have, with 32 bytes more for each; a larger head breaks its stream. */
  readonly maxHeaderListSize: number
  /** The most that the frames of one header block may hold; a larger block breaks the connection. */
  readonly maxHeaderBlock: number
  /** While a stream's window is smaller than this, only a body that fits in whole is sent. */
  readonly dataThreshold: number
}

/** The settings of the peer that are in force. Sizes are in bytes. */
export interface PeerSettings {
  readonly headerTableSize: number
  /** How many streams we may have open at once; `Infinity`: as many as we like. */
  readonly maxConcurrentStreams: number
  readonly initialWindowSize: number
  readonly maxFrameSize: number
  /** `Infinity`: not stated. */
  readonly maxHeaderListSize: number
  /** Whether a stream may become another protocol (RFC 8441). */
  readonly enableConnectProtocol: boolean
}

export const FIRST_SETTINGS: PeerSettings = {
  headerTableSize: 4096,
  maxConcurrentStreams: Number.POSITIVE_INFINITY,
  initialWindowSize: FIRST_WINDOW,
  maxFrameSize: LEAST_FRAME,
  maxHeaderListSize: Number.POSITIVE_INFINITY,
  enableConnectProtocol: false,
}

/** How many bytes one setting has. */
export const SETTING = 6

/** Gives the settings that are sent, each as its number and its value: those that differ from the protocol's own. */
export function settingsOf(opts: EngineOptions): readonly (readonly [id: number, value: number])[] {
  const settings: (readonly [number, number])[] = []
  const add = (id: number, value: number, usual: number): void => {
    if (value !== usual) settings.push([id, value])
  }
  add(settingIds.HEADER_TABLE_SIZE, opts.maxDecodeTableSize, 4096)
  settings.push([settingIds.ENABLE_PUSH, Number(opts.enablePush)])
  add(settingIds.MAX_CONCURRENT_STREAMS, opts.maxConcurrentStreams, Number.POSITIVE_INFINITY)
  settings.push([settingIds.INITIAL_WINDOW_SIZE, opts.streamWindow.initial])
  add(settingIds.MAX_FRAME_SIZE, opts.maxFrameSizeReceived, LEAST_FRAME)
  settings.push([settingIds.MAX_HEADER_LIST_SIZE, opts.maxHeaderListSize])
  if (opts.enableConnectProtocol !== undefined) {
    settings.push([settingIds.ENABLE_CONNECT_PROTOCOL, Number(opts.enableConnectProtocol)])
  }
  return settings
}

/**
 * Reads the payload of a SETTINGS frame on top of the settings in force. Calls `allowTable` with each HEADER_TABLE_SIZE, since the
 * smallest counts even if it is not the last (RFC 7541 section 4.2).
 */
export function readSettings(
  before: PeerSettings,
  bytes: Buffer,
  start: number,
  end: number,
  allowTable: (size: number) => void,
): PeerSettings | Fault {
  const settings: { -readonly [Name in keyof PeerSettings]: PeerSettings[Name] } = { ...before }
  for (let at = start; at < end; at += SETTING) {
    const id = bytes.readUInt16BE(at)
    const value = bytes.readUInt32BE(at + 2)
    switch (id) {
      case settingIds.HEADER_TABLE_SIZE:
        settings.headerTableSize = value
        allowTable(value)
        break
      case settingIds.ENABLE_PUSH:
        if (value !== 0)
          return broken(
            codes.PROTOCOL_ERROR,
            'says that it takes pushes, which only a client can (ENABLE_PUSH)',
          )
        break
      case settingIds.MAX_CONCURRENT_STREAMS:
        settings.maxConcurrentStreams = value
        break
      case settingIds.INITIAL_WINDOW_SIZE:
        if (value > LARGEST) {
          return broken(codes.FLOW_CONTROL_ERROR, 'stated an INITIAL_WINDOW_SIZE that is too large')
        }
        settings.initialWindowSize = value
        break
      case settingIds.MAX_FRAME_SIZE:
        if (value < LEAST_FRAME || value > LARGEST_FRAME)
          return broken(codes.PROTOCOL_ERROR, 'stated a MAX_FRAME_SIZE that is out of bounds')
        settings.maxFrameSize = value
        break
      case settingIds.MAX_HEADER_LIST_SIZE:
        settings.maxHeaderListSize = value
        break
      case settingIds.ENABLE_CONNECT_PROTOCOL:
        if (value > 1)
          return broken(codes.PROTOCOL_ERROR, 'stated an ENABLE_CONNECT_PROTOCOL other than 0 and 1')
        if (value === 0 && settings.enableConnectProtocol) {
          return broken(codes.PROTOCOL_ERROR, 'took ENABLE_CONNECT_PROTOCOL back (RFC 8441 section 3)')
        }
        settings.enableConnectProtocol = value === 1
        break
    }
  }
  return settings
}
