/** Whatever callers, a server and a clock do: each call ends once, no reply comes late, and messages keep their order. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CallError, createProcess, exit, type From, type Process, reply } from '@holster/process'
import fc from 'fast-check'
import { mockTimeouts } from '../../../../test/support/clock.ts'
import { runs } from '../../../../test/support/runs.ts'
import { genServer } from '../../src/index.ts'
import { collectReports } from '../support/reports.ts'

const turn = () => new Promise(resolve => setImmediate(resolve))

const CALLERS = 3

/** A step: `at` picks one of the calls that were kept, the oldest of which is 0. */
type Step =
  | {
      readonly step: 'call' | 'request'
      readonly caller: number
      readonly keeps: boolean
      readonly timeout: number
    }
  | { readonly step: 'cast' | 'info' | 'crash' | 'stop' | 'kill' }
  | { readonly step: 'release'; readonly at: number; readonly times: number }
  | { readonly step: 'pass'; readonly ms: number }

const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      step: fc.constantFrom('call' as const, 'request' as const),
      caller: fc.nat(CALLERS - 1),
      keeps: fc.boolean(),
      timeout: fc.integer({ min: 1, max: 20 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ step: fc.constantFrom('cast' as const, 'info' as const) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      step: fc.constant('release' as const),
      at: fc.nat(5),
      times: fc.integer({ min: 1, max: 3 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ step: fc.constant('pass' as const), ms: fc.nat(15) }) },
  {
    weight: 1,
    arbitrary: fc.record({ step: fc.constantFrom('crash' as const, 'stop' as const, 'kill' as const) }),
  },
)

/** A message to the server; `n` counts them in the order in which they are sent. */
type Sent = { readonly n: number }

const server = genServer.define({
  init: (seen: number[]) => ['ok', { seen, kept: new Map<number, From<number>>() }],
  handleCall: {
    ask: async ({ n, keeps }: Sent & { keeps: boolean }, from: From<number>, state) => {
      // Some take longer than others, and nothing overtakes them.
      if (n % 3 === 0) await turn()
      state.seen.push(n)
      if (!keeps) return ['reply', n, state]
      state.kept.set(n, from)
      return ['noreply', state]
    },
  },
  handleCast: {
    tell: ({ n }: Sent, state) => {
      state.seen.push(n)
      return ['noreply', state]
    },
    crash: () => {
      throw new Error('crash')
    },
  },
  handleInfo: async ({ n }: Sent, state) => {
    await null
    state.seen.push(n)
    return ['noreply', state]
  },
})

/** A call as the model knows it: `outcome` is what it must come to. */
interface Asked {
  readonly n: number
  readonly deadline: number
  outcome: string | undefined
  /** The outcomes that the call came to: exactly one, if all is well. */
  readonly came: string[]
}

async function settle(asked: Asked, answer: Promise<unknown>): Promise<void> {
  try {
    asked.came.push(`reply ${await answer}`)
  } catch (error) {
    assert.ok(error instanceof CallError, String(error))
    asked.came.push(error.reason instanceof Error ? error.reason.message : String(error.reason))
  }
}

/** Waits until the server has done all that it was sent. */
async function idle(pid: { readonly messageQueueLength: number }): Promise<void> {
  do for (let i = 0; i < 4; i++) await turn()
  while (pid.messageQueueLength > 0)
}

test('each call ends once, as it must, no reply comes late, and messages are taken in their order', async t => {
  collectReports(t)
  const pass = mockTimeouts(t)

  async function run(program: readonly Step[]): Promise<void> {
    const seen: number[] = []
    const sent: number[] = []
    const asked: Asked[] = []
    const pid = await genServer.start(server, seen)
    const { kept } = await genServer.getState(pid)
    const callers: Process[] = Array.from({ length: CALLERS }, () => createProcess())
    let now = 0
    let end: string | undefined
    let n = 0
    for (const next of program) {
      // Calls, casts and other messages pile up in between.
      if (!['call', 'request', 'cast', 'info'].includes(next.step)) await idle(pid)
      if (next.step === 'pass') {
        now += next.ms
        for (const call of asked) if (call.deadline <= now) call.outcome ??= 'timeout'
        await pass(next.ms)
        continue
      }
      if (next.step === 'release') {
        const [number, from] = [...kept][next.at] ?? []
        if (number === undefined || from === undefined) continue
        const call = asked.find(one => one.n === number)
        assert.ok(call)
        call.outcome ??= `reply ${number}`
        for (let i = 0; i < next.times; i++) reply(from, number + i * 1000)
        continue
      }
      n++
      if (next.step === 'call' || next.step === 'request') {
        const self = callers[next.caller] as Process
        const outcome = end !== undefined ? 'noproc' : next.keeps ? undefined : `reply ${n}`
        const call: Asked = { n, deadline: now + next.timeout, outcome, came: [] }
        asked.push(call)
        if (end === undefined) sent.push(n)
        const request = { type: 'ask', n, keeps: next.keeps } as const
        const answer =
          next.step === 'call'
            ? self.call(pid, request, next.timeout)
            : genServer.receiveResponse(self, genServer.sendRequest(self, pid, request), next.timeout)
        void settle(call, answer)
      } else if (next.step === 'cast' || next.step === 'info') {
        if (end === undefined) sent.push(n)
        if (next.step === 'cast') genServer.cast(pid, { type: 'tell', n })
        else pid.send({ n })
      } else {
        const reason = { crash: 'crash', stop: 'normal', kill: 'killed' }[next.step]
        if (next.step === 'crash') genServer.cast(pid, { type: 'crash' })
        else if (next.step === 'stop') void genServer.stop(pid).catch(() => undefined)
        else exit(pid, 'kill')
        for (const call of asked) call.outcome ??= reason
        end ??= reason
        await idle(pid)
      }
    }
    await idle(pid)
    for (const call of asked) call.outcome ??= 'timeout'
    await pass(100)
    assert.deepEqual(
      asked.map(({ n: number, came }) => [number, came]),
      asked.map(({ n: number, outcome }) => [number, [outcome]]),
    )
    assert.deepEqual(seen, sent)
    for (const from of kept.values()) reply(from, -1)
    await turn()
    for (const self of callers) assert.equal(self.messageQueueLength, 0)
    for (const process of [pid, ...callers]) process.exit()
    await turn()
  }

  await fc.assert(
    fc.asyncProperty(fc.array(steps, { maxLength: 40 }), program => run(program)),
    runs(200),
  )
})
