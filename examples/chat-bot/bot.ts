/** The bot is a machine that owns its connection: it logs in, joins rooms, and has a conversation with each person there. */

import * as gun from '@holster/gun'
import type { ChildSpec } from '@holster/otp'
import { fromMachine } from '@holster/otp/xstate'
import type { Down, Exit, Process } from '@holster/process'
import { assign, enqueueActions, raise, setup } from 'xstate'
import { type Answer, conversation } from './conversation.ts'
import { type Heard, type Joined, parse, type Said, type Say, type Told } from './message.ts'

export interface BotOptions {
  readonly port: number
  readonly name: string
  readonly secret: string
  readonly rooms: readonly string[]
  /** The milliseconds between two pings, of which two may have no answer. Default 1000. */
  readonly keepalive?: number
}

type Event = gun.GunMessage | Heard | Answer | Exit | Down

interface Context extends BotOptions {
  readonly connPid: gun.ConnPid
  /** The WebSocket of the present connection. */
  readonly streamRef: gun.StreamRef | undefined
  /** The last that was said in each room. */
  readonly last: Readonly<Record<string, number>>
  /** The people who have a conversation. */
  readonly people: readonly string[]
  /** The rooms that have told all that was said while the bot was away. */
  readonly joined: readonly string[]
  /** The answers that were not heard in their rooms yet. */
  readonly unheard: readonly Say[]
  /** How many milliseconds the bot waits before it asks again. */
  readonly pause: number
}

/** A server that says no more is asked again so many milliseconds later. */
const PAUSE = 200
/** The longest pause: a chat that says a year is asked again after an hour, since a timer of Node that is too long for one fires at once. */
const LONGEST = 3_600_000

const bot = setup({
  types: {} as {
    context: Context
    events: Event
    input: BotOptions & Pick<Context, 'connPid'>
  },
  actors: { conversation },
  delays: { pause: ({ context }) => context.pause },
  actions: {
    upgrade: assign({ streamRef: ({ context }) => gun.wsUpgrade(context.connPid, '/chat') }),
    logIn: ({ context }) => tell(context, [{ type: 'login', name: context.name, secret: context.secret }]),
    join: ({ context }) =>
      tell(
        context,
        context.rooms.map(room => ({ type: 'join', room, after: context.last[room] ?? 0 })),
      ),
    // Text becomes an event with a name. Garbage fails the machine, and the supervisor starts another.
    parse: raise(({ event }) => parse(textOf(event))),
    wait: assign({ pause: ({ event }) => pauseOf(event) }),
    note: assign(({ context }, { room, id }: Said) => ({ last: { ...context.last, [room]: id } })),
    // The bot's own words tell what the room has heard, also from another bot before this one.
    hear: assign(({ context: { unheard } }, { room, text }: Said) => {
      const found = unheard.findIndex(say => say.room === room && say.text === text)
      return { unheard: unheard.filter((_, n) => n !== found) }
    }),
    converse: enqueueActions(({ context, enqueue }, { from, room, text }: Said) => {
      const id = `conversation with ${from}`
      if (!context.people.includes(from)) {
        enqueue.spawnChild('conversation', { id, input: { name: from } })
        enqueue.assign({ people: [...context.people, from] })
      }
      enqueue.sendTo(id, { type: 'text', room, text })
    }),
    keep: assign(({ context }, { room, text }: Answer) => ({
      unheard: [...context.unheard, { type: 'say', room, text }],
    })),
    say: ({ context }, { room, text }: Answer) => {
      // Before the room has told all, the answer may turn out to be given already.
      if (context.joined.includes(room)) tell(context, [{ type: 'say', room, text }])
    },
    begin: assign({ joined: [] }),
    catchUp: assign(({ context }, { room }: Joined) => ({ joined: [...context.joined, room] })),
    sayUnheard: ({ context }, { room }: Joined) =>
      tell(
        context,
        context.unheard.filter(say => say.room === room),
      ),
    leave: ({ context }) => gun.shutdown(context.connPid),
    fail: ({ event }) => {
      throw new Error('the chat does not want this bot', { cause: event })
    },
  },
  guards: {
    isText: ({ event }) => event.type === 'gun_ws' && event.frame[0] === 'text',
    isOwn: ({ context }, { from }: Said) => from === context.name,
  },
}).createMachine({
  context: ({ input }) => ({
    ...input,
    streamRef: undefined,
    last: {},
    people: [],
    joined: [],
    unheard: [],
    pause: PAUSE,
  }),
  initial: 'running',
  states: {
    running: {
      initial: 'connecting',
      on: {
        EXIT: 'leaving',
        DOWN: { actions: 'fail' },
        // The connection is made again by itself.
        gun_down: '.connecting',
        gun_ws: { guard: 'isText', actions: 'parse' },
        answer: {
          actions: [
            { type: 'keep', params: ({ event }) => event },
            { type: 'say', params: ({ event }) => event },
          ],
        },
      },
      states: {
        connecting: { on: { gun_up: 'upgrading' } },
        upgrading: {
          entry: 'upgrade',
          on: {
            gun_upgrade: 'loggingIn',
            gun_response: { target: 'refused', actions: 'wait' },
          },
        },
        refused: {
          // Also where the connection has ended with the refusal: an upgrade waits for the next one.
          on: { gun_down: {} },
          after: { pause: 'upgrading' },
        },
        loggingIn: {
          entry: 'logIn',
          on: {
            welcome: 'chatting',
            later: { target: 'toldToWait', actions: 'wait' },
            denied: { actions: 'fail' },
          },
        },
        toldToWait: { after: { pause: 'loggingIn' } },
        chatting: {
          entry: ['begin', 'join'],
          on: {
            said: [
              {
                guard: { type: 'isOwn', params: ({ event }) => event },
                actions: [
                  { type: 'note', params: ({ event }) => event },
                  { type: 'hear', params: ({ event }) => event },
                ],
              },
              {
                actions: [
                  { type: 'note', params: ({ event }) => event },
                  { type: 'converse', params: ({ event }) => event },
                ],
              },
            ],
            joined: {
              actions: [
                { type: 'catchUp', params: ({ event }) => event },
                { type: 'sayUnheard', params: ({ event }) => event },
              ],
            },
          },
        },
      },
    },
    // Whatever was said leaves ahead of the close frame.
    leaving: { entry: 'leave', on: { DOWN: 'gone' } },
    gone: { type: 'final' },
  },
})

