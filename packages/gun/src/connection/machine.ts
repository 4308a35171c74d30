/**
 * The life of a connection: all its states, and the transitions between them. Permissions are tags, the context holds all that
 * decides, and actions only name effects, which the connection carries out once the transition is over.
 */

import { isActorRef } from '@holster/process/internal'
import { type AnyActorRef, assign, setup } from 'xstate'
import type { Owner } from '../messages.js'
import { ActorMachine } from './actor-machine.js'
import { type ConnectionInput, firstContextOf, makeConnection } from './beginning.js'
import { connectionOf } from './connection.js'
import { type Guard, guards, type Note, notes } from './decisions.js'
import type { ConnectionContext, ConnectionEvent, Effect } from './events.js'

function contextOf(input: ConnectionInput, self: AnyActorRef): ConnectionContext {
  const machine = new ActorMachine(self)
  const connection = makeConnection(input, machine, parentOf(self))
  machine.tell(connection)
  return firstContextOf(connection)
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

function look(guard: Guard) {
  return ({ context }: { context: ConnectionContext }): boolean => guard(context)
}

function keep(note: Note) {
  return assign<ConnectionContext, ConnectionEvent, undefined, ConnectionEvent, never>(({ context, event }) =>
    note(context, event),
  )
}

const machine = setup({
  types: {} as {
    context: ConnectionContext
    events: ConnectionEvent
    input: ConnectionInput
    tags: 'up' | 'accepting'
  },
  guards: {
    isTls: look(guards.isTls),
    isProxied: look(guards.isProxied),
    isRaw: look(guards.isRaw),
    isSocks: look(guards.isSocks),
    mayEnd: look(guards.mayEnd),
    isOver: look(guards.isOver),
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
    wait: due('wait'),
    terminate: due('terminate'),
    noteEnding: keep(notes.noteEnding),
    noteFailure: keep(notes.noteFailure),
    noteUp: keep(notes.noteUp),
    noteClosing: keep(notes.noteClosing),
    noteLoss: keep(notes.noteLoss),
    notePlan: keep(notes.notePlan),
    noteSpent: keep(notes.noteSpent),
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
        waiting: { entry: 'wait', on: { again: '#gun.domain_lookup' } },
      },
      on: down,
    },
    terminated: {
      type: 'final',
      entry: 'terminate',
    },
  },
})
