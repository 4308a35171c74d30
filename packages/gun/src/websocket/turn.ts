/**
 * Limits how long the whole program compresses and inflates in one turn of the event loop: work beyond that
 * waits for the next turns, in each of which all who wait advance by a piece, one after another.
 */

import { nodesImmediate } from '@holster/process/internal'

/** The time for all jobs of one turn, in milliseconds. */
const SHARE = 2
/** The bytes that jobs may add to mailboxes in one turn, in which the marks of these are looked at only once. */
const MOST = 1024 * 1024

/** Work that is done in pieces. */
export interface Job {
  /** Does the next piece, of well less than a millisecond. Returns whether all work is done. Never throws. */
  step(): boolean
  /** Takes note that the work is done; called only for jobs that waited. */
  report(): void
}

const waiting = new Set<Job>()
/** The time that this turn's jobs have taken, in milliseconds. */
let taken = 0
/** The bytes that this turn's jobs have added. */
let added = 0
/** Whether the end of this turn will be noticed. */
let isCounting = false

/** Does as much of a job as this turn has time for. Returns whether that is all; else the rest waits. */
export function begin(job: Job): boolean {
  while (hasTime()) if (advance(job)) return true
  waiting.add(job)
  return false
}

/** Forgets a job that waits. */
export function cancel(job: Job): void {
  waiting.delete(job)
}

/** Counts bytes that the piece in hand adds to what its message will take up in a mailbox. */
export function add(bytes: number): void {
  added += bytes
}

function hasTime(): boolean {
  return taken < SHARE && added < MOST
}

function advance(job: Job): boolean {
  if (!isCounting) nodesImmediate(turn)
  isCounting = true
  const start = performance.now()
  const isDone = job.step()
  taken += performance.now() - start
  return isDone
}

function turn(): void {
  isCounting = false
  taken = 0
  added = 0
  // A job that is added again comes last.
  for (const job of waiting) {
    if (!hasTime()) return
    waiting.delete(job)
    if (advance(job)) job.report()
    else waiting.add(job)
  }
}