/** Describes the bot as the child of a supervisor. */
export function botSpec(options: BotOptions): ChildSpec {
  return {
    id: options.name,
    // The machine learns of the end as an event, and leaves in order.
    start: parent => parent.spawnLink(bodyOf(options), { trapExit: true }),
    restart: 'transient',
    backoff: { initial: 50, max: 5000 },
  }
}

function bodyOf(options: BotOptions): (self: Process<Event>) => Promise<unknown> {
  const { port, keepalive = 1000 } = options
  return fromMachine(bot, self => {
    self.label = `bot ${options.name}`
    const connPid = gun.open('127.0.0.1', port, {
      owner: self,
      retry: Number.POSITIVE_INFINITY,
      retryTimeout: 200,
      wsOpts: { keepalive, keepaliveTolerance: 2 },
    })
    self.monitor(connPid)
    return { input: { ...options, connPid } }
  })
}

function tell({ connPid, streamRef }: Context, messages: readonly Told[]): void {
  if (streamRef === undefined || messages.length === 0) return
  gun.wsSend(
    connPid,
    streamRef,
    messages.map(message => ['text', JSON.stringify(message)] as const),
  )
}

function textOf(event: Event): string {
  return event.type === 'gun_ws' ? String(event.frame[1]) : ''
}

/** Gives the pause that the server asks for, in whichever way. */
export function pauseOf(event: Event): number {
  if (event.type === 'later') return Math.min(event.ms, LONGEST)
  if (event.type !== 'gun_response') return PAUSE
  const [, seconds] = event.headers.find(([name]) => name === 'retry-after') ?? []
  return Math.min(Math.max(Number(seconds), 0) * 1000 || PAUSE, LONGEST)
}
