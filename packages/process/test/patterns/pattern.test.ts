// The pattern decides how values are compared, and not the value.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createProcess, makeRef, P } from '../../src/index.ts'

/** Whether a process that expects anything would take `message` for `pattern`. */
function matches(pattern: unknown, message: unknown): boolean {
  const self = createProcess()
  self.send(message)
  return self.flush(pattern as P.Pattern<unknown>) === 1
}

class Handle {
  readonly name: string
  constructor(name: string) {
    this.name = name
  }
}

describe('literals', () => {
  test('compare by identity', () => {
    for (const value of [0, 1, '', 'x', true, false, null, 10n, Symbol.for('x')]) {
      assert.equal(matches(value, value), true)
      assert.equal(matches(value, 'other'), false)
    }
    assert.equal(matches(1, '1'), false)
  })

  test('NaN matches NaN, alone, in a field and in an array', () => {
    assert.equal(matches(Number.NaN, Number.NaN), true)
    assert.equal(matches({ n: Number.NaN }, { n: Number.NaN }), true)
    assert.equal(matches([Number.NaN], [Number.NaN]), true)
    assert.equal(matches({ n: Number.NaN }, { n: 1 }), false)
  })
})

describe('plain objects', () => {
  test('match partially', () => {
    assert.equal(matches({ type: 'a' }, { type: 'a', n: 1 }), true)
    assert.equal(matches({ type: 'a', n: 2 }, { type: 'a', n: 1 }), false)
    assert.equal(matches({}, { type: 'a' }), true)
    assert.equal(matches({}, 'a'), false)
    assert.equal(matches({}, null), false)
  })

  test('match in depth', () => {
    assert.equal(matches({ a: { b: { c: 1 } } }, { a: { b: { c: 1, d: 2 }, e: 3 } }), true)
    assert.equal(matches({ a: { b: { c: 2 } } }, { a: { b: { c: 1 } } }), false)
    assert.equal(matches({ a: { b: 1 } }, {}), false)
  })

  test('without a prototype are plain too', () => {
    assert.equal(matches({ a: Object.assign(Object.create(null), { b: 1 }) }, { a: { b: 1, c: 2 } }), true)
  })

  test('match a class instance or a function by its fields, getters included', () => {
    class Point {
      get type(): string {
        return 'point'
      }
    }
    assert.equal(matches({ type: 'point' }, new Point()), true)
    assert.equal(
      matches(
        { type: 'f' },
        Object.assign(() => 0, { type: 'f' }),
      ),
      true,
    )
  })

  test('a key given as undefined matches a message without that field, or with it undefined', () => {
    assert.equal(matches({ type: 'e', ref: undefined }, { type: 'e' }), true)
    assert.equal(matches({ type: 'e', ref: undefined }, { type: 'e', ref: undefined }), true)
    assert.equal(matches({ type: 'e', ref: undefined }, { type: 'e', ref: makeRef() }), false)
    assert.equal(matches({ type: 'e', ref: undefined }, { type: 'e', ref: null }), false)
  })

  test('a pattern that is changed between two receives is compared as it is then', () => {
    const pattern = { n: 1 }
    assert.equal(matches(pattern, { n: 1 }), true)
    pattern.n = 2
    assert.equal(matches(pattern, { n: 1 }), false)
  })
})

describe('objects that are not plain', () => {
  test('compare by identity, also when their fields are equal', () => {
    const handle = new Handle('x')
    assert.equal(matches(handle, handle), true)
    assert.equal(matches({ handle }, { handle }), true)
    assert.equal(matches({ handle }, { handle: new Handle('x') }), false)
    assert.equal(matches(makeRef(), makeRef()), false)
  })

  test('dates, maps and bytes compare by identity', () => {
    for (const make of [() => new Date(0), () => new Map(), () => Buffer.from('x')]) {
      const value: unknown = make()
      assert.equal(matches({ value }, { value }), true)
      assert.equal(matches({ value }, { value: make() }), false)
    }
  })
})

