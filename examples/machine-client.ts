/**
 * A client that is an xstate machine: it runs as a process under a supervisor, owns a connection, and answers calls, those too that
 * come while it is not connected.
 */

import * as gun from '@holster/gun'
import { supervisor } from '@holster/otp'
import { fromMachine } from '@holster/otp/xstate'
import { type Call, type From, reply, spawn, whereis } from '@holster/process'
import { assign, setup } from 'xstate'
import { startServer } from './local-server.ts'

interface Question {
  readonly text: string
  readonly from: From<string>
}

type Ask = Call<{ readonly type: 'ask'; readonly text: string }, string>

interface Context {
  readonly connPid: gun.ConnPid
  /** The questions that have no answer yet, in the order in which they were asked. */
  readonly questions: readonly Question[]
}

const client = setup({
  types: {} as {
    events: gun.GunMessage | Ask
    context: Context
    input: { readonly connPid: gun.ConnPid }
  },
  actions: {
    keep: assign({
      questions: ({ context, event }) =>
        event.type === 'call'
          ? [...context.questions, { text: event.request.text, from: event.from }]
          : context.questions,
    }),
    upgrade: ({ context }) => void gun.wsUpgrade(context.connPid, '/websocket'),
    send: ({ context, event }) => {
      const texts = event.type === 'call' ? [event.request.text] : context.questions.map(({ text }) => text)
      gun.wsSend(
        context.connPid,
        texts.map(text => ['text', text] as const),
      )
    },
    answer: ({ context, event }) => {
      const question = context.questions[0]
      if (question !== undefined && event.type === 'gun_ws') reply(question.from, String(event.frame[1]))
    },
    drop: assign({ questions: ({ context }) => context.questions.slice(1) }),
    tell: (_, text: string) => console.log(text),
    // The process exits with this error, and its supervisor starts another client.
    fail: ({ event }) => {
      throw new Error('the server cannot be asked', { cause: event })
    },
  },
  guards: {
    isOfConnection: ({ event }) => event.type === 'gun_error' && event.streamRef === undefined,
    isText: ({ event }) => event.type === 'gun_ws' && event.frame[0] === 'text',
  },
}).createMachine({
  context: ({ input }) => ({ connPid: input.connPid, questions: [] }),
  initial: 'connecting',
  on: {
    call: { actions: 'keep' },
    gun_response: { actions: 'fail' },
    gun_error: { guard: 'isOfConnection', actions: 'fail' },
  },
  states: {
    connecting: {
      on: { gun_up: { target: 'upgrading', actions: 'upgrade' } },
    },
    upgrading: {
      on: { gun_upgrade: 'ready', gun_down: 'connecting' },
    },
    ready: {
      entry: [{ type: 'tell', params: 'ready' }, 'send'],
      on: {
        call: { actions: ['keep', 'send'] },
        gun_ws: { guard: 'isText', actions: ['answer', 'drop'] },
        // The connection is made again by itself, and what had no answer is asked again.
        gun_down: { target: 'connecting', actions: { type: 'tell', params: 'lost' } },
      },
    },
  },
})

await using server = await startServer()

const tree = await supervisor.start({
  children: [
    {
      id: 'client',
      start: parent =>
        parent.spawnLink(
          fromMachine(client, self => ({
            input: { connPid: gun.open('127.0.0.1', server.port, { owner: self, retryTimeout: 100 }) },
          })),
          { name: 'client' },
        ),
    },
  ],
})

await spawn(async self => {
  const ask = (text: string) => self.call('client', { type: 'ask', text }, 60_000)
  // The client is not connected yet, so that these wait.
  console.log(await Promise.all([ask('one'), ask('two')]))
  console.log(await ask('three'))
  server.dropConnections()
  console.log(await ask('four'))
}).exited

await supervisor.stop(tree)
console.log(`the client has ended: ${whereis('client') === undefined}`)
