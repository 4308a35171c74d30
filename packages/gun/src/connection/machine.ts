/** The states of a connection and the transitions between them; what happens in them is done elsewhere. */

import type { Socket } from 'node:net'
import { createProcess } from '@holster/process'
import { isActorRef } from '@holster/process/internal'
import { type AnyActorRef, assertEvent, assign, enqueueActions, setup } from 'xstate'
import { GunError } from '../errors.js'
import type { ConnPid } from '../handles.js'
import type { GunMessage, Owner } from '../messages.js'
import { checkChoice, checkOpts, checkUses } from '../options/checks.js'
import { type Opts, protocolsOf, RETRY_DEFAULTS } from '../options/options.js'
import { LONGEST } from '../options/values.js'
import { destinationOf } from '../transport/contract.js'
import { connect, dialTcp, lookup } from '../transport/tcp.js'
import { dialTls, handshake } from '../transport/tls.js'
import type { Addresses } from '../words.js'
import { Connection, connectionOf } from './connection.js'
import type { ConnectionEvent, Machine } from './events.js'
import { connectTeller, handshakeTeller, lookupTeller, tellInit } from './life-events.js'
import { nextRetry, type Setback } from './reconnect.js'

/** What a machine that invokes `connectionMachine` gives it: a host and port, or the path of a Unix socket. */
export type ConnectionInput =
  | {
      /** A name or an address, without brackets. */
      readonly host: string
      /** 1 to 65535. */
      readonly port: number
      /** Absent, where there is a host. */
      readonly path?: undefined
      /** As those of `open`; but the owner, if none is given, is the machine that invokes this one. */
      readonly opts?: Opts
    }
  | {
      /** The path of the Unix socket. */
      readonly path: string
      /** As those of `openUnix`; but the owner, if none is given, is the machine that invokes this one. */
      readonly opts?: Opts
    }

/** The context of `connectionMachine`. Only `connPid` is meant for others; it is there from the start. */
export interface ConnectionContext {
  /** The handle, for the functions of this package. */
  readonly connPid: ConnPid
  /** How many attempts may still follow. */
  readonly retriesLeft: number
  /** Milliseconds until the next attempt; `undefined`: there is none. */
  readonly retryDelay: number | undefined
}

const delayOf = (ms: number | undefined) => (ms === undefined ? LONGEST : Math.min(ms, LONGEST))

/** What comes after an attempt failed or the connection was lost: another attempt, or none. */
function plan(context: ConnectionContext, setback: Setback): Partial<ConnectionContext> {
  const connection = connectionOf(context.connPid)
  const retriesLeft = setback === 'loss' ? retriesOf(connection) : context.retriesLeft
  if (!canRetry(connection, retriesLeft)) return { retryDelay: undefined }
  const next = nextRetry(retriesLeft, connection.opts, connection.lastError ?? 'normal', setback)
  if (!(next instanceof GunError)) return { retriesLeft: next.retries, retryDelay: next.timeout }
  connection.lastError = next
  return { retryDelay: undefined }
}

function canRetry(connection: Connection, retriesLeft: number): boolean {
  return connection.reconnects && retriesLeft > 0 && !connection.isHopeless
}

/** How often a connection that was up is tried again. */
function retriesOf({ opts }: Connection): number {
  return opts.retry ?? RETRY_DEFAULTS.retry
}

/** A class, since an object literal with a getter has a hidden class of its own each time. */
class RunningMachine implements Machine {
  readonly #actor: AnyActorRef

  constructor(actor: AnyActorRef) {
    this.#actor = actor
  }

