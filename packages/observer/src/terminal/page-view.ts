/** One page that is open, with the line that is marked on it. */

import type { ConnectionPage, ProcessPage, Subject, View } from '../words.js'
import { moved, scrolled } from './cursor.js'
import { type Line, type Piece, piece } from './line.js'
import { connectionLines, type PageLine, processLines } from './page.js'
import { fit } from './text.js'

export class PageView {
  readonly subject: Subject
  /** Why nothing, or nothing new, can be shown. */
  problem: string | undefined
  #page: ProcessPage | ConnectionPage | undefined
  #lines: readonly PageLine[] = []
  #marked = 0
  #first = 0
  #size = 10

  constructor(subject: Subject) {
    this.subject = subject
  }

  /** What is to be watched. */
  get view(): View {
    return this.subject.kind === 'process'
      ? { name: 'process', ...this.subject }
      : { name: 'connection', ...this.subject }
  }

  /** The thing to which the marked line leads. */
  get target(): Subject | undefined {
    return this.#lines[this.#marked]?.target
  }

  take(page: ProcessPage | ConnectionPage): void {
    this.#page = page
    this.problem = undefined
  }

  /** Gives a key to the page. Says whether it meant anything there. */
  press(key: string): boolean {
    const to = moved(this.#marked, key, this.#size, this.#lines.length)
    if (to === undefined) return false
    this.#marked = to
    return true
  }

  lines(width: number, height: number, now: number): readonly Line[] {
    this.#size = Math.max(1, height - 1)
    this.#lines = this.#page === undefined ? [] : linesOf(this.#page, now)
    this.#marked = Math.max(0, Math.min(this.#marked, this.#lines.length - 1))
    this.#first = scrolled(this.#first, this.#marked, this.#size, this.#lines.length)
    const title = `${this.subject.id} on ${this.subject.node}${this.problem === undefined ? '' : `: ${this.problem}`}`
    const shown = this.#lines.slice(this.#first, this.#first + this.#size)
    return [
      [piece(fit(title, width), 'inverse')],
      ...shown.map(({ line }, index) => (index + this.#first === this.#marked ? marked(line, width) : line)),
    ]
  }
}

function linesOf(page: ProcessPage | ConnectionPage, now: number): readonly PageLine[] {
  return 'mailbox' in page ? processLines(page, now) : connectionLines(page, now)
}

function marked(line: Line, width: number): Line {
  const text = line.map((each: Piece) => each.text).join('')
  return [piece(fit(text, width), 'inverse')]
}
