/**
 * A machine of xstate invokes a connection: the machine owns the connection and gets its messages as
 * events.
 */

import * as gun from '@holster/gun'
import { assign, createActor, setup, waitFor } from 'xstate'
import { startServer } from './local-server.ts'

await using server = await startServer()

const chat = setup({
  types: {
    events: {} as gun.GunMessage,
    context: {} as { streamRef: gun.StreamRef | undefined; heard: string[] },
  },
  actors: { connection: gun.connectionMachine },
}).createMachine({
  context: { streamRef: undefined, heard: [] },
  invoke: { id: 'connection', src: 'connection', input: { host: '127.0.0.1', port: server.port } },
  initial: 'connecting',
  states: {
    connecting: {
      on: {
        gun_up: {
          target: 'upgrading',
          actions: assign({ streamRef: ({ event }) => gun.wsUpgrade(event.connPid, '/websocket') }),
        },
      },
    },
    upgrading: {
      on: {
        gun_upgrade: {
          target: 'talking',
          actions: ({ event }) =>
            gun.wsSend(event.connPid, event.streamRef, [
              ['text', 'one'],
              ['text', 'two'],
            ]),
        },
        gun_response: 'done',
        gun_error: 'done',
      },
    },
    talking: {
      on: {
        gun_ws: {
          actions: assign({ heard: ({ context, event }) => [...context.heard, String(event.frame[1])] }),
        },
      },
      always: { guard: ({ context }) => context.heard.length === 2, target: 'done' },
    },
    // The machine is done, so xstate stops the invoked connection, which closes.
    done: { type: 'final' },
  },
})

const actor = createActor(chat).start()
const { context } = await waitFor(actor, snapshot => snapshot.status === 'done', { timeout: 5000 })
console.log(`heard: ${context.heard.join(', ')}`)
