// Whatever callers and the server do: each request ends exactly once, the queue is fair, and no connection has more than its limit.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import * as gun from '@holster/gun'
import { createProcess, P } from '@holster/process'
import fc from 'fast-check'
import { eventually } from '../support/client.ts'
import { type PoolScene, poolScene, type Version } from '../support/pool-scene.ts'
import { runs } from '../support/runs.ts'

/** A step of a random program. */
type Step =
  | { readonly type: 'ask'; readonly as: 'mailbox' | 'function' | 'caller' | 'response' }
  | { readonly type: 'lend' }
  | { readonly type: 'answer' | 'cancel' | 'giveBack' | 'use'; readonly which: number }
  | { readonly type: 'exit' | 'reset' | 'turn' }

const which = fc.nat(20)
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant('ask' as const),
      as: fc.constantFrom('mailbox' as const, 'function' as const, 'caller' as const, 'response' as const),
    }),
  },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('answer' as const), which }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('cancel' as const), which }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('lend' as const) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constantFrom('giveBack' as const, 'use' as const), which }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('turn' as const) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constantFrom('exit' as const, 'reset' as const) }) },
)

interface Asked {
  readonly path: string
  readonly streamRef: gun.StreamRef
  /** The connection that was lent to its caller, so that no queue is in its way. */
  readonly lent: gun.ConnPid | undefined
  /** How many ends it has had. */
  ends: number
  /** Whether nobody is to be told of an end. */
  isGivenUp: boolean
}

const ENDS = (message: gun.GunMessage) =>
  message.type === 'gun_error' ||
  ((message.type === 'gun_response' || message.type === 'gun_data') && message.isFin === 'fin')

class Program {
  readonly #it: PoolScene
  readonly asked: Asked[] = []
  readonly #lent: gun.Checkout[] = []
  /** The checkouts on which a stream was begun. */
  readonly #used: gun.Checkout[] = []
  #caller = createProcess<gun.GunMessage>()
  readonly #ofCaller = new Set<Asked>()
  readonly #mailbox = createProcess<gun.GunMessage>()
  readonly #late: Promise<unknown>[] = []

  constructor(it: PoolScene) {
    this.#it = it
  }