describe('arrays', () => {
  test('need equal length', () => {
    assert.equal(matches(['a', 1], ['a', 1]), true)
    assert.equal(matches(['a'], ['a', 1]), false)
    assert.equal(matches(['a', 1], ['a']), false)
    assert.equal(matches([], []), true)
    assert.equal(matches([], { length: 0 }), false)
  })

  test('hold patterns of any kind', () => {
    const ref = makeRef()
    assert.equal(matches({ frame: ['text', P.string] }, { frame: ['text', 'x'] }), true)
    assert.equal(matches({ frame: ['text', P.string] }, { frame: ['binary', 'x'] }), false)
    assert.equal(matches([ref, { n: 1 }, [2]], [ref, { n: 1, m: 2 }, [2]]), true)
    assert.equal(matches([ref], [makeRef()]), false)
  })

  test('may hold one variadic element, at the start, in the middle or at the end', () => {
    assert.equal(matches(['a', ...P.array(P.number)], ['a', 1, 2]), true)
    assert.equal(matches(['a', ...P.array(P.number)], ['a']), true)
    assert.equal(matches(['a', ...P.array(P.number)], ['a', 'b']), false)
    assert.equal(matches([...P.array(P.number), 'z'], [1, 2, 'z']), true)
    assert.equal(matches(['a', ...P.array(P.number), 'z'], ['a', 1, 'z']), true)
    assert.equal(matches(['a', ...P.array(P.number), 'z'], ['a']), false)
    assert.equal(matches(['a', ...P.array(P.number), 'z'], 'az'), false)
    assert.equal(matches({ list: ['a', ...P.array()] }, { list: ['a', {}] }), true)
  })

  test('beside a variadic element references compare by identity as everywhere', () => {
    const ref = makeRef()
    assert.equal(matches([ref, ...P.array()], [ref, 1]), true)
    assert.equal(matches([ref, ...P.array()], [makeRef(), 1]), false)
    assert.equal(matches([...P.array(), new Handle('x')], [1, new Handle('x')]), false)
  })
})

describe('the wildcards of ts-pattern', () => {
  test('P._ takes anything, but as a field only one that is there', () => {
    for (const value of [undefined, null, 0, {}, []]) assert.equal(matches(P._, value), true)
    assert.equal(matches({ a: P._ }, { a: undefined }), true)
    assert.equal(matches({ a: P._ }, {}), false)
  })

  test('P.string, P.number, P.nullish and P.instanceOf match by type', () => {
    assert.equal(matches({ a: P.string }, { a: 'x' }), true)
    assert.equal(matches({ a: P.string }, { a: 1 }), false)
    assert.equal(matches({ a: P.number.gt(1) }, { a: 2 }), true)
    assert.equal(matches({ a: P.nullish }, { a: null }), true)
    assert.equal(matches({ a: P.instanceOf(Handle) }, { a: new Handle('x') }), true)
    assert.equal(matches({ a: P.instanceOf(Handle) }, { a: {} }), false)
  })

  test('P.optional also matches where the field is absent', () => {
    assert.equal(matches({ a: P.optional(P.string) }, {}), true)
    assert.equal(matches({ a: P.optional(P.string) }, { a: 'x' }), true)
    assert.equal(matches({ a: P.optional(P.string) }, { a: 1 }), false)
  })

  test('P.when asks a guard, and P.union, P.not and P.intersection combine', () => {
    assert.equal(matches({ a: P.when((n: unknown) => n === 2) }, { a: 2 }), true)
    assert.equal(matches({ a: P.union('x', 'y') }, { a: 'y' }), true)
    assert.equal(matches({ a: P.union('x', 'y') }, { a: 'z' }), false)
    assert.equal(matches({ a: P.not('x') }, { a: 'x' }), false)
    assert.equal(
      matches(
        {
          a: P.intersection(
            P.string,
            P.when(v => v === 'x'),
          ),
        },
        { a: 'x' },
      ),
      true,
    )
  })

  test('P.array takes arrays of any length', () => {
    assert.equal(matches({ a: P.array(P.string) }, { a: [] }), true)
    assert.equal(matches({ a: P.array(P.string) }, { a: ['x', 'y'] }), true)
    assert.equal(matches({ a: P.array(P.string) }, { a: ['x', 1] }), false)
  })

  test('refs and processes inside P.union and P.not compare by identity', () => {
    const [one, two] = [makeRef(), makeRef()]
    assert.equal(matches({ ref: P.union<object, [object, object]>(one, two) }, { ref: two }), true)
    assert.equal(matches({ ref: P.union<object, [object, object]>(one, two) }, { ref: makeRef() }), false)
    assert.equal(matches({ ref: P.not<object, object>(one) }, { ref: two }), true)
    assert.equal(matches({ ref: P.not<object, object>(one) }, { ref: one }), false)
    const [me, other] = [createProcess(), createProcess()]
    assert.equal(matches({ pid: P.union<object, [object, object]>(me, one) }, { pid: me }), true)
    assert.equal(matches({ pid: P.union<object, [object, object]>(me, one) }, { pid: other }), false)
  })
})

