/** A proxy's refusal for want of credentials, until the proxy may be asked again: the caller has answered, and the refusal was read. */

/** How many bytes of a refusal's body are read, for the sake of the connection, before another one is made. */
const MOST_READ = 64 * 1024

export class Refusal {
  readonly #askAgain: (isElsewhere: boolean) => void
  #bytes = 0
  #isRead: boolean
  /** Whether the connection is lost, or not worth reading any more. */
  #isLost = false
  #isAnswered = false

  /** Calls `askAgain` once; `isElsewhere`: over another connection. */
  constructor(isRead: boolean, askAgain: (isElsewhere: boolean) => void) {
    this.#isRead = isRead
    this.#askAgain = askAgain
  }

  /** Takes a part of the body. Gives whether to read on. */
  take(bytes: number, isFin: boolean): boolean {
    this.#bytes += bytes
    if (this.#bytes > MOST_READ) return false
    this.#isRead = isFin
    this.#settle()
    return true
  }

  /** The connection is lost. */
  lose(): void {
    this.#isLost = true
    this.#settle()
  }

  /** The caller has given credentials. */
  answer(): void {
    this.#isAnswered = true
    this.#settle()
  }

  #settle(): void {
    if (this.#isAnswered && (this.#isLost || this.#isRead)) this.#askAgain(this.#isLost)
  }
}
