// The compiled patterns of one receive serve the next only if that asks for the same.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createProcess, makeRef, P, type Process } from '../../src/index.ts'
import { turn } from '../support/turns.ts'

type AnyProcess = Process<unknown>

const NOTHING = Symbol('nothing')

/** Gives the message that a receive with any pattern takes at once. */
function look(self: AnyProcess, ...patterns: unknown[]): Promise<unknown> {
  return self.receive(patterns as P.Pattern<unknown>[], { timeout: 0, onTimeout: () => NOTHING })
}

/** Makes a process with one message that stays: while a message waits, the last patterns are kept. */
function withMessages(...messages: unknown[]): AnyProcess {
  const self = createProcess()
  self.send('stays')
  for (const message of messages) self.send(message)
  return self
}

/** Whether a fresh process takes `message` for `pattern`. */
async function matches(pattern: unknown, message: unknown): Promise<boolean> {
  const self = createProcess()
  self.send(message)
  return (await look(self, pattern)) !== NOTHING
}

class Tagged {
  readonly type = 'a'
}

class Custom {
  readonly type = 'a';
  [P.matcher]() {
    return { match: (value: unknown) => ({ matched: value === 'custom' }) }
  }
}

const [one, two] = [makeRef(), makeRef()]
const bytes = Buffer.from('x')
const nested = { x: 1 }
const tagged = new Tagged()

const PATTERNS: readonly unknown[] = [
  {},
  { type: 'a' },
  { type: 'b' },
  { type: undefined },
  { type: null },
  { type: Number.NaN },
  { type: 'a', ref: one },
  { type: 'a', ref: two },
  { ref: one, type: 'a' },
  { type: 'a', ref: undefined },
  { type: 'a', ref: one, n: 1 },
  { type: 'a', ref: bytes },
  { type: 'a', ref: nested },
  { type: 'a', ref: [one] },
  { type: P.string },
  { type: 'a', ref: P._ },
  { type: 'a', ref: P.optional(P._) },
  { 0: 'a' },
  ['a'],
  ['a', one],
  tagged,
  new Custom(),
  { type: 'a', [P.matcher]: () => ({ match: (value: unknown) => ({ matched: value === 'custom' }) }) },
  Object.assign(Object.create(null), { type: 'a' }),
  Object.assign(Object.create({ inherited: true }), { type: 'a' }),
  P._,
  P.string,
  'a',
  undefined,
  Number.NaN,
  one,
]

const MESSAGES: readonly unknown[] = [
  { type: 'a' },
  { type: 'b' },
  {},
  { type: null },
  { type: Number.NaN },
  { type: 'a', ref: one },
  { type: 'a', ref: two },
  { type: 'a', ref: one, n: 1 },
  { type: 'a', ref: bytes },
  { type: 'a', ref: nested },
  { type: 'a', ref: { x: 1, y: 2 } },
  { type: 'a', ref: [one] },
  ['a'],
  ['a', one],
  tagged,
  new Tagged(),
  'a',
  'custom',
  undefined,
  Number.NaN,
  one,
]

test('whatever a receive asked for, the next takes what its own pattern matches', async () => {
  const kept = Object.freeze({ kept: true })
  for (const second of PATTERNS) {
    const keptMatches = await matches(second, kept)
    for (const message of MESSAGES) {
      const expected = keptMatches ? kept : (await matches(second, message)) ? message : NOTHING
      for (const first of PATTERNS) {
        const self = createProcess()
        self.send(kept)
        if ((await look(self, first)) === kept) self.send(kept)
        self.send(message)
        const taken = await look(self, second)
        if (!Object.is(taken, expected)) assert.deepEqual({ first, second, message, taken }, { expected })
      }
    }
  }
})

