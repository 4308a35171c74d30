/** The journal keeps the latest reports of supervisors and servers, and the latest crashes, in words. */

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Report } from '@holster/otp'
import { isOrderly } from '@holster/process'
import { refOf } from '../naming/refs.js'
import { textOfReason } from '../naming/texts.js'
import type { Ref, Tree } from '../words.js'

/** The most entries that are kept. */
const MOST = 200
/** The longest text of an entry. */
const LONGEST = 400

const REPORTS = 'holster:otp:report'
const EXITS = 'holster:process:exit'

/** An entry of the journal. */
export type Entry = Tree['reports'][number]

/** Reports and crashes since the journal was begun. */
export class Journal {
  #entries: Entry[] = []
  readonly #onReport = (report: unknown): void => this.#note(report as Report)
  readonly #onExit = (exit: unknown): void => {
    const { pid, reason } = exit as { readonly pid: unknown; readonly reason: unknown }
    if (!isOrderly(reason)) this.#add('exit', `${refOf(pid).text}: ${textOfReason(reason)}`, refOf(pid))
  }

  constructor() {
    subscribe(REPORTS, this.#onReport)
    subscribe(EXITS, this.#onExit)
  }

  /** The entries, the newest first. */
  get entries(): readonly Entry[] {
    return this.#entries.toReversed()
  }

  stop(): void {
    unsubscribe(REPORTS, this.#onReport)
    unsubscribe(EXITS, this.#onExit)
  }

  #note(report: Report): void {
    switch (report.type) {
      case 'progress':
        return
      case 'crash':
        return this.#add(
          report.type,
          `${refOf(report.pid).text}: ${textOfReason(report.reason)}`,
          refOf(report.pid),
        )
      case 'unexpected':
        return this.#add(
          report.type,
          `${refOf(report.pid).text} was sent what it does not know`,
          refOf(report.pid),
        )
      case 'shutdown':
        return this.#add(
          report.type,
          `${refOf(report.supervisor).text} ends because of '${report.id}': ${textOfReason(report.reason)}`,
          refOf(report.supervisor),
        )
      default: {
        const text = `'${report.id}' of ${refOf(report.supervisor).text}: ${textOfReason(report.reason)}`
        return this.#add(report.type, text, refOf(report.pid ?? report.supervisor))
      }
    }
  }

  #add(type: string, text: string, about: Ref): void {
    this.#entries.push({
      at: Date.now(),
      type,
      text: text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text,
      about,
    })
    if (this.#entries.length > 2 * MOST) this.#entries = this.#entries.slice(-MOST)
  }
}
