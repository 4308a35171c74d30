/** The host of a connection in each form that is needed; no other file converts hosts. */

import { isIP } from 'node:net'
import { domainToASCII } from 'node:url'
import { inspect } from 'node:util'

/** A host name or address in the form required by each user of it. */
export interface HostForms {
  /** The host as `open` got it. */
  readonly given: string
  /**
   * The form for look-ups and the system: lower case, a name in A-labels (RFC 5890), an address with its
   * zone.
   */
  readonly target: string
  /**
   * The form that TLS requests and verifies: a name without its trailing dot (RFC 6066 section 3), an address
   * without its zone.
   */
  readonly identity: string
  /**
   * The form for requests (RFC 9110 section 7.2): an IPv6 address in brackets and without its zone
   * (RFC 6874 section 4).
   */
  readonly uriHost: string
}

/** The name and port of the other end as requests state them, whatever address was connected to. */
export interface Origin {
  readonly host: HostForms
  readonly port: number
}

/** Matches a character that would end the host within a URL, or that URL parsing would drop. */
const notInHost = /[\s\0-\x20\x7f/@?#%:[\]\\]/
/** RFC 3986 section 3.2.2 (reg-name), in lower case, without percent-encoding and without empty labels. */
const regName = /^[!$&'()*+,\-;=_a-z0-9~]+(?:\.[!$&'()*+,\-;=_a-z0-9~]+)*\.?$/
/** RFC 1035 section 2.3.4, in characters of text with a dot at the end. */
const LONGEST_NAME = 254

/**
 * Returns the forms of a host. Throws a TypeError that suggests the right call, with `port` where the host
 * itself has none.
 */
export function parseHost(given: unknown, port?: unknown): HostForms {
  const host = typeof given === 'string' ? formsOf(given) : undefined
  if (host !== undefined) return host
  throw new TypeError(`host must be a name or an address alone${adviceFor(given, port)}`)
}

/** Whether the value is a host name or address. */
export function isHost(value: unknown): value is string {
  return typeof value === 'string' && formsOf(value) !== undefined
}

function formsOf(given: string): HostForms | undefined {
  if (isIP(given) === 6) {
    const [address = '', zone] = given.split('%')
    const identity = address.toLowerCase()
    // A zone names an interface of this machine and may contain capital letters.
    const target = zone === undefined ? identity : `${identity}%${zone}`
    return { given, target, identity, uriHost: `[${identity}]` }
  }
  if (notInHost.test(given)) return undefined
  const target = domainToASCII(given)
  if (target.length > LONGEST_NAME || !regName.test(target)) return undefined
  return { given, target, identity: target.replace(/\.$/, ''), uriHost: target }
}

/** The origin's host over a Unix socket. */
export const LOCALHOST: HostForms = parseHost('localhost')

/**
 * Returns the value of the host header: the port appears only if it is not the default port
 * (RFC 9110 section 7.2).
 */
export function authorityOf({ host, port }: Origin, transport: 'tcp' | 'tls'): string {
  return port === (transport === 'tls' ? 443 : 80) ? host.uriHost : `${host.uriHost}:${port}`
}

function adviceFor(given: unknown, port: unknown): string {
  const call = callFor(given, port)
  if (call !== undefined) return `: call ${call} instead`
  return `, not ${inspect(given, { maxStringLength: 100, depth: 0 })}`
}

/**
 * Returns the call that was probably meant by a caller who gave a URL, a host with its port, or an address in
 * brackets.
 */
function callFor(given: unknown, givenPort: unknown): string | undefined {
  if (typeof given !== 'string' && !(given instanceof URL)) return undefined
  const text = String(given)
  // URL parsing drops some of these characters and decodes others.
  if (/[\s\0-\x20\x7f]|^[^/]*%/.test(text)) return undefined
  const url = parseUrl(text.includes('://') ? text : `http://${text}`)
  const host = url === undefined ? undefined : formsOf(url.hostname.replace(/^\[|\]$/g, ''))
  if (url === undefined || host === undefined) return undefined
  const isTls = url.protocol === 'https:' || url.protocol === 'wss:'
  const usual = Number.isInteger(givenPort) ? String(givenPort) : isTls ? '443' : '80'
  const port = url.port === '' ? usual : url.port
  // Names the transport only where `open` would choose the other one.
  const opts = isTls === (port === '443') ? '' : `, { transport: '${isTls ? 'tls' : 'tcp'}' }`
  return `open('${host.target}', ${port}${opts})`
}

function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined
}
