// Messages are listed by their references only once a receive has to look far for one.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createProcess, makeRef, P, type Process, type Ref } from '../../src/index.ts'
import { turn } from '../support/turns.ts'

interface Answer {
  readonly type: 'answer'
  readonly ref: Ref
  readonly n: number
}

/** How many messages a receive passes before it has them listed. */
const FAR = 10

/** Answers that count how often they are listed, and how often they are tried. */
class Answers {
  listed = 0
  tried = 0

  make(ref: Ref, n: number): Answer {
    const count = this
    // The patterns below ask for the type before the reference; the list reads the reference alone.
    let isTried = false
    return {
      get type() {
        count.tried++
        isTried = true
        return 'answer' as const
      },
      get ref() {
        if (!isTried) count.listed++
        isTried = false
        return ref
      },
      get n() {
        isTried = false
        return n
      },
    }
  }
}

function backlog(length: number): { self: Process<Answer>; refs: Ref[]; answers: Answers } {
  const self = createProcess<Answer>()
  const answers = new Answers()
  const refs = Array.from({ length }, makeRef)
  for (const [n, ref] of refs.entries()) self.send(answers.make(ref, n))
  answers.tried = 0
  return { self, refs, answers }
}

async function take(self: Process<Answer>, ref: Ref | undefined): Promise<number> {
  const { n } = await self.receive([{ type: 'answer', ref: ref as Ref }], 0)
  return n
}

describe('messages are listed by their references', () => {
  test('not when they arrive, nor when they are taken in order', async () => {
    const { self, refs, answers } = backlog(1000)
    for (const [n, ref] of refs.entries()) assert.equal(await take(self, ref), n)
    assert.equal(answers.listed, 0)
  })

  test(`not for one that has ${FAR - 1} others before it, and all at once for one that has ${FAR}`, async () => {
    const { self, refs, answers } = backlog(100)
    assert.equal(await take(self, refs[FAR - 1]), FAR - 1)
    assert.equal(answers.listed, 0)
    assert.equal(await take(self, refs[FAR + 1]), FAR + 1)
    assert.equal(answers.listed, 99)
  })

  test('not for a receive that one pattern lets take anything, however far it looks', async () => {
    const { self, answers } = backlog(100)
    const found = await self.receive(
      [
        { type: 'answer', ref: makeRef() },
        { type: 'answer', n: 99 },
      ],
      0,
    )
    assert.equal(found.n, 99)
    assert.equal(answers.listed, 0)
  })

  test('once each, those that come later as well', async () => {
    const { self, refs, answers } = backlog(100)
    assert.equal(await take(self, refs[50]), 50)
    assert.equal(await take(self, refs[60]), 60)
    assert.equal(answers.listed, 100)
    const [late, later] = [makeRef(), makeRef()]
    self.send(answers.make(late, 100))
    self.send(answers.make(later, 101))
    assert.equal(answers.listed, 100)
    assert.equal(await take(self, later), 101)
    assert.equal(await take(self, late), 100)
    assert.equal(answers.listed, 102)
  })

  test('again from the first on when the mailbox was emptied meanwhile', async () => {
    const { self, refs, answers } = backlog(100)
    assert.equal(await take(self, refs[99]), 99)
    assert.equal(self.flush(), 99)
    answers.listed = 0
    for (let n = 0; n < 50; n++) self.send(answers.make(refs[n] as Ref, n))
    assert.equal(await take(self, refs[49]), 49)
    assert.equal(answers.listed, 50)
    for (let n = 0; n < 49; n++) assert.equal(await take(self, refs[n]), n)
  })

  test('so that finding one costs the same however many wait', async () => {
    const costs: number[] = []
    for (const length of [100, 10_000]) {
      const { self, refs, answers } = backlog(length)
      await take(self, refs[length - 1])
      answers.tried = 0
      for (let n = length - 2; n >= length - 50; n--) assert.equal(await take(self, refs[n]), n)
      costs.push(answers.tried)
    }
    assert.equal(costs[0], costs[1])
    assert.ok((costs[0] ?? 0) <= 49 * 2, `${costs[0]} messages were tried to find 49`)
  })

  test('although a getter throws: only a receive that asks for its field gets the error', async () => {
    const { self, refs } = backlog(50)
    const ref = makeRef()
    const faulty = {
      type: 'answer' as const,
      get n(): number {
        throw new Error('getter')
      },
      ref,
    }
    self.send(faulty)
    for (const n of [40, 30, 20]) assert.equal(await take(self, refs[n]), n)
    await assert.rejects(self.receive([{ n: -1, ref }], 0), { message: 'getter' })
    assert.equal(await self.receive([{ type: 'answer', ref }], 0), faulty)
  })

  test('although the getter of that reference throws: only a receive that asks for it and matches so far gets the error', async () => {
    const self = createProcess<Answer | { readonly type: 'faulty'; readonly ref: Ref }>()
    const refs = Array.from({ length: 50 }, makeRef)
    const faulty = {
      type: 'faulty' as const,
      get ref(): Ref {
        throw new Error('getter')
      },
    }
    self.send(faulty)
    for (const [n, ref] of refs.entries()) self.send({ type: 'answer', ref, n })
    for (const n of [40, 30, 20]) {
      const answer = await self.receive([{ type: 'answer', ref: refs[n] as Ref }], 0)
      assert.equal('n' in answer && answer.n, n)
    }
    await assert.rejects(self.receive([{ type: 'faulty', ref: makeRef() }], 0), { message: 'getter' })
    assert.equal(await self.receive([{ type: 'faulty' }], 0), faulty)
  })

  test('by the fields that receives ask for, and by no other', async () => {
    const self = createProcess<{ readonly conn: Ref; readonly stream: Ref; readonly n: number }>()
    const conns = Array.from({ length: 3 }, makeRef)
    const streams = Array.from({ length: 100 }, makeRef)
    const others = makeRef()
    const pick = (n: number) => conns[n % 3] as Ref
    let read = 0
    for (const [n, stream] of streams.entries()) {
      const conn = pick(n)
      const message = {
        get conn() {
          read++
          return conn
        },
        stream,
        n,
      }
      self.send(message)
    }
    assert.equal((await self.receive([{ stream: streams[50] as Ref }], 0)).n, 50)
    assert.equal(read, 0)
    assert.equal((await self.receive([{ conn: pick(90), stream: streams[90] as Ref }], 0)).n, 90)
    assert.equal((await self.receive([{ conn: pick(2) }], 0)).n, 2)
    assert.equal((await self.receive([{ stream: streams[70] as Ref }, { conn: pick(1) }], 0)).n, 1)
    const neither = { timeout: 0, onTimeout: () => undefined }
    assert.equal(await self.receive([{ conn: pick(0), stream: streams[1] as Ref }], neither), undefined)
    assert.equal(await self.receive([{ conn: others, stream: streams[3] as Ref }], neither), undefined)
  })

  test('and keep no reference alive once they are taken', async () => {
    assert.ok(globalThis.gc, 'run with --expose-gc')
    const self = createProcess<Answer>()
    const answers = new Answers()
    const references = await (async () => {
      const refs = Array.from({ length: 100 }, makeRef)
      for (const [n, ref] of refs.entries()) self.send(answers.make(ref, n))
      self.send(answers.make(makeRef(), 100))
      await take(self, refs[99])
      for (const ref of refs.slice(0, 99)) await take(self, ref)
      await self.receive([{ n: 50 }], { timeout: 0, onTimeout: () => undefined })
      return refs.map(ref => new WeakRef(ref))
    })()
    assert.equal(self.messageQueueLength, 1)
    const alive = () => references.filter(reference => reference.deref() !== undefined).length
    for (let i = 0; i < 10 && alive() > 0; i++) {
      await turn()
      globalThis.gc()
    }
    assert.equal(alive(), 0)
  })
})

