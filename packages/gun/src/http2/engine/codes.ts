/** The numbers of HTTP/2: types of frames and their flags (RFC 9113 section 6), settings (6.5.2), error codes (7). */

/** The client's first bytes (RFC 9113 section 3.4). */
export const PREFACE: Uint8Array = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')

/** How many bytes the header of a frame has (RFC 9113 section 4.1). */
export const FRAME_HEADER = 9

export const types = {
  DATA: 0x0,
  HEADERS: 0x1,
  PRIORITY: 0x2,
  RST_STREAM: 0x3,
  SETTINGS: 0x4,
  PUSH_PROMISE: 0x5,
  PING: 0x6,
  GOAWAY: 0x7,
  WINDOW_UPDATE: 0x8,
  CONTINUATION: 0x9,
} as const

export const flags = {
  /** On SETTINGS and PING. */
  ACK: 0x1,
  /** On DATA and HEADERS: the sender sends nothing more on the stream. */
  END_STREAM: 0x1,
  END_HEADERS: 0x4,
  PADDED: 0x8,
  /** On HEADERS: five bytes of a deprecated priority come first. */
  PRIORITY: 0x20,
} as const

export const settingIds = {
  HEADER_TABLE_SIZE: 0x1,
  ENABLE_PUSH: 0x2,
  MAX_CONCURRENT_STREAMS: 0x3,
  INITIAL_WINDOW_SIZE: 0x4,
  MAX_FRAME_SIZE: 0x5,
  MAX_HEADER_LIST_SIZE: 0x6,
  /** RFC 8441 section 3. */
  ENABLE_CONNECT_PROTOCOL: 0x8,
} as const

export const codes = {
  NO_ERROR: 0x0,
  PROTOCOL_ERROR: 0x1,
  INTERNAL_ERROR: 0x2,
  FLOW_CONTROL_ERROR: 0x3,
  SETTINGS_TIMEOUT: 0x4,
  STREAM_CLOSED: 0x5,
  FRAME_SIZE_ERROR: 0x6,
  REFUSED_STREAM: 0x7,
  CANCEL: 0x8,
  COMPRESSION_ERROR: 0x9,
  CONNECT_ERROR: 0xa,
  ENHANCE_YOUR_CALM: 0xb,
  INADEQUATE_SECURITY: 0xc,
  HTTP_1_1_REQUIRED: 0xd,
} as const

const NAMES = new Map<number, string>(Object.entries(codes).map(([name, code]) => [code, name]))

/** Returns the name of an error code. */
export function nameOf(code: number): string {
  return NAMES.get(code) ?? `code ${code}`
}

/** The largest window, and the largest number of a stream (RFC 9113 sections 6.9.1 and 5.1.1). */
export const LARGEST = 0x7fffffff
/** A window's size before any setting (RFC 9113 section 6.9.2). */
export const FIRST_WINDOW = 65535
/** The least that a peer may allow a frame to hold, and the most (RFC 9113 section 6.5.2). */
export const LEAST_FRAME = 16384
export const LARGEST_FRAME = 0xffffff
