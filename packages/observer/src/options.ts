/** The options of an observer, their defaults and checks. */

import { randomBytes } from 'node:crypto'
import { isIP } from 'node:net'
import { inspect } from 'node:util'
import { checkNames } from '@holster/process/internal'

/** The options of `startObserver`. */
export interface ObserverOptions {
  /** The port; 0, the default, has the system choose one. */
  readonly port?: number
  /** The address to listen on. Default: `'127.0.0.1'`, so that only this machine can look. */
  readonly host?: string
  /**
   * The secret that a viewer must know. Default: none on a loopback address without `allowActions`, since only this machine can look there;
   * otherwise a random one, which is part of the address that is printed. `true`: a random one in any case.
   */
  readonly token?: string | true
  /** Further names by which the machine is reached, beside `localhost`, its addresses and `host`. Default: none. */
  readonly allowedHosts?: readonly string[]
  /** Whether a viewer may end processes, close connections, send messages and take heap snapshots. Default: `false`. */
  readonly allowActions?: boolean
  /** Whether processes keep the stack of their birth from now on, as `recordSpawns` says; a stack costs more than a process. Default: `false`. */
  readonly recordSpawns?: boolean
  /** Gets the line that says where the observer is. Default: it is printed to standard error. `false`: nobody does. */
  readonly log?: ((line: string) => void) | false
}

/** The options with their defaults. */
export type CheckedOptions = Required<Omit<ObserverOptions, 'token'>> & { readonly token: string | undefined }

const NAMES = ['port', 'host', 'token', 'allowedHosts', 'allowActions', 'recordSpawns', 'log']
/** The fewest characters of a token that cannot be guessed. */
const SHORTEST = 16
/** The characters that a header can carry (RFC 6750 section 2.1 has fewer). */
const PRINTED = /^[\x21-\x7e]+$/
const BITS = 192

/** Checks the options and fills in their defaults. Throws a TypeError or RangeError that names the wrong one. */
export function checkOptions(options: ObserverOptions): CheckedOptions {
  checkNames(
    options,
    NAMES,
    'an observer',
    { address: ['host'], secret: ['token'], actions: ['allowActions'] },
    'options',
  )
  const {
    port = 0,
    host = '127.0.0.1',
    allowedHosts = [],
    allowActions = false,
    recordSpawns = false,
  } = options
  const { log = printLine, token } = options
  if (!(Number.isInteger(port) && port >= 0 && port <= 65_535)) {
    throw new RangeError(`port must be a whole number from 0 to 65535, not ${inspect(port)}`)
  }
  if (typeof host !== 'string' || host === '') throw new TypeError('host must be an address or a name')
  if (!Array.isArray(allowedHosts) || allowedHosts.some(name => typeof name !== 'string' || name === '')) {
    throw new TypeError("allowedHosts must be an array of names, such as ['build.example']")
  }
  for (const [name, value] of Object.entries({ allowActions, recordSpawns })) {
    if (typeof value !== 'boolean') throw new TypeError(`${name} must be a boolean`)
  }
  if (log !== false && typeof log !== 'function') throw new TypeError('log must be a function, or false')
  return {
    port,
    host,
    allowedHosts,
    allowActions,
    recordSpawns,
    log,
    token: tokenOf(token, host, allowActions),
  }
}

/** Whether only this machine can reach an address. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

function tokenOf(token: string | true | undefined, host: string, allowActions: boolean): string | undefined {
  if (typeof token === 'string') {
    if (token.length < SHORTEST) {
      throw new RangeError(`token must have at least ${SHORTEST} characters, or be true for a random one`)
    }
    if (PRINTED.test(token)) return token
    throw new RangeError('token must have no spaces, and no characters but those of ASCII that are printed')
  }
  if (token !== undefined && token !== true) throw new TypeError('token must be a string, or true')
  return token === true || allowActions || !isLoopback(host)
    ? randomBytes(BITS / 8).toString('base64url')
    : undefined
}

function printLine(line: string): void {
  console.error(line)
}
