// The mailbox and a deliberately naive model of Erlang's receive agree on long random traces.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { runs } from '../../../../test/support/runs.ts'
import { createProcess, makeRef, P, type Process, ReceiveTimeout, type Ref } from '../../src/index.ts'

interface Message {
  readonly tag: 'x' | 'y' | 'z'
  readonly ref?: Ref | undefined
  readonly via?: Ref | undefined
  readonly n: number
}

const REFS = Array.from({ length: 5 }, makeRef)

/** A pattern, as the mailbox gets it and as a plain predicate. */
interface Shape {
  readonly pattern: object
  readonly accepts: (message: Message) => boolean
}

const ref = fc.constantFrom(...REFS)
const tag = fc.constantFrom('x' as const, 'y' as const, 'z' as const)
const divisor = fc.integer({ min: 2, max: 9 })

function divisibleBy(k: number) {
  return P.when((n: unknown) => Number(n) % k === 0)
}

const shape: fc.Arbitrary<Shape> = fc.oneof(
  tag.map((tag): Shape => ({ pattern: { tag }, accepts: m => m.tag === tag })),
  ref.map((ref): Shape => ({ pattern: { ref }, accepts: m => m.ref === ref })),
  ref.map((via): Shape => ({ pattern: { via }, accepts: m => m.via === via })),
  fc
    .tuple(ref, ref)
    .map(([ref, via]): Shape => ({ pattern: { ref, via }, accepts: m => m.ref === ref && m.via === via })),
  fc
    .tuple(tag, ref)
    .map(([tag, ref]): Shape => ({ pattern: { tag, ref }, accepts: m => m.tag === tag && m.ref === ref })),
  fc.constant<Shape>({ pattern: {}, accepts: () => true }),
  fc.constant<Shape>({ pattern: { ref: undefined }, accepts: m => m.ref === undefined }),
  divisor.map((k): Shape => ({ pattern: { n: divisibleBy(k) }, accepts: m => m.n % k === 0 })),
  fc.tuple(ref, divisor).map(
    ([ref, k]): Shape => ({
      pattern: { ref, n: divisibleBy(k) },
      accepts: m => m.ref === ref && m.n % k === 0,
    }),
  ),
)
const shapes = fc.oneof(fc.tuple(shape), fc.array(shape, { minLength: 2, maxLength: 3 }))
const reference = fc.option(ref, { nil: undefined })

type Step =
  | { readonly do: 'send'; readonly messages: readonly Omit<Message, 'n'>[]; readonly twice: boolean }
  | { readonly do: 'drain'; readonly shapes: readonly Shape[]; readonly times: number }
  | { readonly do: 'wait'; readonly shapes: readonly Shape[]; readonly timeout: number }
  | { readonly do: 'flush'; readonly shape: Shape }
  | { readonly do: 'tick'; readonly ms: number }

const sent = fc
  .record({ tag: fc.constantFrom('x' as const, 'y' as const, 'z' as const), ref: reference, via: reference })
  .map(({ tag, ref, via }) => ({
    tag,
    ...(ref === undefined ? {} : { ref }),
    ...(via === undefined ? {} : { via }),
  }))

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('send' as const),
      messages: fc.array(sent, { minLength: 1, maxLength: 40, size: 'max' }),
      twice: fc.boolean(),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('drain' as const),
      shapes,
      times: fc.integer({ min: 1, max: 80 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      shapes,
      timeout: fc.integer({ min: 1, max: 20 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('flush' as const), shape }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('tick' as const), ms: fc.integer({ min: 1, max: 10 }) }),
  },
)

type Outcome = Message | 'timeout' | 'pending' | 'exited'

interface ModelWaiter {
  readonly shapes: readonly Shape[]
  readonly due: number
  readonly id: number
}

/** Erlang's receive, from arrays and linear scans. */
class Model {
  queue: Message[] = []
  waiting: ModelWaiter[] = []
  readonly outcomes: Outcome[] = []
  longest = 0
  /** How many receives had to look so far that the mailbox had to list its messages. */
  far = 0
  #now = 0

