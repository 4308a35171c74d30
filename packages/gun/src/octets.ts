/** Bytes as callers give them, and the text that becomes bytes on the wire. */

declare const isOctets: unique symbol

/** Text in which each character is one octet, as in Latin-1. */
export type Octets = string & { readonly [isOctets]: true }

/**
 * Matches a character that is not an octet. Latin-1 would turn it into another character: U+010D, for
 * example, into a carriage return.
 */
export const beyondOctets = /[^\0-\xff]/

/**
 * Returns the text unchanged, typed as octets. Throws a TypeError for a character that is not an octet;
 * callers are expected to have refused such text earlier.
 */
export function octets(text: string): Octets {
  if (beyondOctets.test(text)) throw new TypeError('a character of the text to be sent is no octet')
  return text as Octets
}

/** Bytes given by the caller. A string is sent as UTF-8; a list is concatenated. */
export type Bytes = string | Uint8Array | readonly (string | Uint8Array)[]

/** The body of most requests: a buffer of no bytes costs more to make than the rest of a small request. */
const EMPTY = Buffer.alloc(0)

/** Converts the caller's value to bytes. Throws a TypeError that names the argument. */
export function toBytes(value: Bytes, argument: string): Uint8Array {
  if (value === '') return EMPTY
  if (typeof value === 'string') return Buffer.from(value)
  if (value instanceof Uint8Array) return value
  if (Array.isArray(value)) return Buffer.concat(value.map(part => toBytes(part, argument)))
  throw new TypeError(`${argument} must be a string, a Uint8Array, or a list of these`)
}
