// Findings say in words what stands out, and name who it is about.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createProcess, type Process, setExitHook, spawn } from '@holster/process'
import type { Census } from '../../src/measuring/census.ts'
import { findingsOf } from '../../src/measuring/findings.ts'
import { Journal } from '../../src/measuring/journal.ts'
import type { Sample } from '../../src/words.ts'

const calm: Census = {
  processes: 1,
  waiting: 1,
  messages: 0,
  bytes: 0,
  crowded: [],
  stuck: [],
  slow: [],
  longest: undefined,
}
const sample: Sample = {
  at: 5,
  processes: 1,
  connections: 0,
  messages: null,
  wait: null,
  backlog: 0,
  heap: 1,
  delay: 0,
  cpu: 0,
}

describe('findings', () => {
  const journal = new Journal()
  const hook = setExitHook(() => {})
  let self: Process<number>
  before(() => {
    self = createProcess<number>({ name: 'till' })
    self.label = 'the shop'
  })
  after(() => {
    journal.stop()
    setExitHook(hook)
    self.exit()
  })
  const standout = (messages: number, bytes: number) => ({
    process: new WeakRef(self as unknown as Process<never>),
    messages,
    bytes,
    since: 7,
  })

  test('there are none while all is calm', () => {
    assert.deepEqual(findingsOf(calm, journal, [sample]), [])
  })

  test('a mailbox over its mark, with its bytes if there are any', () => {
    const texts = [standout(2000, 0), standout(1, 12)].map(
      crowded => findingsOf({ ...calm, crowded: [crowded] }, journal, [])[0],
    )
    assert.deepEqual(
      texts.map(finding => finding?.text),
      [
        `The mailbox of ${self} (the shop) is over its mark: 2,000 messages.`,
        `The mailbox of ${self} (the shop) is over its mark: 1 message, 12 bytes.`,
      ],
    )
    assert.deepEqual([texts[0]?.since, texts[0]?.about?.id], [7, self.id])
  })

  test('a process that waits while what it does not want piles up', async () => {
    const received = self.receive([7])
    const [finding] = findingsOf({ ...calm, stuck: [standout(4510, 0)] }, journal, [])
    assert.equal(
      finding?.text,
      `${self} (the shop) waits for 7, while 4,510 messages that do not match lie in its mailbox.`,
    )
    const [longest] = findingsOf({ ...calm, longest: standout(0, 0) }, journal, [])
    assert.equal(longest?.text, `${self} (the shop) has waited longest of all, for 7.`)
    self.send(7)
    await received
  })

  test('a process whose messages wait long', () => {
    const findings = findingsOf({ ...calm, slow: [standout(4510, 0), standout(1, 0)] }, journal, [])
    assert.deepEqual(
      findings.map(({ kind, level, text, since }) => [kind, level, text, since]),
      [
        `${self} (the shop) takes its messages late: the oldest of 4,510 is still in its mailbox.`,
        `${self} (the shop) takes its messages late: one is still in its mailbox.`,
      ].map(text => ['slow_mailbox', 'warning', text, 7]),
    )
  })

  test('a blocked event loop, by the worst of the last samples', () => {
    const samples = [sample, { ...sample, at: 6, delay: 900 }, { ...sample, at: 7, delay: 300 }]
    const [finding] = findingsOf(calm, journal, samples)
    assert.deepEqual([finding?.text, finding?.since], ['The event loop was blocked for 900 ms.', 6])
  })

  test('the latest crash, and how many there were', async () => {
    for (const n of [1, 2]) {
      await spawn(() => {
        throw new Error(`broken ${n}`)
      }).exited
    }
    const [finding] = findingsOf(calm, journal, [])
    assert.equal(finding?.kind, 'crash')
    assert.match(
      finding?.text ?? '',
      /^2 crashes within the last minute\. The latest: #Process<\d+>: .*broken 2\.$/,
    )
  })
})
