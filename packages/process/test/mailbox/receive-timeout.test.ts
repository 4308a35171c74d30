// The error of a receive on a timeout shows the patterns, and the messages that wait instead.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inspect } from 'node:util'
import { createProcess, makeRef, P, type Process, ReceiveTimeout, spawn } from '../../src/index.ts'
import { collectExits } from '../support/exits.ts'

/** Gives the error of a receive with these patterns that looks once. */
async function missOf(self: Process, ...patterns: readonly P.Pattern<unknown>[]): Promise<ReceiveTimeout> {
  try {
    await self.receive(patterns, 0)
  } catch (error) {
    assert.ok(error instanceof ReceiveTimeout)
    return error
  }
  return assert.fail('a message matched')
}

/** Gives the print of one message that waits while another is wanted. */
async function shown(message: unknown): Promise<string> {
  const self = createProcess()
  self.send(message)
  const miss = await missOf(self, 'another')
  const [, line = ''] = /mailbox: 1 message\n {4}(.*)$/.exec(miss.message) ?? []
  return line
}

/** Runs the garbage collector until no more is collected. */
async function collect(): Promise<void> {
  for (let i = 0; i < 5; i++) {
    await new Promise(resolve => setImmediate(resolve))
    globalThis.gc?.()
  }
}

describe('the message of a ReceiveTimeout', () => {
  test('shows the patterns, and the oldest of the messages that wait instead', async () => {
    const self = createProcess()
    const ref = makeRef()
    for (let n = 1; n <= 5; n++) self.send({ type: 'other', n, ref })
    const miss = await missOf(self, { type: 'up', ref }, ['text', P.string], 'hello')
    assert.equal(
      miss.message,
      [
        'no message matched within 0 ms',
        `  wanted: { type: "up", ref: ${ref} }`,
        '      or: ["text", P.string]',
        '      or: "hello"',
        '  mailbox: 5 messages',
        ...[1, 2, 3].map(n => `    { type: "other", n: ${n}, ref: ${ref} }`),
        '    …',
      ].join('\n'),
    )
  })

  test('says that the mailbox is empty, and is the same when it is read again later', async t => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const self = createProcess()
    const missed = assert.rejects(self.receive([{ type: 'up' }], 1000), (error: unknown) => {
      assert.ok(error instanceof ReceiveTimeout)
      const message = 'no message matched within 1000 ms\n  wanted: { type: "up" }\n  mailbox: empty'
      assert.equal(error.message, message)
      self.send('later')
      assert.equal(error.message, message)
      return true
    })
    t.mock.timers.tick(1000)
    await missed
  })

  test('shows the pattern of a handler, and no more than five', async () => {
    const self = createProcess()
    await assert.rejects(self.receive([self.on({ type: 'up' }, () => 1), 1, 2, 3, 4, 5], 0), {
      message: /wanted: \{ type: "up" \}\n {6}or: 1\n {6}or: 2\n {6}or: 3\n {6}or: 4\n {6}or: …\n/,
    })
  })

  test('is part of the stack and of what is printed', async () => {
    const miss = await missOf(createProcess(), { type: 'up' })
    assert.match(
      inspect(miss),
      /^ReceiveTimeout: no message matched within 0 ms\n {2}wanted: \{ type: "up" \}/,
    )
    assert.match(miss.stack ?? '', /mailbox: empty\n {4}at /)
  })

  test('can be set, and read where the error is frozen', async () => {
    const self = createProcess()
    const [one, two] = [await missOf(self, 1), await missOf(self, 2)]
    one.message = 'mine'
    assert.equal(one.message, 'mine')
    assert.match(Object.freeze(two).message, /wanted: 2/)
  })

  test('passes over what has been taken since', async () => {
    const self = createProcess()
    for (let n = 1; n <= 3; n++) self.send({ n })
    const [one, two] = [await missOf(self, 'x'), await missOf(self, 'x')]
    await self.receive([{ n: 1 }])
    self.send({ n: 4 })
    assert.match(
      one.message,
      /mailbox: 3 messages\n {4}\{ n: 2 \}\n {4}\{ n: 3 \}\n {4}the others taken since$/,
    )
    self.flush()
    assert.match(two.message, /mailbox: 3 messages\n {4}all taken since$/)
  })

  test('tells what waited when the process has exited because of it', async t => {
    collectExits(t)
    const wait = async (self: Process): Promise<void> => {
      self.send({ type: 'other' })
      await self.receive([{ type: 'up' }], 0)
    }
    const reason = await spawn(wait).exited
    assert.ok(reason instanceof ReceiveTimeout)
    assert.match(reason.message, /mailbox: 1 message\n {4}\{ type: "other" \}$/)
    const wrapped = await spawn(self =>
      wait(self).catch(cause => {
        throw new Error('wrapped', { cause })
      }),
    ).exited
    assert.match(inspect(wrapped), /mailbox: 1 message\n {6}\{ type: "other" \}/)
  })

  test('is looked for in a bounded number of causes, which may lead back to the first', async t => {
    collectExits(t)
    const error = new Error('round')
    error.cause = error
    const self = createProcess()
    self.exit(error)
    assert.equal(await self.exited, error)
  })

  test('keeps no message alive that has been taken, while nobody has read it', async () => {
    const self = createProcess()
    const miss = async (): Promise<readonly [ReceiveTimeout, WeakRef<object>]> => {
      const message = { type: 'other' }
      self.send(message)
      const error = await missOf(self, { type: 'up' })
      self.flush()
      return [error, new WeakRef(message)]
    }
    const [error, message] = await miss()
    await collect()
    assert.equal(message.deref(), undefined)
    assert.match(error.message, /mailbox: 1 message\n {4}all taken since$/)
  })
})

