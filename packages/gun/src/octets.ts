/** Bytes as callers give them, and the text that may become bytes of the wire. */

declare const isOctets: unique symbol

/** Text each character of which is one octet, as in Latin-1. */
export type Octets = string & { readonly [isOctets]: true }

/** Written as Latin-1 such a character would become another: U+010D, for one, a carriage return. */
export const beyondOctets = /[^\0-\xff]/

/** The same text. Throws a TypeError where a character of it is no octet, which whoever took it from the caller should have refused. */
export function octets(text: string): Octets {
  if (beyondOctets.test(text)) throw new TypeError('a character of what is to be sent is no octet')
  return text as Octets
}

/** Text is sent as UTF-8. */
export type Bytes = string | Uint8Array | readonly (string | Uint8Array)[]

/** As bytes. Throws a TypeError that names the argument. */
export function toBytes(given: Bytes, argument: string): Uint8Array {
  if (typeof given === 'string') return Buffer.from(given)
  if (given instanceof Uint8Array) return given
  if (Array.isArray(given)) return Buffer.concat(given.map(part => toBytes(part, argument)))
  throw new TypeError(`${argument} must be a string, a Uint8Array, or a list of these`)
}
