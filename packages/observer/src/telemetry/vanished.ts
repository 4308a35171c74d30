/**
 * What was observed before and is not any more is observed as zero for a while: an SDK that is asked for cumulative values goes on with
 * the last value of attributes that no observation names.
 */

/** How many collections tell of the zero; more than one, as several readers may collect in turn. */
const TOLD = 3

export class Vanished {
  readonly #missing = new Map<string, number>()

  /** Takes the texts of what is observed now, and gives those of what is to be zero. */
  zeros(now: Iterable<string>): readonly string[] {
    const present = new Set(now)
    const zeros: string[] = []
    for (const [text, count] of this.#missing) {
      if (present.has(text)) continue
      zeros.push(text)
      if (count === TOLD) this.#missing.delete(text)
      else this.#missing.set(text, count + 1)
    }
    for (const text of present) this.#missing.set(text, 1)
    return zeros
  }
}
