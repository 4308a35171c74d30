/** The CPU time that a process has used by the time that its first so many messages or requests are done. */

export class Marks {
  readonly #counts: readonly number[]
  readonly #cpu: number[] = []
  #before = process.cpuUsage()
  /** The count at which `pass` is to be called; -1 behind the last one. */
  next: number

  constructor(counts: readonly number[]) {
    this.#counts = counts
    this.next = counts[0] ?? -1
  }

  /** Starts the clock. */
  start(): void {
    this.#before = process.cpuUsage()
  }

  pass(): void {
    const { user, system } = process.cpuUsage(this.#before)
    this.#cpu.push(user + system)
    this.next = this.#counts[this.#cpu.length] ?? -1
  }

  /** Microseconds from the start to each mark. */
  get cpu(): readonly number[] {
    return this.#cpu
  }
}

/** Given by jobs that are measured as a whole. */
export const NO_MARKS = new Marks([])
