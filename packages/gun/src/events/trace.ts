/** The transcript of one connection: a line for each state, event and message, without what must stay secret. */

import { type PrintLimits, print, reportRejection, reportThrown } from '@holster/process/internal'
import type { ConnPid } from '../handles.js'
import type { GunMessage } from '../messages.js'
import type { EventName } from '../options/events.js'
import type { Opts } from '../options/options.js'

const LIMITS: PrintLimits = {
  text: 100,
  message: 400,
  entries: 100,
  // As deep as `opts.wsOpts.protocols[0][1].init` is.
  depth: 6,
  absent: false,
  // Options of which nothing is shown: keys and passwords are among them, or nobody knows what is.
  opaque: /^(tlsOpts|userOpts|pfx|cert|ca|ticketKeys)$/,
}

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
    this.#tell(() => `event ${name} ${print(event, LIMITS)}`)
  }

  message({ type, connPid: _, ...message }: GunMessage): void {
    this.#tell(() => `message ${type} ${print(message, LIMITS)}`)
  }

  #tell(what: () => string): void {
    const ms = Math.round(performance.now() - this.#start)
    try {
      reportRejection(this.#connPid, this.#write(`${this.#connPid} +${ms}ms ${what()}`))
    } catch (error) {
      reportThrown(this.#connPid, error)
    }
  }
}

/** What the option `trace` asks for. */
export function traceOf(connPid: ConnPid, option: Opts['trace']): Trace | undefined {
  if (option === undefined || option === false) return undefined
  return new Trace(connPid, option === true ? line => process.stderr.write(`${line}\n`) : option)
}