describe('in an error', () => {
  test('strings, lists and lines are cut', async () => {
    assert.equal(await shown('x'.repeat(50)), `"${'x'.repeat(40)}"… (50)`)
    assert.equal(await shown(Array(9).fill(1)), `[${Array(8).fill(1).join(', ')}, … (9)]`)
    assert.equal(await shown({ a: { b: { c: { d: 1 } } } }), '{ a: { b: { c: … } } }')
    const long = await shown(Array(8).fill(Array(8).fill('x'.repeat(10))))
    assert.equal(long.length, 301)
    assert.equal(long.at(-1), '…')
  })

  test('values with the name of a secret are left out', async () => {
    const secrets = [
      ['authorization', 'Bearer hidden'],
      { password: 'hidden', apiKey: 'hidden', session: { id: 'hidden' } },
      '{"password":"hidden","user":"joe"}',
      '{ "access_token" : "hid\\"den',
      '/path?token=hidden&x=1',
      'https://joe:hidden@host/',
      'https://joe:hid@den@host/?a=b@c',
      'Basic hidden',
    ]
    assert.deepEqual(await Promise.all(secrets.map(shown)), [
      '["authorization", …]',
      '{ password: …, apiKey: …, session: … }',
      String.raw`"{\"password\":…,\"user\":\"joe\"}"`,
      String.raw`"{ \"access_token\" : …"`,
      '"/path?token=…&x=1"',
      '"https://…@host/"',
      '"https://…@host/?a=b@c"',
      '"Basic …"',
    ])
    assert.equal(await shown({ author: 'joe', authority: 'host' }), '{ author: "joe", authority: "host" }')
  })

  test('bytes, functions and objects of a class are only named, and handles print themselves', async () => {
    const self = createProcess({ name: 'printed' })
    const printed = await shown([
      Buffer.from('hidden'),
      () => 'x',
      new Map([['a', 1]]),
      new Error('why'),
      self,
    ])
    assert.equal(printed, `[<6 bytes>, <function>, <Map>, <Error: "why">, ${self}]`)
    self.exit()
  })

  test('a getter that throws is left out', async () => {
    const message = {
      get boom(): never {
        throw new Error('boom')
      },
    }
    assert.equal(await shown(message), '…')
  })

  test("ts-pattern's matchers have their names, where they have one", async () => {
    const miss = await missOf(createProcess(), { a: P._, b: P.number, c: P.when(() => true), d: undefined })
    assert.match(miss.message, /wanted: \{ a: P\._, b: P\.number, c: P\.…, d: undefined \}/)
  })
})
