/** The life of a connection without a socket: xstate's pure transitions, one event at a time. */

import { Socket } from 'node:net'
import {
  type EventFromLogic,
  initialTransition,
  type SnapshotFrom,
  type StateValue,
  transition,
} from 'xstate'
import type { ConnectionInput } from '../../src/connection/beginning.ts'
import type { ConnectionEvent, Effect } from '../../src/connection/events.ts'
import { connectionMachine } from '../../src/connection/machine.ts'
import { GunError } from '../../src/errors.ts'
import type { ProtocolName } from '../../src/words.ts'

/** What one event leads to. */
export interface Life {
  readonly snapshot: SnapshotFrom<typeof connectionMachine>
  /** The states, the outermost first: `connected.connected.accepting`. */
  readonly state: string
  readonly context: SnapshotFrom<typeof connectionMachine>['context']
  readonly tags: readonly string[]
  /** What the connection has to do, in that order. */
  readonly effects: readonly Effect[]
}

export const HOST: ConnectionInput = { host: 'localhost', port: 80 }
export const TLS: ConnectionInput = { host: 'localhost', port: 443 }
export const UNIX: ConnectionInput = { path: '/tmp/socket' }
export const PROXIED: ConnectionInput = { host: 'localhost', port: 80, opts: { proxy: 'https://proxy' } }

/** A connection that has just begun, with as many retries. */
export function begun(input: ConnectionInput = HOST, retry?: number): Life {
  const opts = { ...input.opts, ...(retry === undefined ? {} : { retry }) }
  return lifeOf(...initialTransition(connectionMachine, { ...input, opts }))
}

/** What follows these events; the effects are those of the last. */
export function after(life: Life, ...events: readonly ConnectionEvent[]): Life {
  return events.reduce((before, event) => {
    return lifeOf(
      ...transition(connectionMachine, before.snapshot, event as EventFromLogic<typeof connectionMachine>),
    )
  }, life)
}

/** The wait for the next attempt is over. */
export function waited(life: Life): Life {
  if (life.state !== 'not_connected.waiting') throw new Error(`nothing is waited for in ${life.state}`)
  return after(life, again)
}

/** A connection that is up. */
export function risen(input?: ConnectionInput, retry?: number): Life {
  const life = after(begun(input, retry), resolved, connected)
  return life.state === 'initial_tls_handshake' ? after(life, connected) : life
}

export const resolved: ConnectionEvent = { type: 'resolved', addresses: [] }
export const connected: ConnectionEvent = { type: 'connected', socket: new Socket(), protocol: 'http' }

/** The transport is connected, and another protocol than HTTP is spoken. */
export function connectedIn(protocol: ProtocolName): ConnectionEvent {
  return { type: 'connected', socket: new Socket(), protocol }
}

export const again: ConnectionEvent = { type: 'again' }
export const retired: ConnectionEvent = { type: 'retired' }
export const close: ConnectionEvent = { type: 'close' }
export const shutdown: ConnectionEvent = { type: 'shutdown', ending: { by: 'shutdown' } }
export const ownerExit: ConnectionEvent = { type: 'shutdown', ending: { by: 'owner', reason: 'normal' } }

export function failed(reason: GunError): ConnectionEvent {
  return { type: 'failed', reason }
}

export function closing(timeout: number, isFinal = false): ConnectionEvent {
  return { type: 'closing', timeout, isFinal }
}

/** A connection that was of use is lost. */
export function lost(reason: GunError | 'normal' = 'normal'): ConnectionEvent {
  return { type: 'lost', reason, isFruitless: false }
}

/** The peer has hung up at once. */
export function hungUp(reason: GunError | 'normal' = 'normal'): ConnectionEvent {
  return { type: 'lost', reason, isFruitless: true }
}

export function planned(retries: number, timeout: number): ConnectionEvent {
  return { type: 'planned', retries, timeout }
}

export function spent(reason?: GunError): ConnectionEvent {
  return { type: 'spent', reason }
}

/** An error of an attempt: one that trying again may mend, one that it cannot, and one of a Unix socket that is not there. */
export const refusal = errorOf('ECONNREFUSED')
export const permanent = new GunError('connect_error', 'connection_error', 'permanent', { isPermanent: true })
export const missing = errorOf('ENOENT')

function errorOf(code: string): GunError {
  const cause = Object.assign(new Error(code), { code })
  return new GunError('connect_error', 'connection_error', code, { cause })
}

function lifeOf(snapshot: Life['snapshot'], actions: readonly { readonly type: string }[]): Life {
  const { context, tags, value } = snapshot
  return {
    snapshot,
    state: pathOf(value),
    context,
    tags: [...tags].sort(),
    effects: actions.map(({ type }) => type) as Effect[],
  }
}

function pathOf(value: StateValue): string {
  if (typeof value === 'string') return value
  return (
    Object.entries(value).map(([name, inner]) =>
      inner === undefined ? name : `${name}.${pathOf(inner)}`,
    )[0] ?? ''
  )
}
