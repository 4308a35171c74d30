/**
 * A chat bot that is a machine of xstate: the machine owns the connection, and each person's conversation is an actor of its own.
 * The bot logs in, joins rooms, answers commands, waits when the server says "try later", keeps alive, and comes back when it is lost.
 * Whatever was said while it was away is answered then, in the state in which the conversation was left.
 *
 *   npx tsx examples/chat-bot/main.ts             until the people have had their talks
 *   npx tsx examples/chat-bot/main.ts --forever   until SIGTERM or Ctrl+C; the people come again and again
 */

import { setTimeout as passed } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { application, type ChildSpec } from '@holster/otp'
import { botSpec } from './bot.ts'
import { talk } from './person.ts'
import { startChat } from './server.ts'

const { values } = parseArgs({ options: { forever: { type: 'boolean', default: false } } })

const rooms = ['lobby', 'games']
await using chat = await startChat({ secret: 'sesame', refusals: 2, laters: 2 })
for (const room of rooms)
  chat.room(room).listen(({ from, text }) => console.log(`${room} | ${from}: ${text}`))
let answered = 0

/** Has people talk to the bot, and the server lose the bot in between. */
async function meet(): Promise<void> {
  const say = async (room: string, name: string, ...lines: readonly string[]) => {
    const answers = await talk(chat.room(room), name, lines, 'bot')
    answered += answers.length
  }
  await say('lobby', 'Ada', '!hello', '!quiz')
  chat.drop()
  // The bot is away now, and knows when it comes back what it has asked.
  await Promise.all([say('lobby', 'Ada', '42', '!score'), say('games', 'Ben', '!quiz', '41', '!dance')])
}

const people: ChildSpec = {
  id: 'people',
  start: parent =>
    parent.spawnLink(async self => {
      do {
        await meet()
        if (values.forever) await passed(1000, undefined, { signal: self.signal })
      } while (values.forever && self.isAlive)
    }),
  restart: 'transient',
  significant: true,
}

await application.run(
  {
    autoShutdown: 'any_significant',
    intensity: 10,
    children: [botSpec({ port: chat.port, name: 'bot', secret: 'sesame', rooms }), people],
  },
  {
    log: console.log,
    // The server ends behind the tree, and the program with it.
    exit: code => {
      process.exitCode = code
    },
  },
)
console.log(`${answered} lines were answered; the bot was dropped (${chat.dropped}) and has left`)