  async do(next: Step): Promise<void> {
    switch (next.type) {
      case 'ask':
        return this.#ask(next.as)
      case 'lend': {
        const lent = gun.pool.checkout(this.#it.pool, { checkoutTimeout: Number.POSITIVE_INFINITY })
        this.#late.push(lent.then(checkout => this.#lent.push(checkout)).catch(() => {}))
        return
      }
      case 'giveBack':
        return [...this.#lent, ...this.#used][
          next.which % (this.#lent.length + this.#used.length || 1)
        ]?.giveBack()
      case 'use': {
        const [lent] = this.#lent.splice(next.which % (this.#lent.length || 1), 1)
        if (lent === undefined) return
        this.#used.push(lent)
        return this.#use(lent)
      }
      case 'answer': {
        const { held } = this.#it.server
        return held[next.which % (held.length || 1)]?.answer()
      }
      case 'cancel': {
        const one = this.asked[next.which % (this.asked.length || 1)]
        if (one === undefined || one.ends > 0 || one.isGivenUp) return
        this.#collect()
        if (one.ends > 0) return
        one.isGivenUp = true
        if (one.lent !== undefined) return gun.cancel(one.lent, one.streamRef)
        return gun.pool.cancel(one.streamRef as gun.PoolStreamRef)
      }
      case 'exit':
        this.#collect()
        for (const one of this.#ofCaller) one.isGivenUp ||= one.ends === 0
        this.#ofCaller.clear()
        this.#caller.exit('shutdown')
        this.#caller = createProcess<gun.GunMessage>()
        return
      case 'reset':
        return this.#it.server.reset()
      case 'turn':
        for (let n = 0; n < 3; n++) await turn()
    }
  }

  /** Begins a stream on a connection that was lent. */
  #use({ connPid }: gun.Checkout): void {
    const path = `/${this.asked.length}`
    const one: Asked = { path, streamRef: undefined as never, lent: connPid, ends: 0, isGivenUp: false }
    const replyTo = (message: gun.GunMessage) => {
      if (ENDS(message)) one.ends++
    }
    Object.assign(one, { streamRef: gun.get(connPid, path, this.#it.headers, { replyTo }) })
    this.asked.push(one)
  }

  #ask(as: (Step & { type: 'ask' })['as']): void {
    const path = `/${this.asked.length}`
    const one: Asked = { path, streamRef: undefined as never, lent: undefined, ends: 0, isGivenUp: false }
    const opts: gun.PoolReqOpts = { checkoutTimeout: Number.POSITIVE_INFINITY }
    const see = (message: gun.GunMessage) => {
      if (ENDS(message)) one.ends++
    }
    const replyTo = { mailbox: this.#mailbox, caller: this.#caller, function: see, response: undefined }[as]
    const streamRef = gun.pool.get(
      path,
      this.#it.headers,
      replyTo === undefined ? opts : { ...opts, replyTo },
    )
    Object.assign(one, { streamRef })
    this.asked.push(one)
    if (as === 'caller') this.#ofCaller.add(one)
    if (as === 'response') {
      const settled = () => one.ends++
      // A stream that is cancelled has no end, so that nobody waits for it any more.
      void gun.pool.awaitResponse(streamRef, Number.POSITIVE_INFINITY).then(settled, settled)
    }
  }

  /** Reads the mailboxes. */
  #collect(): void {
    for (const process of [this.#mailbox, this.#caller]) {
      for (;;) {
        const message = takeNow(process)
        if (message === undefined) break
        const one = this.asked.find(
          ({ streamRef }) => 'streamRef' in message && streamRef === message.streamRef,
        )
        if (one !== undefined && ENDS(message)) one.ends++
      }
    }
  }

  /** Lets everything come to its end. */
  async finish(): Promise<void> {
    const { server } = this.#it
    server.isHolding = false
    const open = () => this.asked.filter(({ ends, isGivenUp }) => ends === 0 && !isGivenUp)
    await eventually(() => {
      for (const held of server.held) held.answer()
      for (const checkout of [...this.#lent, ...this.#used]) checkout.giveBack()
      this.#collect()
      return open().length === 0
    }, 'each request has an end')
    for (let n = 0; n < 5; n++) await turn()
    this.#collect()
    await Promise.all(this.#late)
    this.#mailbox.exit()
    this.#caller.exit()
  }
}

/** Takes the oldest message, without waiting. */
function takeNow(self: { flush(pattern?: never): number }): gun.GunMessage | undefined {
  let first: gun.GunMessage | undefined
  const guard = (message: gun.GunMessage) => {
    if (first !== undefined) return false
    first = message
    return true
  }
  self.flush(P.when(guard as never) as never)
  return first
}

describe('a random program of requests, checkouts, cancels, exits and resets', () => {
  for (const [version, limit] of [
    ['http', 1],
    ['http2', 1],
    ['http2', 3],
  ] as const satisfies readonly (readonly [Version, number])[]) {
    test(`over ${version}, with ${limit} at a time on each of two connections`, async () => {
      const property = fc.asyncProperty(fc.array(step, { maxLength: 40 }), async steps => {
        const begun: gun.StreamRef[] = []
        const eventHandler = { requestStart: ({ streamRef }: gun.RequestEvent) => begun.push(streamRef) }
        await using it = await poolScene({ size: 2, backoff: 0, connOpts: { eventHandler } }, version, limit)
        const program = new Program(it)
        for (const next of steps) await program.do(next)
        await program.finish()
        for (const { path, ends, isGivenUp } of program.asked) {
          assert.ok(ends === 1 || (isGivenUp && ends <= 1), `${path} has ended ${ends} times`)
        }
        assert.ok(it.server.most <= limit, `${it.server.most} were under way at once`)
        assert.equal(it.info().waiting, 0)
        // As many as begin at all do so in the order in which they were asked for, on whichever connection.
        const asked = program.asked.filter(({ lent }) => lent === undefined).map(({ streamRef }) => streamRef)
        assert.deepEqual(
          begun.filter(streamRef => asked.includes(streamRef)).map(String),
          asked.filter(streamRef => begun.includes(streamRef)).map(String),
        )
      })
      await fc.assert(property, runs(20))
    })
  }
})
