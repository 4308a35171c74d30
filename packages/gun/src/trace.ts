/** The transcript of one connection: a line for each state, event and message, without what must stay secret. */

import { Process, reportExit, reportRejection } from '@holster/process'
import { ConnPid } from './conn-pid.js'
import type { EventName } from './event-map.js'
import type { GunMessage } from './messages.js'
import type { Opts } from './options.js'
import { StreamRef } from './stream-ref.js'

/** As many characters of a string, and entries of a list, are shown. */
const LONGEST = 100
/** As many characters of what an error says, which nobody can guess. */
const LONGEST_MESSAGE = 400
/** As deep as `opts.wsOpts.protocols[0][1].init` is. */
const DEEPEST = 6
const LEFT_OUT = '…'

/** Options of which nothing is shown: keys and passwords are among them, or nobody knows what is. */
const opaque = /^(tlsOpts|userOpts|pfx|cert|ca|ticketKeys)$/
/** The names of headers, options and parts of a query whose values are secret; `authority` and `www-authenticate` are not. */
const secret =
  /auth(?!ority|enticate)|cookie|token|secret|session|signature|credential|pass(word|wd|phrase)|key$/i
/** A part of a query. */
const parameter = /([?&])([^=&#\s]+)=[^&#\s]*/g
/** What stands before the host in a URL. */
const userInfo = /\/\/[^/?#@\s]*@/g

export class Trace {
  readonly #connPid: ConnPid
  readonly #write: (line: string) => unknown
  readonly #start = performance.now()
  #state: string | undefined

  constructor(connPid: ConnPid, write: (line: string) => unknown) {
    this.#connPid = connPid
    this.#write = write
  }

  /** The connection is in this state, maybe as before. */
  state(name: string): void {
    if (name === this.#state) return
    this.#state = name
    this.#tell(() => `state ${name}`)
  }

  event(name: EventName, { connPid: _, ...event }: { readonly connPid: ConnPid }): void {
    this.#tell(() => `event ${name} ${show(event, DEEPEST)}`)
  }

  message({ type, connPid: _, ...message }: GunMessage): void {
    this.#tell(() => `message ${type} ${show(message, DEEPEST)}`)
  }

  #tell(what: () => string): void {
    const ms = Math.round(performance.now() - this.#start)
    try {
      reportRejection(this.#connPid, this.#write(`${this.#connPid} +${ms}ms ${what()}`))
    } catch (error) {
      reportExit(this.#connPid, error)
    }
  }
}

/** What the option `trace` asks for. */
export function traceOf(connPid: ConnPid, option: Opts['trace']): Trace | undefined {
  if (option === undefined || option === false) return undefined
  return new Trace(connPid, option === true ? line => process.stderr.write(`${line}\n`) : option)
}

/** A value in one line. What is neither plain data nor a handle is only named, whatever it holds. */
function show(value: unknown, depth: number): string {
  if (typeof value === 'string') return quote(value)
  if (typeof value === 'function') return '<function>'
  if (typeof value !== 'object' || value === null) return String(value)
  if (value instanceof ConnPid || value instanceof StreamRef || value instanceof Process) return String(value)
  if (ArrayBuffer.isView(value)) return `<${value.byteLength} bytes>`
  if (value instanceof Error) return showError(value)
  if (depth === 0) return LEFT_OUT
  if (Array.isArray(value)) return `[${showList(value, depth).join(', ')}]`
  const prototype = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return `<${value.constructor?.name ?? 'object'}>`
  const parts = showEntries(value, depth)
  return parts.length === 0 ? '{}' : `{ ${parts.join(', ')} }`
}

function showList(list: readonly unknown[], depth: number): string[] {
  const [name, value] = list
  // A header, or something that looks like one.
  if (list.length === 2 && typeof name === 'string' && typeof value === 'string' && secret.test(name)) {
    return [quote(name), LEFT_OUT]
  }
  const parts = list.slice(0, LONGEST).map(each => show(each, depth - 1))
  return list.length > LONGEST ? [...parts, `${LEFT_OUT} (${list.length})`] : parts
}

function showEntries(value: object, depth: number): string[] {
  return Object.entries(value)
    .filter(([, each]) => each !== undefined)
    .map(([key, each]) => {
      const isSecret = opaque.test(key) || secret.test(key)
      return `${key}: ${isSecret ? LEFT_OUT : show(each, depth - 1)}`
    })
}

function showError(error: Error): string {
  const code = 'code' in error ? ` ${error.code}` : ''
  return `<${error.name}${code}: ${quote(error.message, LONGEST_MESSAGE)}>`
}

function quote(text: string, longest = LONGEST): string {
  // More than is shown, since what is cut off may be what tells that the rest is secret.
  const shown = text
    .slice(0, 10 * longest)
    .replace(parameter, (all, mark, name) => (secret.test(name) ? `${mark}${name}=${LEFT_OUT}` : all))
    .replace(userInfo, `//${LEFT_OUT}@`)
    .slice(0, longest)
  return JSON.stringify(shown) + (text.length > longest ? `${LEFT_OUT} (${text.length})` : '')
}
