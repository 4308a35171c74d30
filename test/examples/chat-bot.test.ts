/** The parts of the chat bot hold against every fault of a chat. */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { supervisor } from '@holster/otp'
import { setExitHook } from '@holster/process'
import { type BotOptions, botSpec, pauseOf } from '../../examples/chat-bot/bot.ts'
import { parse } from '../../examples/chat-bot/message.ts'
import { talk } from '../../examples/chat-bot/person.ts'
import { type ChatOptions, startChat } from '../../examples/chat-bot/server.ts'
import '../support/chance.ts'
import { ClientGone, type Peer } from '@holster/testing'
import { opcodes, receiveFrame, switchingProtocols } from '@holster/testing/frames'
import { WebSocket } from 'ws'
import { defer, eventually, freePort } from '../support/client.ts'
import { assertNothingLeftAfter } from '../support/leftovers.ts'
import { origin } from '../support/origin.ts'
import { text } from '../support/websocket-scene.ts'

const SECRET = 'sesame'
const ROOM = 'lobby'

/** Starts the bot under a supervisor, which ends at the end of the scope. */
async function startBot(options: Partial<BotOptions> & Pick<BotOptions, 'port'>) {
  const spec = botSpec({ name: 'bot', secret: SECRET, rooms: [ROOM], ...options })
  const tree = await supervisor.start({ children: [spec] })
  const stop = async () => {
    if (tree.isAlive) await supervisor.stop(tree)
  }
  return { tree, stop, [Symbol.asyncDispose]: stop }
}

async function chatting(t: TestContext, options: Partial<ChatOptions> = {}) {
  assertNothingLeftAfter(t)
  const chat = await startChat({ secret: SECRET, ...options })
  const bot = await startBot({ port: chat.port })
  const room = chat.room(ROOM)
  const ask = (name: string, ...lines: readonly string[]) => talk(room, name, lines, 'bot')
  const dispose = async () => {
    await bot.stop()
    await chat[Symbol.asyncDispose]()
  }
  return { chat, room, ask, [Symbol.asyncDispose]: dispose }
}

/** Takes what goes to the exit hook while the test runs. */
function exitReasons(t: TestContext): string[] {
  const reasons: string[] = []
  const previous = setExitHook((_pid, reason) => reasons.push(String(reason)))
  t.after(() => setExitHook(previous))
  return reasons
}

for (const [what, lines, answers] of [
  ['a greeting', ['!hello'], ['hello, Ada']],
  ['a command that nobody knows', ['!dance'], ['I know !hello, !quiz and !score']],
  ['a right answer', ['!quiz', '42', '!score'], ['what is 6 times 7?', 'right', '1 of 1']],
  ['a wrong answer', ['!quiz', '41', '!score'], ['what is 6 times 7?', 'no, 42', '0 of 1']],
  ['a command in place of an answer', ['!quiz', '!hello'], ['what is 6 times 7?', 'no, 42']],
  ['a second question', ['!quiz', '0', '!quiz'], ['what is 6 times 7?', 'no, 42', 'what is 7 times 8?']],
] as const) {
  test(`the bot answers ${what}`, async t => {
    await using it = await chatting(t)
    assert.deepEqual(
      await it.ask('Ada', ...lines),
      answers.map(answer => `Ada: ${answer}`),
    )
  })
}

test('people have conversations of their own, and what they say to each other is not answered', async t => {
  await using it = await chatting(t)
  const { ask, room } = it
  assert.deepEqual(await ask('Ada', '!quiz'), ['Ada: what is 6 times 7?'])
  room.say('Ben', '42')
  assert.deepEqual(await ask('Ben', '!score'), ['Ben: 0 of 0'])
  assert.deepEqual(await ask('Ada', '42'), ['Ada: right'])
  assert.equal(room.history.length, 7)
})

test('refusals with 503 and log-ins that are told to come later only take time', async t => {
  await using it = await chatting(t, { refusals: 3, laters: 3 })
  const { ask, chat } = it
  assert.deepEqual(await ask('Ada', '!hello'), ['Ada: hello, Ada'])
  assert.equal(chat.logins, 1)
})

for (const garbage of ['{', 'null', '5']) {
  test(`a client that sends ${garbage} is sent away, and the chat goes on`, async t => {
    await using it = await chatting(t)
    const client = new WebSocket(`ws://127.0.0.1:${it.chat.port}/chat`)
    await once(client, 'open')
    client.send(garbage)
    const [code] = await once(client, 'close')
    assert.equal(code, 1008)
    assert.deepEqual(await it.ask('Ada', '!hello'), ['Ada: hello, Ada'])
  })
}

test('the bot waits as long as the chat asks, an hour at most', () => {
  const pauses = [0, 50, 2 ** 31, Number.MAX_SAFE_INTEGER].map(ms => pauseOf({ type: 'later', ms }))
  assert.deepEqual(pauses, [0, 50, 3_600_000, 3_600_000])
  const refused = (value: string) =>
    pauseOf({
      type: 'gun_response',
      headers: [['retry-after', value]],
    } as never)
  for (const [value, ms] of [
    ['2', 2000],
    ['-5', 200],
    ['0', 200],
    ['Fri, 31 Dec 1999 23:59:59 GMT', 200],
    ['1e400', 3_600_000],
  ] as const)
    assert.equal(refused(value), ms)
})

test('a lost connection costs no word, and no conversation its state', async t => {
  await using it = await chatting(t)
  const { ask, chat } = it
  await ask('Ada', '!quiz')
  chat.drop()
  assert.deepEqual(await ask('Ada', '42', '!score'), ['Ada: right', 'Ada: 1 of 1'])
  assert.equal(chat.logins, 2)
})

