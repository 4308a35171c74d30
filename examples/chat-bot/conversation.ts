/** A conversation is what the bot remembers of one person: an actor, whose state says how the next text is understood. */

import { assign, sendParent, setup } from 'xstate'

/** A text of the person, in a room. */
export interface Text {
  readonly type: 'text'
  readonly room: string
  readonly text: string
}

/** The bot is to say this. */
export interface Answer {
  readonly type: 'answer'
  readonly room: string
  readonly text: string
}

interface Context {
  readonly name: string
  /** How many questions were asked, and how many of them were answered rightly. */
  readonly asked: number
  readonly right: number
}

const numbersOf = ({ asked }: Context) => [5 + asked, 6 + asked] as const
const productOf = (context: Context) => numbersOf(context)[0] * numbersOf(context)[1]

export const conversation = setup({
  types: {} as { context: Context; events: Text; input: { readonly name: string } },
  actions: {
    answer: sendParent(
      ({ context, event }, text: string): Answer => ({
        type: 'answer',
        room: event.room,
        text: `${context.name}: ${text}`,
      }),
    ),
    ask: assign({ asked: ({ context }) => context.asked + 1 }),
    count: assign({ right: ({ context }) => context.right + 1 }),
  },
  guards: {
    is: ({ event }, text: string) => event.text === text,
    isCommand: ({ event }) => event.text.startsWith('!'),
    isRight: ({ context, event }) => Number(event.text) === productOf(context),
  },
}).createMachine({
  context: ({ input }) => ({ name: input.name, asked: 0, right: 0 }),
  initial: 'idle',
  states: {
    idle: {
      on: {
        text: [
          {
            guard: { type: 'is', params: '!hello' },
            actions: { type: 'answer', params: ({ context }) => `hello, ${context.name}` },
          },
          {
            guard: { type: 'is', params: '!score' },
            actions: { type: 'answer', params: ({ context }) => `${context.right} of ${context.asked}` },
          },
          {
            guard: { type: 'is', params: '!quiz' },
            target: 'asking',
            actions: [
              'ask',
              { type: 'answer', params: ({ context }) => `what is ${numbersOf(context).join(' times ')}?` },
            ],
          },
          { guard: 'isCommand', actions: { type: 'answer', params: 'I know !hello, !quiz and !score' } },
          // People talk to each other as well.
        ],
      },
    },
    asking: {
      on: {
        text: [
          {
            guard: 'isRight',
            target: 'idle',
            actions: ['count', { type: 'answer', params: 'right' }],
          },
          {
            target: 'idle',
            actions: { type: 'answer', params: ({ context }) => `no, ${productOf(context)}` },
          },
        ],
      },
    },
  },
})
