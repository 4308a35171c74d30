/**
 * The life of a connection: all its states, and the transitions between them. Permissions are tags, the context holds all that
 * decides, and actions only name effects, which the connection carries out once the transition is over.
 */

import { createProcess } from '@holster/process'
import { isActorRef } from '@holster/process/internal'
import { type AnyActorRef, assign, setup } from 'xstate'
import type { GunMessage, Owner } from '../messages.js'
import { checkChoice, checkOpts, checkUses } from '../options/checks.js'
import { type Opts, protocolsOf, RETRY_DEFAULTS } from '../options/options.js'
import { destinationOf } from '../transport/contract.js'
import { Connection, connectionOf } from './connection.js'
import type { ConnectionContext, ConnectionEvent, Effect } from './events.js'
import { isHopeless } from './reconnect.js'

/** The input of `connectionMachine`, which a machine that invokes it gives: a host and port, or the path of a Unix socket. */
export type ConnectionInput =
  | {
      /** A name or an address, without brackets. */
      readonly host: string
      /** 1 to 65535. */
      readonly port: number
      /** Absent where there is a host. */
      readonly path?: undefined
      /** The options of `open`. Without an `owner` the machine that invokes this one owns the connection. */
      readonly opts?: Opts
    }
  | {
      /** The path of the Unix socket. */
      readonly path: string
      /** The options of `openUnix`. Without an `owner` the machine that invokes this one owns the connection. */
      readonly opts?: Opts
    }

function contextOf(input: ConnectionInput, self: AnyActorRef): ConnectionContext {
  if (typeof input !== 'object' || input === null) {
    throw new TypeError('input must be { host, port, opts? } or { path, opts? }')
  }
  const { opts = {} } = input
  checkOpts(opts)
  const destination = destinationOf(input)
  const isUnix = destination.path !== undefined
  const isHttps = destination.path === undefined && destination.port === 443
  const transport = opts.transport ?? (isHttps ? 'tls' : 'tcp')
  checkChoice(protocolsOf(opts, transport), transport)
  checkUses(opts, transport, isUnix)
  const given = opts.owner ?? parentOf(self)
  const connection = new Connection(
    self,
    destination,
    transport,
    opts,
    given ?? createProcess<GunMessage>(),
    given === undefined,
  )
  const { retry = RETRY_DEFAULTS.retry } = opts
  return {
    connPid: connection.connPid,
    isTls: connection.entrance.transport === 'tls',
    isProxied: connection.proxies.length > 0,
    isUnix,
    retry,
    retriesLeft: retry,
    retryDelay: 0,
    closingTimeout: 0,
    setback: 'attempt',
    hasBeenUp: false,
    protocol: undefined,
    lastError: undefined,
    ending: undefined,
  }
}

function parentOf(self: AnyActorRef): Owner | undefined {
  return isActorRef(self._parent) ? self._parent : undefined
}

/** Names an effect for the connection, with the event that has led to it. */
function due(effect: Effect) {
  return ({ context, event }: { context: ConnectionContext; event: ConnectionEvent }): void => {
    connectionOf(context.connPid).effects.note(effect, event)
  }
}

const machine = setup({
  types: {} as {
    context: ConnectionContext
    events: ConnectionEvent
    input: ConnectionInput
    tags: 'up' | 'accepting'
  },
  delays: {
    retryDelay: ({ context }) => context.retryDelay,
  },
  guards: {
    isTls: ({ context }) => context.isTls,
    isProxied: ({ context }) => context.isProxied,
    isRaw: ({ context }) => context.protocol === 'raw',
    isSocks: ({ context }) => context.protocol === 'socks',
    /** A later `shutdown`, or the owner's exit, outranks a close frame that the caller has sent. */
    mayEnd: ({ context: { ending } }) => ending === undefined || ending.by === 'protocol',
    isOver: ({ context }) =>
      context.ending !== undefined ||
      (context.setback === 'loss' ? context.retry : context.retriesLeft) <= 0 ||
      isHopeless(context),
  },
  actions: {
    begin: due('begin'),
    lookUp: due('lookUp'),
    connect: due('connect'),
    shakeHands: due('shakeHands'),
    lead: due('lead'),
    rise: due('rise'),
    rest: due('rest'),
    accept: due('accept'),
    retire: due('retire'),
    finish: due('finish'),
    giveTime: due('giveTime'),
    fall: due('fall'),
    plan: due('plan'),
    terminate: due('terminate'),
    noteEnding: assign({
      ending: ({ context, event }) => {
        if (event.type === 'close') return { by: 'close' } as const
        return event.type === 'shutdown' ? event.ending : context.ending
      },
    }),
    noteFailure: assign(({ event }) =>
      event.type === 'failed' ? { lastError: event.reason, setback: 'attempt' as const } : {},
    ),
    noteUp: assign(({ event }) => ({
      hasBeenUp: true,
      lastError: undefined,
      protocol: event.type === 'connected' || event.type === 'arrived' ? event.protocol : undefined,
    })),
    noteClosing: assign(({ context, event }) =>
      event.type === 'closing'
        ? {
            closingTimeout: event.timeout,
            ending: context.ending ?? (event.isFinal ? ({ by: 'protocol' } as const) : undefined),
          }
        : {},
    ),
    noteLoss: assign(({ event }) =>
      event.type === 'lost'
        ? {
            lastError: event.reason === 'normal' ? undefined : event.reason,
            setback: event.isFruitless ? ('hang-up' as const) : ('loss' as const),
          }
        : {},
    ),
    notePlan: assign(({ event }) =>
      event.type === 'planned' ? { retriesLeft: event.retries, retryDelay: event.timeout } : {},
    ),
    noteSpent: assign(({ context, event }) =>
      event.type === 'spent' ? { lastError: event.reason ?? context.lastError } : {},
    ),
  },
})