test('garbage crashes the bot, and another one learns from the room how far the conversations are', async t => {
  const reasons = exitReasons(t)
  await using it = await chatting(t)
  const { ask, chat, room } = it
  await ask('Ada', '!quiz', '42', '!quiz')
  chat.garble()
  await eventually(() => reasons.length === 1, 'the bot has crashed')
  assert.match(reasons[0] ?? '', /garbage from the chat: {"type":"said","ro$/)
  assert.deepEqual(await ask('Ada', '56', '!score'), ['Ada: right', 'Ada: 2 of 2'])
  // Nothing was answered twice.
  assert.equal(room.history.length, 10)
})

test('a bot that is not wanted ends, and its supervisor does not try for ever', async t => {
  const reasons = exitReasons(t)
  await using chat = await startChat({ secret: 'another' })
  await using bot = await startBot({ port: chat.port })
  assert.equal(await bot.tree.exited, 'shutdown')
  assert.match(reasons[0] ?? '', /does not want this bot/)
})

/** Accepts the upgrade of the bot and lets it in; resolves to what it joins. */
async function welcome(peer: Peer): Promise<unknown> {
  await peer.send(switchingProtocols(await peer.receiveRequest()))
  assert.deepEqual(await told(peer), { type: 'login', name: 'bot', secret: SECRET })
  await peer.send(text('{"type":"welcome"}'))
  return await told(peer)
}

/** The next message of the bot; pings are passed over, and have no answer. */
async function told(peer: Peer): Promise<unknown> {
  for (;;) {
    const { opcode, payload } = await receiveFrame(peer)
    if (opcode === opcodes.text) return JSON.parse(String(payload))
    if (opcode === opcodes.close) return 'close'
  }
}

const said = (id: number, from: string, words: string): Buffer =>
  text(JSON.stringify({ type: 'said', room: ROOM, id, from, text: words }))
const joined = text(JSON.stringify({ type: 'joined', room: ROOM }))
const say = (words: string) => ({ type: 'say', room: ROOM, text: words })

test('a chat that is killed in the middle of a frame is asked for what was not whole', async () => {
  const joins: unknown[] = []
  const done = defer<void>()
  await using server = await origin(async (peer, index) => {
    joins.push(await welcome(peer))
    if (index > 0) return done.resolve()
    await peer.send(Buffer.concat([said(1, 'Ada', 'tea?'), said(2, 'Ben', 'yes').subarray(0, 20)]))
    peer.end()
  })
  await using _bot = await startBot({ port: server.port })
  await done.promise
  assert.deepEqual(joins, [
    { type: 'join', room: ROOM, after: 0 },
    { type: 'join', room: ROOM, after: 1 },
  ])
})

for (const wasHeard of [true, false]) {
  const what = wasHeard ? 'was heard is not said again' : 'was lost is said again'
  test(`an answer that ${what} behind a lost connection`, async () => {
    const done = defer<void>()
    await using server = await origin(async (peer, index) => {
      await welcome(peer)
      if (index === 0) {
        await peer.send(Buffer.concat([joined, said(1, 'Ada', '!hello')]))
        assert.deepEqual(await told(peer), say('Ada: hello, Ada'))
        return peer.end()
      }
      await peer.send(
        Buffer.concat([
          ...(wasHeard ? [said(2, 'bot', 'Ada: hello, Ada')] : []),
          joined,
          said(3, 'Ben', '!hello'),
        ]),
      )
      if (!wasHeard) assert.deepEqual(await told(peer), say('Ada: hello, Ada'))
      assert.deepEqual(await told(peer), say('Ben: hello, Ben'))
      done.resolve()
    })
    await using _bot = await startBot({ port: server.port })
    await done.promise
  })
}

test('a chat that falls silent is given up, and asked anew', async () => {
  const done = defer<void>()
  await using server = await origin(async (peer, index) => {
    await welcome(peer)
    if (index > 0) return done.resolve()
    // No ping is answered.
    await assert.rejects(told(peer), ClientGone)
  })
  await using _bot = await startBot({ port: server.port, keepalive: 20 })
  await done.promise
})

test('the bot leaves in order: its answers first, and then a close frame', async () => {
  const isAsked = defer<void>()
  const heard: unknown[] = []
  await using server = await origin(async peer => {
    await welcome(peer)
    await peer.send(Buffer.concat([joined, said(1, 'Ada', '!hello')]))
    heard.push(await told(peer))
    isAsked.resolve()
    heard.push(await told(peer))
    peer.end(Buffer.of(0x88, 0x00))
  })
  await using bot = await startBot({ port: server.port })
  await isAsked.promise
  await bot.stop()
  assert.deepEqual(heard, [say('Ada: hello, Ada'), 'close'])
})

test('the bot ends at once where no chat is', async t => {
  assertNothingLeftAfter(t)
  await using bot = await startBot({ port: await freePort() })
  await bot.stop()
})

for (const garbage of [
  '',
  'null',
  '{',
  '{"type":"later"}',
  '{"type":"later","ms":-1}',
  '{"type":"joined"}',
  '{"type":"said","room":"lobby","id":"1","from":"Ada","text":"hi"}',
  '{"type":"said","room":"lobby","id":1,"from":"Ada"}',
]) {
  test(`${garbage || 'an empty text'} is garbage`, () => {
    assert.throws(() => parse(garbage), /^Error: garbage from the chat/)
  })
}
