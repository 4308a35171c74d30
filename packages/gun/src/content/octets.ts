/**
 * Parsing by generators that ask for one byte with each `yield`, so that formats parse the same however their
 * bytes are divided.
 */

/** Asks for the next byte. */
export const BYTE = 1

/** Reads an integer whose least significant byte comes first. */
export function* readInteger(bytes: number): Generator<typeof BYTE, number, number> {
  let value = 0
  for (let i = 0; i < bytes; i++) value += (yield BYTE) * 2 ** (8 * i)
  return value
}
