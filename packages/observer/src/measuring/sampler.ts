/** A sampler takes the measures of each second, and keeps those of the last ten minutes. It costs little, and nothing per message. */

import { clearInterval, setInterval } from 'node:timers'
import { connections } from '@holster/gun'
import { type MessageWaitMeasure, measureMessageWaits, type WaitBucket } from '@holster/process'
import { countMessages, type MessageCount, noteWaits, waitWithin } from '@holster/process/internal'
import type { Sample } from '../words.js'
import { Censuses } from './census.js'
import { Load } from './load.js'

/** How long in milliseconds passes between two samples, and how many are kept. */
const INTERVAL = 1000
const KEPT = 600
/** A census is put off until it takes no more than this part of the time. */
const SHARE = 1 / 200
/** The part of the messages whose longest wait a sample has. */
const PART = 0.99

/** The samples of this thread. */
export class Sampler {
  readonly censuses = new Censuses()
  #samples: Sample[] = []
  readonly #load = new Load()
  readonly #timer: NodeJS.Timeout
  readonly #stopNoting: () => void
  #count: MessageCount | undefined
  #measure: MessageWaitMeasure | undefined
  /** How many look, and the messages that had come at the last sample. */
  #lookers = 0
  #incoming = 0
  #countedAt = 0
  /** The waits of all messages at the last sample. */
  #buckets: readonly WaitBucket[] = []
  #nextCensus = 0

  constructor() {
    this.#stopNoting = noteWaits()
    this.#timer = setInterval(() => this.#take(), INTERVAL).unref()
    this.#take()
  }

  /** Counts messages, and measures how long they wait, until the function is called that this one gives. */
  look(): () => void {
    if (++this.#lookers === 1) {
      this.#count = countMessages()
      this.#measure = measureMessageWaits()
      this.#buckets = this.#measure.waits.buckets
      this.#incoming = this.#count.incoming
      this.#countedAt = performance.now()
    }
    let looks = true
    return () => {
      if (!looks) return
      looks = false
      if (--this.#lookers > 0) return
      this.#stopMeasuring()
    }
  }

  /** The last sample. */
  get last(): Sample | undefined {
    return this.#samples.at(-1)
  }

  /** Gives the samples that were taken after a time, the oldest first. */
  since(time: number): readonly Sample[] {
    const from = this.#samples.findIndex(({ at }) => at > time)
    return from === -1 ? [] : this.#samples.slice(from).slice(-KEPT)
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#stopMeasuring()
    this.#stopNoting()
    this.#load.stop()
  }

  #stopMeasuring(): void {
    this.#count?.stop()
    this.#count = undefined
    this.#measure?.stop()
    this.#measure = undefined
  }

  #take(): void {
    this.#census()
    const { processes, messages } = this.censuses.last
    this.#samples.push({
      at: Date.now(),
      processes,
      connections: connections().length,
      messages: this.#rate(),
      wait: this.#wait(),
      backlog: messages,
      ...this.#load.measure(),
    })
    if (this.#samples.length > 2 * KEPT) this.#samples = this.#samples.slice(-KEPT)
  }

  /** Takes a census, unless the last one has taken so long that the next must wait. */
  #census(): void {
    const before = performance.now()
    if (before < this.#nextCensus) return
    this.censuses.take()
    const took = performance.now() - before
    this.#nextCensus = before + took / SHARE
  }

  /** Gives the messages a second since the last sample. */
  #rate(): number | null {
    if (this.#count === undefined) return null
    const now = performance.now()
    const { incoming } = this.#count
    const rate = ((incoming - this.#incoming) * 1000) / Math.max(1, now - this.#countedAt)
    this.#incoming = incoming
    this.#countedAt = now
    return Math.round(rate)
  }

  /** Gives the wait that 99 of 100 messages did not exceed that were taken since the last sample. */
  #wait(): number | null {
    if (this.#measure === undefined) return null
    const { buckets, longest } = this.#measure.waits
    const before = this.#buckets
    this.#buckets = buckets
    const fresh = buckets.map(({ most, messages }, at) => {
      return { most, messages: messages - (before[at]?.messages ?? 0) }
    })
    const within = waitWithin(fresh, PART)
    return within === undefined ? null : Math.min(within, longest)
  }
}