/** Without a socket there is nothing to end in order: `shutdown` terminates as `close` does. */
const down = {
  close: { target: 'terminated', actions: 'noteEnding' },
  shutdown: { target: 'terminated', actions: 'noteEnding' },
} as const

/** A step of the attempt to connect is under way, and may fail. */
const attempting = {
  failed: { target: 'not_connected', actions: ['noteFailure', 'rest'] },
  ...down,
} as const

/** With a socket, `shutdown` asks the protocol for an orderly end, which `close` may still cut short. */
const up = {
  close: { target: 'terminated', actions: ['noteEnding', 'fall'] },
  shutdown: { guard: 'mayEnd', actions: ['noteEnding', 'finish'] },
  lost: { target: 'not_connected', actions: ['noteLoss', 'fall'] },
} as const

/** Commands are carried out until the connection is retired. From then on new ones wait, whatever protocol takes over. */
const accepting = {
  initial: 'accepting',
  states: {
    accepting: { tags: 'accepting', entry: 'accept', on: { retired: 'leaving' } },
    leaving: {
      entry: 'retire',
      on: {
        connected_data_only: '#gun.connected.connected_data_only.leaving',
        connected_ws_only: '#gun.connected.connected_ws_only.leaving',
      },
    },
  },
} as const

/**
 * The lifecycle of a connection, with Gun's states, as an xstate machine. `open` starts such a machine. A machine of your own
 * that invokes it owns the connection, and gets its messages as events.
 */
export const connectionMachine = machine.createMachine({
  id: 'gun',
  context: ({ input, self }) => contextOf(input, self),
  initial: 'domain_lookup',
  entry: 'begin',
  states: {
    domain_lookup: {
      entry: 'lookUp',
      on: { resolved: 'connecting', ...attempting },
    },
    connecting: {
      entry: 'connect',
      on: {
        connected: [
          { guard: 'isTls', target: 'initial_tls_handshake' },
          { guard: 'isProxied', target: 'initial_tunnel' },
          'connected',
        ],
        ...attempting,
      },
    },
    initial_tls_handshake: {
      entry: 'shakeHands',
      on: { connected: [{ guard: 'isProxied', target: 'initial_tunnel' }, 'connected'], ...attempting },
    },
    initial_tunnel: {
      entry: 'lead',
      on: { arrived: 'connected', again: 'domain_lookup', ...attempting },
    },
    connected: {
      tags: 'up',
      entry: ['noteUp', 'rise'],
      initial: 'rising',
      states: {
        /** As Gun's `init` of each protocol says. */
        rising: {
          always: [
            { guard: 'isRaw', target: 'connected_data_only' },
            { guard: 'isSocks', target: 'connected_no_input' },
            'connected',
          ],
        },
        connected: accepting,
        connected_no_input: { entry: 'retire', on: { connected: 'connected' } },
        connected_data_only: accepting,
        connected_ws_only: accepting,
        tls_handshake: { entry: 'retire', on: { connected: 'connected' } },
      },
      on: {
        connected_no_input: '.connected_no_input',
        connected_data_only: '.connected_data_only',
        connected_ws_only: '.connected_ws_only',
        tls_handshake: '.tls_handshake',
        closing: { target: 'closing', actions: 'noteClosing' },
        ...up,
      },
    },
    closing: {
      tags: 'up',
      entry: ['retire', 'giveTime'],
      on: {
        closing: { actions: ['noteClosing', 'giveTime'] },
        ...up,
      },
    },
    not_connected: {
      initial: 'deciding',
      states: {
        deciding: { always: [{ guard: 'isOver', target: '#gun.terminated' }, 'planning'] },
        planning: {
          entry: 'plan',
          on: {
            planned: { target: 'waiting', actions: 'notePlan' },
            spent: { target: '#gun.terminated', actions: 'noteSpent' },
          },
        },
        waiting: {
          after: { retryDelay: '#gun.domain_lookup' },
        },
      },
      on: down,
    },
    terminated: {
      type: 'final',
      entry: 'terminate',
    },
  },
})
