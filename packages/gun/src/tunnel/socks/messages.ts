/** The messages of the client, written; texts are in UTF-8, and their lengths were checked before. */

import {
  ADDRESS_TYPES,
  CONNECT,
  CREDENTIALS_VERSION,
  METHODS,
  type SocksAddress,
  type SocksMethod,
  VERSION,
} from './words.js'

/** Returns the first message: the methods that the client offers. */
export function writeGreeting(auth: readonly SocksMethod[]): Uint8Array {
  return Uint8Array.of(VERSION, auth.length, ...auth.map(numberOf))
}

/** Returns the number of a method. */
export function numberOf(method: SocksMethod): number {
  return METHODS[method === 'none' ? 'none' : method[0]]
}

/** Returns the message with the name and the password that were offered (RFC 1929 section 2). */
export function writeCredentials(auth: readonly SocksMethod[]): Uint8Array {
  const [, username = '', password = ''] = auth.find(method => method !== 'none') ?? []
  return Uint8Array.of(CREDENTIALS_VERSION, ...withLength(username), ...withLength(password))
}

/** Returns the message that asks for the connection. */
export function writeRequest(address: SocksAddress, port: number): Uint8Array {
  const bytes = address.type === 'name' ? withLength(address.name) : address.bytes
  return Uint8Array.of(VERSION, CONNECT, 0, ADDRESS_TYPES[address.type], ...bytes, port >> 8, port & 255)
}

function withLength(text: string): Uint8Array {
  const bytes = Buffer.from(text)
  return Uint8Array.of(bytes.length, ...bytes)
}
