/** Text that may go over the wire: nothing else is written as text. */

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
