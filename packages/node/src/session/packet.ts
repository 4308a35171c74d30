/**
 * The packets of a session. All but `data` and `beat` are JSON behind their first byte, so that nodes of any version can read them.
 *
 * ```
 * data, beat:  type 1 | flags 1 | session 4 | number 4 | received 4 | signals …
 * ```
 *
 * `session` is the number that the receiver has given the session, `number` counts the data packets of the sender up to and including
 * this one, and `received` those that it has got from the other side.
 */

/** The version of this protocol. Nodes of different versions refuse each other by name. */
export const VERSION = 1

/** The kinds of packets, by their first byte. */
export const Type = {
  /** Says who the sender is. */
  hello: 1,
  /** Shows that the sender knows the cookie, in one session of each side, which the packet names. */
  proof: 2,
  /** Brings signals. */
  data: 3,
  /** Shows that the sender lives, and what it has got. */
  beat: 4,
  /** Ends the session. */
  bye: 5,
  /** Refuses the session. */
  refuse: 6,
} as const

/** The bytes before the signals. */
export const HEADER = 14

/** The signal at the end of the packet goes on in the next one. */
export const MORE = 1

/** The header of a data or beat packet. */
export interface Header {
  readonly type: number
  readonly flags: number
  readonly session: number
  readonly number: number
  readonly received: number
}

/** Gives a packet with room for so many bytes behind its header. */
export function makePacket({ type, flags, session, number, received }: Header, length: number): Buffer {
  // Memory of its own, as a carrier may move it to another thread.
  const packet = Buffer.from(new ArrayBuffer(HEADER + length))
  packet[0] = type
  packet[1] = flags
  packet.writeUInt32LE(session, 2)
  packet.writeUInt32LE(number, 6)
  packet.writeUInt32LE(received, 10)
  return packet
}

/** Gives bytes that have come as a Buffer over the same memory. */
export function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}

/** Reads the header of a data or beat packet; `undefined` if that is too short. */
export function readHeader(packet: Buffer): Header | undefined {
  if (packet.length < HEADER) return undefined
  return {
    type: packet.readUInt8(0),
    flags: packet.readUInt8(1),
    session: packet.readUInt32LE(2),
    number: packet.readUInt32LE(6),
    received: packet.readUInt32LE(10),
  }
}

/** Gives a packet of JSON. */
export function makeWords(type: number, words: object): Buffer {
  const text = Buffer.from(JSON.stringify(words))
  const packet = Buffer.from(new ArrayBuffer(1 + text.length))
  packet[0] = type
  text.copy(packet, 1)
  return packet
}

/** Reads a packet of JSON; `undefined` if it holds no object. */
export function readWords(packet: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    const words: unknown = JSON.parse(packet.toString('utf8', 1))
    return typeof words === 'object' && words !== null ? (words as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

/** Whether the count `one` is ahead of `other`: counts begin again at 0 behind 2 ** 32 - 1. */
export function isAhead(one: number, other: number): boolean {
  return one !== other && (one - other) >>> 0 < 0x80000000
}
