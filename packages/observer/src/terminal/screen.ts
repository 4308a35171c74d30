/** The screen of a terminal: taken over as a whole, given back as it was, and written to only where a line has changed. */

import type { ReadStream, WriteStream } from 'node:tty'

const ENTER = '\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J'
const LEAVE = '\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l'

export class Screen {
  readonly #input: ReadStream
  readonly #output: WriteStream
  #shown: string[] = []
  #isOpen = false

  constructor(input: ReadStream, output: WriteStream) {
    this.#input = input
    this.#output = output
  }

  /** How many columns there are. */
  get width(): number {
    return this.#output.columns || 80
  }

  /** How many rows there are. */
  get height(): number {
    return this.#output.rows || 24
  }

  /** Takes the terminal over. */
  open(): void {
    this.#isOpen = true
    this.#input.setRawMode(true)
    this.#output.write(ENTER)
  }

  /** Gives the terminal back; does nothing the second time. */
  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#output.write(LEAVE)
    this.#input.setRawMode(false)
  }

  /** Forgets what is shown, since the terminal may have lost it. */
  forget(): void {
    this.#shown = []
    if (this.#isOpen) this.#output.write('\x1b[2J')
  }

  /** Shows lines, from the first row on. */
  show(lines: readonly string[]): void {
    if (!this.#isOpen) return
    let changes = ''
    const count = Math.max(lines.length, this.#shown.length)
    for (let row = 0; row < Math.min(count, this.height); row++) {
      const line = lines[row] ?? ''
      if (line !== this.#shown[row]) changes += `\x1b[${row + 1};1H${line}\x1b[0m\x1b[K`
    }
    this.#shown = [...lines]
    if (changes !== '') this.#output.write(changes)
  }
}
