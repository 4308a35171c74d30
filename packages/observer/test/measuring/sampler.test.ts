// A sampler takes the measures of each second; messages are counted only while somebody looks.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createProcess } from '@holster/process'
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