describe('a receive that looks by the list', () => {
  test('goes on after what it has passed already: no message is tried twice', async () => {
    const self = createProcess<Answer>()
    const ref = makeRef()
    for (let n = 0; n < 100; n++) self.send({ type: 'answer', ref, n })
    const tried: number[] = []
    const guard = P.when((n: unknown) => {
      tried.push(n as number)
      return false
    })
    const missed = self.receive([{ type: 'answer', ref, n: guard }], { timeout: 0, onTimeout: () => 'none' })
    assert.equal(await missed, 'none')
    assert.deepEqual(
      tried,
      Array.from({ length: 100 }, (_, n) => n),
    )
  })

  test('goes on when its guard takes messages, also those it stands on and those that come next', async () => {
    const self = createProcess<Answer>()
    const [ref, other] = [makeRef(), makeRef()]
    for (let n = 0; n < 100; n++) self.send({ type: 'answer', ref: n % 2 === 0 ? ref : other, n })
    const inner: Promise<Answer>[] = []
    const thief = P.when((n: unknown) => {
      if (n === 4 || n === 60) {
        for (const wanted of [n, n + 2, n + 4, n + 1, 99 - n])
          inner.push(self.receive([{ type: 'answer', n: wanted }], 0))
        inner.push(self.receive([{ type: 'answer', ref: other }], 0))
      }
      return n === 66 || n === 64
    })
    assert.equal((await self.receive([{ ref, n: thief }], 0)).n, 66)
    const taken = (await Promise.all(inner)).map(({ n }) => n)
    assert.deepEqual(taken, [4, 6, 8, 5, 95, 1, 60, 62, 64, 61, 39, 3])
    assert.equal(self.messageQueueLength, 100 - 13)
  })
})

describe('receives that ask for the same tag again', () => {
  test('do not look again at what they have passed', async () => {
    const self = createProcess<{ readonly type: string }>()
    let reads = 0
    class Noise {
      get type(): string {
        reads++
        return 'noise'
      }
    }
    for (let n = 0; n < 1000; n++) self.send(new Noise())
    for (let n = 0; n < 100; n++) {
      self.send({ type: 'wanted' })
      await self.receive([{ type: 'wanted' }])
    }
    assert.ok(reads <= 2 * 1000, `${reads} reads of 1,000 messages`)
    assert.equal(self.messageQueueLength, 1000)
  })

  test('get the oldest, whatever was taken and dropped between them', async () => {
    const self = createProcess<{ readonly type: string; readonly n: number }>()
    const model: { type: string; n: number }[] = []
    const tags = ['a', 'b', 'c']
    let state = 1
    const random = (below: number) => {
      state = (state * 48271) % 2147483647
      return state % below
    }
    const take = (type: string | undefined) => {
      const at = model.findIndex(message => type === undefined || message.type === type)
      return at < 0 ? undefined : model.splice(at, 1)[0]
    }
    for (let n = 0; n < 20_000; n++) {
      const type = tags[random(3)] as string
      const what = random(100)
      if (what < 55) {
        model.push({ type, n })
        self.send({ type, n })
      } else if (what < 98) {
        const pattern = what < 90 ? { type } : P._
        const limits = { timeout: 0, onTimeout: () => undefined }
        const expected = take(what < 90 ? type : undefined)
        assert.deepEqual(await self.receive([pattern], limits), expected)
      } else if (what === 98) {
        self.flush({ type })
        while (take(type) !== undefined);
      }
    }
    assert.equal(self.messageQueueLength, model.length)
  })
})
