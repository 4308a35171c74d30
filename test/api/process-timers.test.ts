/** Examples of timers, whose messages come to the mailbox as all others do. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createProcess, type Timeout } from '@holster/process'

test('sendAfter sends a message later, to this process, to another one or to a name', async () => {
  type Message = { type: 'tick' }
  // #region process/Process#sendAfter
  await using self = createProcess<Message>()
  await using other = createProcess<Message>({ name: 'other' })
  self.sendAfter(20, { type: 'tick' })
  self.sendAfter(10, other, { type: 'tick' })
  self.sendAfter(10, 'other', { type: 'tick' }) // whoever has the name then
  await other.receive([{ type: 'tick' }])
  await self.receive([{ type: 'tick' }])
  // #endregion
  assert.equal(self.messageQueueLength, 0)
})

test('a tick that sends the next one is a clock', async () => {
  let beats = 0
  // #region process/Process#sendAfter
  await using clock = createProcess<{ type: 'beat' }>()
  clock.sendAfter(0, { type: 'beat' })
  while (beats < 3) {
    await clock.receive([{ type: 'beat' }])
    beats++
    clock.sendAfter(5, { type: 'beat' })
  }
  // #endregion
  assert.equal(beats, 3)
})

test('startTimer sends its reference along, by which the message of an old timer is known', async () => {
  // #region process/Process#startTimer, process/messages/timeout
  await using self = createProcess<Timeout<'too late'>>()
  const ref = self.startTimer(10, 'too late')
  const { message } = await self.receive([{ type: 'timeout', ref }]) // 'too late'
  // #endregion
  assert.equal(message, 'too late')
})

test('readTimer tells how long a timer has still to go', () => {
  const self = createProcess<'wake up'>()
  // #region process/Process#readTimer
  const ref = self.sendAfter(5000, 'wake up')
  const left = self.readTimer(ref) // at most 5000
  // #endregion
  assert.ok(left !== false && left > 0 && left <= 5000)
  self.exit()
  assert.equal(self.readTimer(ref), false)
})

test('cancelTimer tells how much was left, or that there was nothing to cancel', () => {
  const self = createProcess<'wake up'>()
  // #region process/Process#cancelTimer
  const ref = self.sendAfter(5000, 'wake up')
  const left = self.cancelTimer(ref) // at most 5000
  const again = self.cancelTimer(ref) // false: fired or cancelled before
  // #endregion
  assert.ok(left !== false && left > 0)
  assert.equal(again, false)
  self.exit()
})

test('a message that has come before its timer was cancelled is flushed', async () => {
  await using self = createProcess<Timeout<'idle'>>()
  const ref = self.startTimer(0, 'idle')
  // The messages of timers come in the order of their times, to whichever process.
  await using later = createProcess<'now'>()
  later.sendAfter(1, 'now')
  await later.receive(['now'])
  // #region process/Process#cancelTimer
  if (self.cancelTimer(ref) === false) self.flush({ type: 'timeout', ref })
  // #endregion
  assert.equal(self.messageQueueLength, 0)
})
