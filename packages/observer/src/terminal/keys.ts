/** The bytes that a terminal sends for keys, as names: `up`, `enter`, `escape`, `ctrl-c`, or the character itself. */

import { StringDecoder } from 'node:string_decoder'

/** How long in milliseconds an escape may wait for the rest of a sequence before it is the key itself. */
const PATIENCE = 50

const CONTROLS: Readonly<Record<string, string>> = {
  '\r': 'enter',
  '\n': 'enter',
  '\t': 'tab',
  '\x7f': 'backspace',
  '\b': 'backspace',
  '\x03': 'ctrl-c',
  '\x04': 'ctrl-d',
  '\x0c': 'ctrl-l',
  '\x15': 'ctrl-u',
}
const SEQUENCES: Readonly<Record<string, string>> = {
  A: 'up',
  B: 'down',
  C: 'right',
  D: 'left',
  F: 'end',
  H: 'home',
  Z: 'back-tab',
  '1~': 'home',
  '4~': 'end',
  '5~': 'page-up',
  '6~': 'page-down',
  '7~': 'home',
  '8~': 'end',
}
/** Matches a whole sequence of a key (ECMA-48 section 5.4), or one of the older kind with `O`. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: an escape begins each of them.
const SEQUENCE = /^\x1b(?:\[([0-9;]*)([A-Za-z~])|O([A-Za-z]))/
/** Matches the beginning of a sequence. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: an escape begins each of them.
const BEGINNING = /^\x1b(?:\[[0-9;]*|O)?$/

export class Keys {
  readonly #decoder = new StringDecoder('utf8')
  readonly #onKey: (key: string) => void
  #waiting = ''
  #timer: NodeJS.Timeout | undefined

  constructor(onKey: (key: string) => void) {
    this.#onKey = onKey
  }

  /** Takes bytes. */
  push(bytes: Buffer): void {
    clearTimeout(this.#timer)
    let text = this.#waiting + this.#decoder.write(bytes)
    this.#waiting = ''
    while (text !== '') {
      if (BEGINNING.test(text)) return this.#wait(text)
      const taken = this.#take(text)
      text = text.slice(taken)
    }
  }

  /** Waits for nothing more. */
  close(): void {
    clearTimeout(this.#timer)
  }

  /** Takes the first key of a text, and gives its length. */
  #take(text: string): number {
    const sequence = SEQUENCE.exec(text)
    if (sequence !== null) {
      const [whole, parameters = '', last = '', old = ''] = sequence
      const name = SEQUENCES[last === '~' ? `${parameters.split(';')[0]}~` : last || old]
      if (name !== undefined) this.#onKey(name)
      return whole.length
    }
    const [character = ''] = text
    if (character === '\x1b') this.#onKey('escape')
    else this.#onKey(CONTROLS[character] ?? character)
    return character.length
  }

  #wait(text: string): void {
    this.#waiting = text
    this.#timer = setTimeout(() => {
      this.#waiting = ''
      this.#onKey('escape')
    }, PATIENCE)
  }
}