describe('a pattern that pins a reference', () => {
  interface Answer {
    readonly type: 'answer'
    readonly ref: object
    readonly to?: object
    readonly n: number
  }

  test('finds its message among many, and leaves the others in order', async () => {
    const self = createProcess<Answer>()
    const refs = Array.from({ length: 500 }, makeRef)
    for (const [n, ref] of refs.entries()) self.send({ type: 'answer', ref, n })
    for (const n of [499, 0, 250]) {
      assert.equal((await self.receive([{ type: 'answer', ref: refs[n] as object }], 0)).n, n)
    }
    const rest: number[] = []
    while (self.messageQueueLength > 0) rest.push((await self.receive([{ type: 'answer' }])).n)
    assert.deepEqual(
      rest,
      refs.map((_, n) => n).filter(n => n !== 499 && n !== 0 && n !== 250),
    )
  })

  test('tries no other message', async () => {
    const self = createProcess<Answer>()
    const ref = makeRef()
    let tried = 0
    for (let n = 0; n < 1000; n++) self.send({ type: 'answer', ref: makeRef(), n })
    self.send({ type: 'answer', ref, n: -1 })
    const count = P.when((_: unknown) => ++tried > 0)
    assert.equal((await self.receive([{ type: 'answer', n: count, ref }], 0)).n, -1)
    assert.equal(tried, 1)
  })

  test('asks its guards about no message without them, however few wait and also while it waits', async () => {
    const self = createProcess<Answer>()
    const ref = makeRef()
    const asked: unknown[] = []
    const guard = P.when((n: unknown) => asked.push(n) > 1)
    for (let n = 0; n < 5; n++) self.send({ type: 'answer', ref: n === 3 ? ref : makeRef(), n })
    const received = self.receive([{ type: 'answer', n: guard, ref }])
    assert.deepEqual(asked, [3])
    self.send({ type: 'answer', ref: makeRef(), n: 5 })
    self.send({ type: 'answer', ref, n: 6 })
    assert.equal((await received).n, 6)
    assert.deepEqual(asked, [3, 6])
  })

  test('needs all of its references', async () => {
    const self = createProcess<Answer>()
    const [ref, to] = [makeRef(), makeRef()]
    for (let n = 0; n < 100; n++) self.send({ type: 'answer', ref, to: makeRef(), n })
    self.send({ type: 'answer', ref, to, n: 100 })
    self.send({ type: 'answer', ref: makeRef(), to, n: 101 })
    assert.equal((await self.receive([{ type: 'answer', ref, to }], 0)).n, 100)
    await assert.rejects(self.receive([{ type: 'answer', ref, to }], 0), { name: 'ReceiveTimeout' })
  })

  test('finds messages that carry the reference in two fields, each once', async () => {
    const self = createProcess<Answer>()
    const ref = makeRef()
    for (let n = 0; n < 100; n++) self.send({ type: 'answer', ref, to: ref, n })
    for (const n of [0, 1, 2]) assert.equal((await self.receive([{ type: 'answer', to: ref }], 0)).n, n)
    await self.receive([{ n: 50 }])
    const rest: number[] = []
    for (let i = 0; i < 96; i++) rest.push((await self.receive([{ type: 'answer', ref }], 0)).n)
    assert.equal(rest.length, 96)
    assert.equal(self.messageQueueLength, 0)
  })

  test('finds tuples and class instances as well', async () => {
    class Mail {
      readonly ref: object
      constructor(ref: object) {
        this.ref = ref
      }
    }
    const self = createProcess<unknown>()
    const ref = makeRef()
    for (let n = 0; n < 100; n++) self.send([makeRef(), n])
    const long = Array.from({ length: 17 }, () => ref)
    const sent = [[ref, 'tuple'], new Mail(ref), { ref }, long]
    for (const message of sent) self.send(message)
    assert.equal(await self.receive([{ ref }], 0), sent[1])
    assert.equal(await self.receive([[ref, P._]], 0), sent[0])
    assert.equal(await self.receive([{ ref }], 0), sent[2])
    assert.equal(await self.receive([{ 16: ref }], 0), long)
    assert.equal(self.messageQueueLength, 100)
  })

  test('among several patterns the oldest message over all of them is taken', async () => {
    const self = createProcess<Answer>()
    const [one, two] = [makeRef(), makeRef()]
    for (let n = 0; n < 100; n++) self.send({ type: 'answer', ref: makeRef(), n })
    for (const [n, ref] of [two, one, two, one].entries()) self.send({ type: 'answer', ref, n })
    const order: number[] = []
    for (let i = 0; i < 4; i++)
      order.push(
        (
          await self.receive(
            [
              { type: 'answer', ref: one },
              { type: 'answer', ref: two },
            ],
            0,
          )
        ).n,
      )
    assert.deepEqual(order, [0, 1, 2, 3])
  })

  test('still finds its messages after the backlog has shrunk and grown again', async () => {
    const self = createProcess<Answer>()
    const ref = makeRef()
    let n = 0
    for (let round = 0; round < 3; round++) {
      while (self.messageQueueLength < 65) self.send({ type: 'answer', ref, n: n++ })
      while (self.messageQueueLength > 15) await self.receive([{ ref }], 0)
    }
    while (self.messageQueueLength < 65) self.send({ type: 'answer', ref, n: n++ })
    for (let left = self.messageQueueLength; left > 0; left--) {
      assert.equal((await self.receive([{ type: 'answer', ref }], 0)).n, n - left)
    }
  })
})