describe('patterns that are changed between two receives are compared as they are then', () => {
  const changes: [string, (patterns: Record<string, unknown>[]) => void, Record<string, unknown>][] = [
    ['a literal', ([p]) => Object.assign(p ?? {}, { type: 'b' }), { type: 'b', ref: one }],
    ['a reference', ([p]) => Object.assign(p ?? {}, { ref: two }), { type: 'a', ref: two }],
    ['a matcher now', ([p]) => Object.assign(p ?? {}, { ref: P.string }), { type: 'a', ref: 'x' }],
    ['a field more', ([p]) => Object.assign(p ?? {}, { n: 1 }), { type: 'a', ref: one, n: 1 }],
    ['a field less', ([p]) => Reflect.deleteProperty(p ?? {}, 'ref'), { type: 'a', ref: two }],
    ['a pattern more', patterns => patterns.push({ type: 'b' }), { type: 'b', ref: two }],
    ['another pattern', patterns => patterns.splice(0, 1, { type: 'b' }), { type: 'b', ref: two }],
  ]
  for (const [name, change, wanted] of changes) {
    test(name, async () => {
      const patterns: Record<string, unknown>[] = [{ type: 'a', ref: one }]
      const before = { type: 'a', ref: one, n: 0 }
      const self = withMessages(before)
      assert.equal(await self.receive(patterns as P.Pattern<unknown>[]), before)
      self.send(wanted)
      self.send({ type: 'a', ref: one, n: 2 })
      change(patterns)
      assert.equal(await self.receive(patterns as P.Pattern<unknown>[]), wanted)
    })
  }

  test('no pattern any more', async () => {
    const patterns: unknown[] = [{ type: 'a' }]
    const self = withMessages({ type: 'a' }, { type: 'a' })
    await self.receive(patterns as P.Pattern<unknown>[])
    patterns.pop()
    assert.equal(await self.receive(patterns as never[], { timeout: 0, onTimeout: () => NOTHING }), NOTHING)
  })
})

test('a fresh literal that pins another reference gets the message of that one', async () => {
  const refs = Array.from({ length: 50 }, makeRef)
  const self = withMessages(...refs.map((ref, n) => ({ type: 'a', ref, n })))
  for (const [n, ref] of [...refs.entries()].reverse()) {
    assert.deepEqual(await look(self, { type: 'a', ref }), { type: 'a', ref, n })
  }
})

test('a guard written anew is the one that is asked', async () => {
  const self = withMessages({ n: 1 }, { n: 2 }, { n: 3 })
  for (const wanted of [3, 1, 2]) {
    assert.deepEqual(await look(self, { n: P.when((n: unknown) => n === wanted) }), { n: wanted })
  }
})

test('a handler after the same bare pattern is called, and a bare pattern after it is not handled', async () => {
  const self = createProcess<{ readonly type: 'a'; readonly n: number }>()
  for (let n = 0; n < 6; n++) self.send({ type: 'a', n })
  assert.deepEqual(await self.receive([{ type: 'a' }]), { type: 'a', n: 0 })
  assert.equal(await self.receive([self.on({ type: 'a' }, ({ n }) => `handled ${n}`)]), 'handled 1')
  assert.equal(await self.receive([self.on({ type: 'a' }, ({ n }) => `otherwise ${n}`)]), 'otherwise 2')
  assert.deepEqual(await self.receive([{ type: 'a' }]), { type: 'a', n: 3 })
})

test('a receive that waits is not disturbed by those that ask for something else meanwhile', async () => {
  const self = withMessages({ type: 'b' })
  const waiting = self.receive([{ type: 'a', ref: one }])
  assert.deepEqual(await look(self, { type: 'b' }), { type: 'b' })
  assert.equal(await look(self, { type: 'a', ref: two }), NOTHING)
  self.send({ type: 'a', ref: two })
  self.send({ type: 'a', ref: one })
  assert.deepEqual(await waiting, { type: 'a', ref: one })
})

describe('a process whose mailbox is empty keeps no object alive that it has asked for', () => {
  async function isCollected(reference: WeakRef<object>): Promise<boolean> {
    assert.ok(globalThis.gc, 'run with --expose-gc')
    for (let i = 0; i < 10 && reference.deref() !== undefined; i++) {
      await turn()
      globalThis.gc()
    }
    return reference.deref() === undefined
  }

  const ways: [string, (self: AnyProcess, ref: object) => Promise<void>][] = [
    [
      'after it took what it asked for',
      async (self, ref) => {
        self.send({ ref })
        await self.receive([{ ref }])
      },
    ],
    [
      'after it waited for it',
      async (self, ref) => {
        const received = self.receive([{ ref }])
        self.send({ ref })
        await received
      },
    ],
    [
      'after it gave up',
      async (self, ref) => {
        await look(self, { ref })
      },
    ],
    [
      'after it exited',
      async (self, ref) => {
        self.send({ other: true })
        await look(self, { ref })
        self.exit()
      },
    ],
    [
      'after the others were flushed',
      async (self, ref) => {
        self.send({ other: true })
        await look(self, { ref })
        self.flush()
      },
    ],
  ]
  for (const [name, ask] of ways) {
    test(name, async () => {
      const self = createProcess()
      const reference = await (async () => {
        const ref = makeRef()
        await ask(self, ref)
        return new WeakRef(ref)
      })()
      assert.equal(await isCollected(reference), true)
      assert.equal(self.messageQueueLength, 0)
    })
  }
})
