/** The host of a connection in each of its forms, made here and nowhere else. */

import { isIP } from 'node:net'
import { domainToASCII } from 'node:url'
import { inspect } from 'node:util'

/** A name or an address, as each of those who ask for it has to write it. */
export interface HostForms {
  /** As `open` was given it. */
  readonly given: string
  /** For the look-up and the system: lower case, a name in A-labels (RFC 5890), an address with its zone. */
  readonly target: string
  /** For TLS, which asks for this and verifies it: without the dot at a name's end (RFC 6066 section 3), or the zone. */
  readonly identity: string
  /** For requests (RFC 9110 section 7.2): an IPv6 address in brackets, without its zone (RFC 6874 section 4). */
  readonly uriHost: string
}

/** What the other end calls itself, whatever address it was reached at. */
export interface Origin {
  readonly host: HostForms
  readonly port: number
}

/** What would end the host within a URL, or get lost as one is parsed. */
const notInHost = /[\s\0-\x20\x7f/@?#%:[\]\\]/
/** RFC 3986 section 3.2.2, reg-name, in lower case and with nothing that is percent-encoded or empty between dots. */
const regName = /^[!$&'()*+,\-;=_a-z0-9~]+(?:\.[!$&'()*+,\-;=_a-z0-9~]+)*\.?$/
/** RFC 1035 section 2.3.4, as text and with a dot at the end. */
const LONGEST_NAME = 254

/** The forms of a host. Throws a TypeError that says what to give instead, with the port where the host has none. */
export function parseHost(given: unknown, port?: unknown): HostForms {
  const host = typeof given === 'string' ? formsOf(given) : undefined
  if (host !== undefined) return host
  throw new TypeError(`host must be a name or an address alone${adviceFor(given, port)}`)
}

export function isHost(value: unknown): value is string {
  return typeof value === 'string' && formsOf(value) !== undefined
}

function formsOf(given: string): HostForms | undefined {
  if (isIP(given) === 6) {
    const [address = '', zone] = given.split('%')
    const identity = address.toLowerCase()
    // A zone names an interface of this machine, and may have capital letters.
    const target = zone === undefined ? identity : `${identity}%${zone}`
    return { given, target, identity, uriHost: `[${identity}]` }
  }
  if (notInHost.test(given)) return undefined
  const target = domainToASCII(given)
  if (target.length > LONGEST_NAME || !regName.test(target)) return undefined
  return { given, target, identity: target.replace(/\.$/, ''), uriHost: target }
}

/** What the other end of a Unix socket calls itself. */
export const LOCALHOST: HostForms = parseHost('localhost')

/** The host header: the port only where it is not the default (RFC 9110 section 7.2). */
export function authorityOf({ host, port }: Origin, transport: 'tcp' | 'tls'): string {
  return port === (transport === 'tls' ? 443 : 80) ? host.uriHost : `${host.uriHost}:${port}`
}

function adviceFor(given: unknown, port: unknown): string {
  const call = callFor(given, port)
  if (call !== undefined) return `: call ${call} instead`
  return `, not ${inspect(given, { maxStringLength: 100, depth: 0 })}`
}

/** The call that was meant by who has given a URL, a host with its port, or an address in brackets. */
function callFor(given: unknown, beside: unknown): string | undefined {
  if (typeof given !== 'string' && !(given instanceof URL)) return undefined
  const text = String(given)
  // Of these a URL drops some, and decodes others.
  if (/[\s\0-\x20\x7f]|^[^/]*%/.test(text)) return undefined
  const url = parseUrl(text.includes('://') ? text : `http://${text}`)
  const host = url === undefined ? undefined : formsOf(url.hostname.replace(/^\[|\]$/g, ''))
  if (url === undefined || host === undefined) return undefined
  const isTls = url.protocol === 'https:' || url.protocol === 'wss:'
  const usual = Number.isInteger(beside) ? String(beside) : isTls ? '443' : '80'
  const port = url.port === '' ? usual : url.port
  // What `open` would not choose by itself.
  const opts = isTls === (port === '443') ? '' : `, { transport: '${isTls ? 'tls' : 'tcp'}' }`
  return `open('${host.target}', ${port}${opts})`
}

function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined
}