test('a function is no pattern, wherever it stands: it throws at once, and names P.when', () => {
  const self = createProcess()
  const guard = (value: unknown): boolean => value === 1
  const refused: [unknown, string][] = [
    [guard, 'there is'],
    [{ type: 'a', n: guard }, "'n' is"],
    [{ a: { b: guard } }, "'b' is"],
    [['a', guard], "'1' is"],
    [['a', guard, ...P.array(P.string)], 'there is'],
    [P.string.optional, 'there is'],
  ]
  for (const [pattern, subject] of refused) {
    const message = `patterns: ${subject} a function, which is no pattern: write P.when(guard) for a guard`
    assert.throws(() => self.receive([pattern as P.Pattern<unknown>]), { name: 'TypeError', message })
    assert.throws(() => self.flush(pattern as P.Pattern<unknown>), { name: 'TypeError', message })
  }
  self.exit()
})

test('a regular expression is no pattern, wherever it stands: it throws at once, and names P.string.regex', () => {
  const self = createProcess()
  const refused: [unknown, string][] = [
    [/a/, 'there is'],
    [{ type: /gun_.*/ }, "'type' is"],
    [['a', /b/], "'1' is"],
  ]
  for (const [pattern, subject] of refused) {
    const message = new RegExp(`^patterns: ${subject} a regular expression, .*: write P\\.string\\.regex\\(/`)
    assert.throws(() => self.receive([pattern as P.Pattern<unknown>]), { name: 'TypeError', message })
  }
  self.exit()
})
