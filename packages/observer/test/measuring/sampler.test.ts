// A sampler takes the measures of each second; messages are counted only while somebody looks.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createProcess, measureMessageWaits } from '@holster/process'
import { Censuses } from '../../src/measuring/census.ts'
import { Sampler } from '../../src/measuring/sampler.ts'
import type { Sample } from '../../src/words.ts'

/** Waits for a sample, taken from now on, that is as wanted. */
async function sampleOf(sampler: Sampler, isWanted: (sample: Sample) => boolean): Promise<Sample> {
  const from = sampler.last?.at ?? 0
  for (;;) {
    const found = sampler.since(from).find(isWanted)
    if (found !== undefined) return found
    await sleep(50)
  }
}

test('messages are counted while anybody looks, and not before and after', async () => {
  const sampler = new Sampler()
  assert.equal(sampler.last?.messages, null)
  const self = createProcess<number>()
  const stops = [sampler.look(), sampler.look()]
  const counted = sampleOf(sampler, ({ messages }) => messages !== null && messages > 100)
  for (let i = 0; i < 1000; i++) self.send(i)
  await counted
  stops[0]?.()
  stops[0]?.()
  await sampleOf(sampler, ({ messages }) => messages !== null)
  stops[1]?.()
  await sampleOf(sampler, ({ messages }) => messages === null)
  sampler.stop()
  self.exit()
})

test('a sample has the processes, what waits for them, and the load', async () => {
  const sampler = new Sampler()
  const self = createProcess<number>()
  for (let i = 0; i < 50; i++) self.send(i)
  const { processes, backlog, heap, cpu, delay, at } = await sampleOf(sampler, sample => sample.backlog >= 50)
  assert.ok(processes >= 1 && backlog >= 50 && heap > 1_000_000 && cpu >= 0 && delay >= 0 && at <= Date.now())
  sampler.stop()
  self.exit()
})

test('a blocked event loop shows as its delay', async () => {
  const sampler = new Sampler()
  await sampleOf(sampler, () => true)
  const until = performance.now() + 300
  while (performance.now() < until);
  const { delay } = await sampleOf(sampler, sample => sample.delay > 200)
  assert.ok(delay > 200)
  sampler.stop()
})

test('a census tells who is over the mark since when, and who has waited longest', async () => {
  const sampler = new Sampler()
  const { censuses } = sampler
  const crowded = createProcess<number>({ highWaterMark: { messages: 2 } })
  for (let i = 0; i < 5; i++) crowded.send(i)
  const before = Date.now()
  const [first] = censuses.take().crowded.filter(({ process }) => process.deref()?.id === crowded.id)
  assert.ok(first !== undefined && first.since >= before && first.messages === 5)
  const [again] = censuses.take().crowded.filter(({ process }) => process.deref()?.id === crowded.id)
  assert.equal(again?.since, first.since)
  crowded.flush()
  assert.deepEqual(
    censuses.take().crowded.filter(({ process }) => process.deref()?.id === crowded.id),
    [],
  )
  for (let i = 0; i < 5; i++) crowded.send(i)
  assert.ok(
    (censuses.take().crowded.find(({ process }) => process.deref()?.id === crowded.id)?.since ?? 0) >=
      first.since,
  )
  const received = crowded.receive([-1])
  assert.ok(censuses.take().waiting >= 1)
  assert.ok((censuses.last.longest?.since ?? Number.POSITIVE_INFINITY) <= Date.now())
  sampler.stop()
  crowded.exit()
  await assert.rejects(received)
})

test('a sample has the wait of the messages that were taken meanwhile, while anybody looks', async t => {
  const sampler = new Sampler()
  assert.equal(sampler.last?.wait, null)
  const self = createProcess<number>()
  const stop = sampler.look()
  const now = performance.now.bind(performance)
  let ahead = 0
  const clock = t.mock.method(performance, 'now', () => now() + ahead)
  self.send(1)
  ahead = 400
  await self.receive([1])
  clock.mock.restore()
  const { wait } = await sampleOf(sampler, sample => sample.wait !== null)
  assert.ok(Number(wait) >= 400)
  // None is taken from then on.
  await sampleOf(sampler, sample => sample.wait === null && sample.messages !== null)
  stop()
  await sampleOf(sampler, ({ messages }) => messages === null)
  sampler.stop()
  self.exit()
})

test('a census tells since when it has found the same message in front, while nobody measures', async t => {
  let now = 1_000_000
  t.mock.method(Date, 'now', () => now)
  const censuses = new Censuses()
  const self = createProcess<number>()
  const oldest = () => censuses.oldestOf(self as never)
  const slow = () => censuses.take().slow.find(({ process }) => process.deref()?.id === self.id)
  censuses.take()
  assert.equal(oldest(), undefined)
  self.send(1)
  assert.equal(oldest(), undefined)
  assert.equal(slow(), undefined)
  self.send(2)
  now += 4999
  assert.equal(slow(), undefined)
  assert.deepEqual(oldest(), { since: 1_000_000, isEarlier: true })
  now += 1
  assert.deepEqual([slow()?.messages, slow()?.since], [2, 1_000_000])
  await self.receive([1])
  assert.equal(oldest(), undefined)
  assert.equal(slow(), undefined)
  assert.deepEqual(oldest(), { since: now, isEarlier: true })
  self.exit()
})

test('a census knows of a message that came before anybody measured what it has seen before', t => {
  const ahead = { date: 0, time: 0 }
  const [date, time] = [Date.now(), Math.ceil(performance.now())]
  t.mock.method(Date, 'now', () => date + ahead.date)
  t.mock.method(performance, 'now', () => time + ahead.time)
  const pass = (ms: number) => {
    ahead.date += ms
    ahead.time += ms
  }
  const censuses = new Censuses()
  const self = createProcess<number>()
  self.send(1)
  censuses.take()
  pass(60_000)
  const measure = measureMessageWaits()
  const later = createProcess<number>()
  later.send(1)
  pass(1000)
  assert.deepEqual(censuses.oldestOf(self as never), { since: date, isEarlier: true })
  assert.deepEqual(censuses.oldestOf(later as never), { since: date + 60_000, isEarlier: false })
  // A census that has found it only later says no more than the measuring.
  const second = new Censuses()
  second.take()
  assert.deepEqual(second.oldestOf(self as never), { since: date + 60_000, isEarlier: true })
  measure.stop()
  self.exit()
  later.exit()
})
