/** The texts of errors, waits and origins, in one line. */

import type { ConnectionInfo } from '@holster/gun'
import { printReason, type Waiting } from '@holster/process/internal'

/** The most patterns of a receive that are shown in a row. */
const PATTERNS = 3
/** The most characters of a reason and of the message of an error. */
const LONGEST = 1000

/** The texts of waits, which are made once: printing patterns costs more than all else of a row. */
const waits = new WeakMap<Waiting, string>()

/** Shows what a wait waits for. */
export function textOfWait(wait: Waiting | undefined): string {
  if (wait === undefined) return ''
  let text = waits.get(wait)
  if (text === undefined) {
    const patterns = wait.describe()
    text = patterns.slice(0, PATTERNS).join(' or ')
    if (patterns.length > PATTERNS) text += ` or ${patterns.length - PATTERNS} more`
    waits.set(wait, text)
  }
  return text
}

/** Tells why a process has ended, secrets left out. Never throws. */
export function textOfReason(reason: unknown): string {
  return printReason(reason, LONGEST)
}

/** Gives the text of an error with its code, secrets left out. Never throws. */
export function textOfError(error: (Error & { readonly code?: unknown }) | undefined): string | undefined {
  if (error === undefined) return undefined
  const { code } = error
  const text = printReason(error.message, LONGEST)
  return `${typeof code === 'string' || typeof code === 'number' ? code : error.name}: ${text}`
}

/** Names the origin as a URL does. */
export function originOf({ originHost, originPort, protocol, transport }: ConnectionInfo): string {
  const scheme =
    protocol === 'ws' ? (transport === 'tls' ? 'wss' : 'ws') : transport === 'tls' ? 'https' : 'http'
  const host = originHost.includes(':') && !originHost.startsWith('[') ? `[${originHost}]` : originHost
  return `${protocol === 'raw' || protocol === 'socks' ? protocol : scheme}://${host}:${originPort}`
}
