/** The bits and opcodes in the first two bytes of a frame (RFC 6455 section 5.2). */

export const FIN = 0x80
export const RSV1 = 0x40
export const RSV2_AND_3 = 0x30
export const MASK = 0x80

export const CONTINUATION = 0
export const TEXT = 1
export const BINARY = 2
export const CLOSE = 8
export const PING = 9
export const PONG = 10