  get stateName(): string {
    return leafOf(this.#actor.getSnapshot().value)
  }

  send(event: ConnectionEvent): void {
    this.#actor.send(event)
  }
}

function createConnection(self: AnyActorRef, input: ConnectionInput): Connection {
  if (typeof input !== 'object' || input === null) {
    throw new TypeError('input must be { host, port, opts? } or { path, opts? }')
  }
  const { opts = {} } = input
  checkOpts(opts)
  const destination = destinationOf(input)
  const isHttps = destination.path === undefined && destination.port === 443
  const transport = opts.transport ?? (isHttps ? 'tls' : 'tcp')
  checkChoice(protocolsOf(opts, transport), transport)
  checkUses(opts, transport, destination.path !== undefined)
  const given = opts.owner ?? parentOf(self)
  const owner = given ?? createProcess<GunMessage>()
  const connection = new Connection(new RunningMachine(self), destination, transport, opts, owner)
  if (given === undefined) connection.isUnattended = true
  self.subscribe({ complete: () => connection.stopped(), error: cause => connection.broken(cause) })
  return connection
}

function parentOf(self: AnyActorRef): Owner | undefined {
  return isActorRef(self._parent) ? self._parent : undefined
}

/** The innermost state: `connected_ws_only` of `{ connected: 'connected_ws_only' }`. */
function leafOf(value: unknown): string {
  return typeof value === 'object' && value !== null ? leafOf(Object.values(value)[0]) : String(value)
}

const machine = setup({
  types: {} as {
    context: ConnectionContext
    events: ConnectionEvent
    input: ConnectionInput
  },
  delays: {
    retryDelay: ({ context }) => delayOf(context.retryDelay),
  },
  guards: {
    isTls: ({ context }) => connectionOf(context.connPid).transport === 'tls',
    isOver: ({ context }) => context.retryDelay === undefined,
    /** A guard, so that the end of most connections needs no plan. */
    isLast: ({ context, event }) => {
      assertEvent(event, 'lost')
      const connection = connectionOf(context.connPid)
      return !canRetry(connection, event.isFruitless ? context.retriesLeft : retriesOf(connection))
    },
  },
  actions: {
    init: ({ context }) => tellInit(connectionOf(context.connPid)),
    lookUp: ({ context }) => {
      const connection = connectionOf(context.connPid)
      const { attempt, destination, opts, trace } = connection
      trace?.state('domain_lookup')
      attempt.begin<Addresses>(
        answer => lookup(destination, opts.tcpOpts, answer),
        addresses => ({ type: 'resolved', addresses }),
        'domainLookupTimeout',
        lookupTeller(connection),
      )
    },
    connect: ({ context, event }) => {
      assertEvent(event, 'resolved')
      const connection = connectionOf(context.connPid)
      const { attempt, destination, opts, origin, protocols, trace, transport } = connection
      trace?.state('connecting')
      const dial = transport === 'tls' ? dialTls(origin.host.identity, opts.tlsOpts, protocols) : dialTcp
      attempt.begin<Socket>(
        answer => connect(destination, event.addresses, opts.tcpOpts, dial, answer),
        socket => ({ type: 'connected', socket }),
        'connectTimeout',
        connectTeller(connection, event.addresses),
      )
    },
    shakeHands: ({ context, event }) => {
      assertEvent(event, 'connected')
      const connection = connectionOf(context.connPid)
      const { attempt, origin, opts, protocols, trace } = connection
      trace?.state('initial_tls_handshake')
      attempt.begin<Socket>(
        answer => handshake(event.socket, origin.host.identity, opts.tlsOpts, protocols, answer),
        socket => ({ type: 'connected', socket }),
        'tlsHandshakeTimeout',
        handshakeTeller(connection, event.socket),
      )
    },
    noteError: ({ context }, reason: GunError) => {
      connectionOf(context.connPid).lastError = reason
    },
    /** An attempt failed. */
    retry: assign(({ context }) => plan(context, 'attempt')),
    /** The connection was up, so the retries are counted anew, unless nothing had come of it. */
    reconnect: assign(({ context, event }) => {
      assertEvent(event, 'lost')
      const { comeback } = connectionOf(context.connPid)
      return plan(context, event.isFruitless || comeback.hasFailed ? 'hang-up' : 'loss')
    }),
    up: ({ context, event }) => {
      assertEvent(event, 'connected')
      connectionOf(context.connPid).up(event.socket)
    },
    rest: ({ context }) => connectionOf(context.connPid).trace?.state('not_connected'),
    down: ({ context }, reason: GunError | 'normal') => connectionOf(context.connPid).down(reason),
    beginClosing: enqueueActions(({ context, enqueue }) => {
      const timeout = connectionOf(context.connPid).beginClosing()
      enqueue.raise(timeout > 0 ? { type: 'closing', timeout } : { type: 'lost', reason: 'normal' })
    }),
    enterClosing: ({ context, event }) => {
      assertEvent(event, 'closing')
      connectionOf(context.connPid).enterClosing(event.timeout)
    },
    end: ({ context }) => connectionOf(context.connPid).end(),
  },
})

/**
 * The lifecycle of a connection, with Gun's states, as an xstate machine. `open` starts one; a machine of your own may
 * invoke it, which then owns the connection and gets its messages as events.
 */
export const connectionMachine = machine.createMachine({
  id: 'gun',
  context: ({ input, self }) => {
    const connection = createConnection(self, input)
    return {
      connPid: connection.connPid,
      retriesLeft: retriesOf(connection),
      retryDelay: undefined,
    }
  },
  initial: 'domain_lookup',
  entry: 'init',
  on: {
    close: { target: '.terminated', actions: { type: 'down', params: 'normal' } },
    shutdown: '.terminated',
    failed: {
      target: '.not_connected',
      actions: [{ type: 'noteError', params: ({ event }) => event.reason }, 'retry'],
    },
  },
  states: {
    domain_lookup: {
      entry: 'lookUp',
      on: {
        resolved: 'connecting',
      },
    },
    connecting: {
      entry: 'connect',
      on: {
        connected: [{ guard: 'isTls', target: 'initial_tls_handshake' }, { target: 'connected' }],
      },
    },
    initial_tls_handshake: {
      entry: 'shakeHands',
      on: {
        connected: 'connected',
      },
    },
    connected: {
      entry: 'up',
      initial: 'connected',
      states: { connected: {}, connected_ws_only: {} },
      on: {
        switched: '.connected_ws_only',
        shutdown: { actions: 'beginClosing' },
        closing: 'closing',
        lost: [
          {
            guard: 'isLast',
            target: 'terminated',
            actions: { type: 'down', params: ({ event }) => event.reason },
          },
          {
            target: 'not_connected',
            actions: [{ type: 'down', params: ({ event }) => event.reason }, 'reconnect'],
          },
        ],
      },
    },
    closing: {
      entry: 'enterClosing',
      on: {
        shutdown: { actions: 'beginClosing' },
        closing: { target: 'closing', reenter: true },
        lost: [
          {
            guard: 'isLast',
            target: 'terminated',
            actions: { type: 'down', params: ({ event }) => event.reason },
          },
          {
            target: 'not_connected',
            actions: [{ type: 'down', params: ({ event }) => event.reason }, 'reconnect'],
          },
        ],
      },
    },
    not_connected: {
      entry: 'rest',
      always: { guard: 'isOver', target: 'terminated' },
      after: { retryDelay: 'domain_lookup' },
    },
    terminated: {
      type: 'final',
      entry: 'end',
    },
  },
})
