/** Reading of formats by generators that ask for a byte with each `yield`, so that it matters nowhere where parts end. */

/** Asks for the next byte. */
export const BYTE = 1

/** The least significant byte comes first. */
export function* readInteger(bytes: number): Generator<typeof BYTE, number, number> {
  let value = 0
  for (let i = 0; i < bytes; i++) value += (yield BYTE) * 2 ** (8 * i)
  return value
}
