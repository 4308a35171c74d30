/** The transcript of one connection: a line for each state, event and message, without secrets. */

import { type PrintLimits, print, reportRejection, reportThrown } from '@holster/process/internal'
import { type ConnPid, StreamRef, tunnelOf } from '../handles.js'
import type { GunMessage } from '../messages.js'
import type { EventName } from '../options/events.js'
import type { Opts } from '../options/options.js'
import type { Hearing } from './hearing.js'

const LIMITS: PrintLimits = {
  text: 100,
  message: 400,
  entries: 100,
  // As deep as `opts.wsOpts.protocols[0][1].init`.
  depth: 6,
  absent: false,
  // Options whose content is never shown, because it contains keys, names and passwords or may be anything.
  opaque: /^(tlsOpts|userOpts|pfx|cert|ca|ticketKeys|proxy|username)$/,
}

export class Trace implements Hearing {
  readonly #connPid: ConnPid
  readonly #write: (line: string) => unknown
  readonly #start = performance.now()
  #state: string | undefined

  constructor(connPid: ConnPid, write: (line: string) => unknown) {
    this.#connPid = connPid
    this.#write = write
  }

  /** Writes the state of the connection if it has changed. */
  state(name: string): void {
    if (name === this.#state) return
    this.#state = name
    this.#tell(() => `state ${name}`)
  }

  event(name: EventName, { connPid: _, ...event }: { readonly connPid: ConnPid }): void {
    this.#tell(() => `event ${name}${wayTo(event)} ${print(event, LIMITS)}`)
  }

  message({ type, connPid: _, ...message }: GunMessage): void {
    this.#tell(() => `message ${type}${wayTo(message)} ${print(message, LIMITS)}`)
  }

  #tell(describe: () => string): void {
    const ms = Math.round(performance.now() - this.#start)
    try {
      reportRejection(this.#connPid, this.#write(`${this.#connPid} +${ms}ms ${describe()}`))
    } catch (error) {
      reportThrown(this.#connPid, error)
    }
  }
}

/** Names the tunnels through which a stream was asked for, the outermost first. */
function wayTo(told: object): string {
  const { streamRef } = told as { readonly streamRef?: unknown }
  const tunnels: StreamRef[] = []
  let tunnel = streamRef instanceof StreamRef ? tunnelOf(streamRef) : undefined
  for (; tunnel !== undefined; tunnel = tunnelOf(tunnel)) tunnels.unshift(tunnel)
  return tunnels.length === 0 ? '' : ` within ${tunnels.join(' > ')}`
}

/** Returns the transcript that the option `trace` asks for. */
export function traceOf(connPid: ConnPid, option: Opts['trace']): Trace | undefined {
  if (option === undefined || option === false) return undefined
  return new Trace(connPid, option === true ? line => process.stderr.write(`${line}\n`) : option)
}
