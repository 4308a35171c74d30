/**
 * The client of SOCKS5: takes the bytes of the server and gives one value at a time. An answer of the server is read whole, leads
 * from one state to another by the table, and the client sends the message that the new state begins with.
 */

import { numberOf, writeCredentials, writeGreeting, writeRequest } from './messages.js'
import {
  ADDRESS_TYPES,
  breach,
  CREDENTIALS_VERSION,
  NO_METHOD,
  refusalOf,
  type SocksAddress,
  type SocksFailed,
  type SocksMethod,
  type SocksValue,
  VERSION,
} from './words.js'

/** The answer that the client waits for, or how it ended. */
type State = 'method' | 'credentials' | 'reply' | 'connected' | 'failed'
/** The meaning of an answer that is no failure. */
type Answer = 'none' | 'username_password' | 'accepted' | 'granted'

/** The state that each answer leads to; a failure leads to `failed` from each. */
const NEXT: Record<State, Partial<Record<Answer, State>>> = {
  method: { none: 'reply', username_password: 'credentials' },
  credentials: { accepted: 'reply' },
  reply: { granted: 'connected' },
  connected: {},
  failed: {},
}

/** An answer that was read, with its length in bytes. */
interface Reading {
  readonly answer: Answer
  readonly length: number
}

/** Reads the first of the bytes; `undefined` where more are needed. */
type Read = (bytes: Buffer, offered: readonly SocksMethod[]) => Reading | SocksFailed | undefined

const READS: Record<State, Read> = {
  method: readMethod,
  credentials: readStatus,
  reply: readReply,
  connected: () => undefined,
  failed: () => undefined,
}

const NOTHING = Buffer.alloc(0)

export class SocksClient {
  /** The first bytes for the server. */
  readonly greeting: Uint8Array
  readonly #address: SocksAddress
  readonly #port: number
  readonly #auth: readonly SocksMethod[]
  #state: State = 'method'
  /** Bytes of the server that belong to no answer yet. */
  #bytes: Buffer = NOTHING

  constructor(address: SocksAddress, port: number, auth: readonly SocksMethod[]) {
    this.#address = address
    this.#port = port
    this.#auth = auth
    this.greeting = writeGreeting(auth)
  }

  /** Takes bytes of the server, which need to stay as they are only during the call; behind the outcome they are dropped. */
  push(bytes: Buffer): void {
    if (this.#state === 'connected' || this.#state === 'failed') return
    this.#bytes = Buffer.concat([this.#bytes, bytes])
  }

  /** Returns the next value; `undefined` where more bytes are needed, and behind the outcome. */
  next(): SocksValue | undefined {
    const read = READS[this.#state](this.#bytes, this.#auth)
    if (read === undefined) return undefined
    if ('failure' in read) {
      this.#state = 'failed'
      this.#bytes = NOTHING
      return read
    }
    this.#state = NEXT[this.#state][read.answer] ?? 'failed'
    const rest = this.#bytes.subarray(read.length)
    this.#bytes = this.#state === 'connected' ? NOTHING : rest
    return this.#begin(rest)
  }

  /** Returns the value that the state begins with. */
  #begin(rest: Buffer): SocksValue {
    if (this.#state === 'connected') return { type: 'connected', rest }
    if (this.#state === 'credentials') return { type: 'send', bytes: writeCredentials(this.#auth) }
    return { type: 'send', bytes: writeRequest(this.#address, this.#port) }
  }
}

function readMethod(bytes: Buffer, offered: readonly SocksMethod[]): Reading | SocksFailed | undefined {
  const [version, chosen] = bytes
  if (version === undefined) return undefined
  if (version !== VERSION) return foreign(version)
  if (chosen === undefined) return undefined
  if (chosen === NO_METHOD) {
    const isAnonymous = offered.every(each => each === 'none')
    const text = isAnonymous
      ? 'the SOCKS server asks for credentials, and none were given'
      : 'the SOCKS server accepts none of the methods by which the client can say who it is'
    return { type: 'failed', failure: 'no_acceptable_methods', text }
  }
  const method = offered.find(each => numberOf(each) === chosen)
  if (method === undefined) return breach(`the SOCKS server chose a method that was not offered (${chosen})`)
  return { answer: method === 'none' ? 'none' : method[0], length: 2 }
}

function readStatus([version, status]: Buffer): Reading | SocksFailed | undefined {
  if (version === undefined) return undefined
  if (version !== CREDENTIALS_VERSION) {
    return breach(`the SOCKS server answered the name and the password in version ${version}, not 1`)
  }
  if (status === undefined) return undefined
  if (status === 0) return { answer: 'accepted', length: 2 }
  const text = 'the SOCKS server refused the name and the password'
  return { type: 'failed', failure: 'username_password_auth_failure', text }
}

/** Reads the reply; a refusal counts as soon as its number is there, since some servers send no more of it. */
function readReply(bytes: Buffer): Reading | SocksFailed | undefined {
  const [version, reply, reserved, type, first] = bytes
  if (version === undefined) return undefined
  if (version !== VERSION) return foreign(version)
  if (reply === undefined) return undefined
  if (reply !== 0) return refusalOf(reply)
  if (reserved === undefined) return undefined
  if (reserved !== 0)
    return breach(`the reserved byte in the reply of the SOCKS server is ${reserved}, not 0`)
  if (type === undefined) return undefined
  const size = sizeOf(type, first)
  if (size === 'unknown') return breach(`the SOCKS server replied with an unknown type of address (${type})`)
  // Behind the address of the server's own end comes its port.
  const length = 4 + size + 2
  return bytes.length < length ? undefined : { answer: 'granted', length }
}

/** Returns how many bytes the address has, of which `first` is the first; that of a name is its length. */
function sizeOf(type: number, first = 0): number | 'unknown' {
  if (type === ADDRESS_TYPES.ipv4) return 4
  if (type === ADDRESS_TYPES.ipv6) return 16
  return type === ADDRESS_TYPES.name ? 1 + first : 'unknown'
}

function foreign(version: number): SocksFailed {
  return breach(`the answer is not one of a SOCKS5 server: its first byte is ${version}, not ${VERSION}`)
}