  send(message: Message): void {
    const i = this.waiting.findIndex(waiter => waiter.shapes.some(shape => shape.accepts(message)))
    const [waiter] = i === -1 ? [] : this.waiting.splice(i, 1)
    if (waiter === undefined) this.queue.push(message)
    else this.outcomes[waiter.id] = message
    this.longest = Math.max(this.longest, this.queue.length)
  }

  receive(shapes: readonly Shape[], timeout: number): void {
    const id = this.outcomes.length
    const i = this.queue.findIndex(message => shapes.some(shape => shape.accepts(message)))
    if (i >= 10) this.far++
    if (i !== -1) this.outcomes.push(...this.queue.splice(i, 1))
    else if (timeout === 0) this.outcomes.push('timeout')
    else {
      this.outcomes.push('pending')
      this.waiting.push({ shapes, due: this.#now + timeout, id })
    }
  }

  flush(shape: Shape): number {
    const before = this.queue.length
    this.queue = this.queue.filter(message => !shape.accepts(message))
    return before - this.queue.length
  }

  tick(ms: number): void {
    this.#now += ms
    for (const waiter of this.waiting) if (waiter.due <= this.#now) this.outcomes[waiter.id] = 'timeout'
    this.waiting = this.waiting.filter(waiter => waiter.due > this.#now)
  }
}

/** The real mailbox, its outcomes noted in the same way. */
class Subject {
  readonly outcomes: Outcome[] = []
  readonly self: Process<Message> = createProcess<Message>()

  flush({ pattern }: Shape): number {
    return this.self.flush(pattern)
  }

  receive(shapes: readonly Shape[], timeout: number): void {
    const id = this.outcomes.push('pending') - 1
    const patterns = shapes.map(({ pattern }) => pattern) as P.Pattern<Message>[]
    this.self.receive(patterns, timeout).then(
      message => {
        this.outcomes[id] = message as Message
      },
      (error: unknown) => {
        this.outcomes[id] = error instanceof ReceiveTimeout ? 'timeout' : 'exited'
      },
    )
  }
}

test('the mailbox agrees with a naive model of receive on long random traces', async t => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let longest = 0
  let far = 0
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 30, maxLength: 120, size: 'max' }), async steps => {
      const model = new Model()
      const subject = new Subject()
      let n = 0
      for (const step of steps) {
        if (step.do === 'send') {
          for (const fields of step.messages) {
            const message: Message = { ...fields, n: n++ }
            for (let i = step.twice ? 2 : 1; i > 0; i--) {
              model.send(message)
              subject.self.send(message)
            }
          }
        } else if (step.do === 'drain') {
          for (let i = 0; i < step.times; i++) {
            model.receive(step.shapes, 0)
            subject.receive(step.shapes, 0)
          }
        } else if (step.do === 'wait') {
          model.receive(step.shapes, step.timeout)
          subject.receive(step.shapes, step.timeout)
        } else if (step.do === 'flush') {
          assert.equal(subject.flush(step.shape), model.flush(step.shape))
        } else {
          model.tick(step.ms)
          t.mock.timers.tick(step.ms)
        }
        assert.equal(subject.self.messageQueueLength, model.queue.length)
      }
      longest = Math.max(longest, model.longest)
      far += model.far
      // Now and then a settled receive takes one turn of the event loop.
      await new Promise(resolve => setImmediate(resolve))
      assert.equal(subject.outcomes.length, model.outcomes.length)
      for (const [i, outcome] of model.outcomes.entries()) {
        const ours = subject.outcomes[i]
        if (ours !== outcome) assert.deepEqual(ours, outcome, `receive ${i}`)
      }
      const rest: Message[] = []
      while (subject.self.messageQueueLength > 0) rest.push((await subject.self.receive([P._], 0)) as Message)
      assert.deepEqual(
        rest.map(message => message.n),
        model.queue.map(message => message.n),
      )
      subject.self.exit()
    }),
    runs(200),
  )
  assert.ok(longest > 128, `the longest backlog was only ${longest}`)
  assert.ok(far > 1000, `only ${far} receives passed ten messages or more`)
})
