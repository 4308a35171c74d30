/** Bodies as they may be given: text, bytes, or a list of both. */

/** Text is sent as UTF-8. */
export type Bytes = string | Uint8Array | readonly (string | Uint8Array)[]

/** As bytes. Throws a TypeError that names the argument. */
export function toBytes(given: Bytes, argument: string): Uint8Array {
  if (typeof given === 'string') return Buffer.from(given)
  if (given instanceof Uint8Array) return given
  if (Array.isArray(given)) return Buffer.concat(given.map(part => toBytes(part, argument)))
  throw new TypeError(`${argument} must be a string, a Uint8Array, or a list of these`)
}
