/** Responses come in the order of their requests (RFC 9112 section 9.3.2). */

/** A request, as far as its response depends on it. */
export interface Expected {
  readonly method: string
  /** Whether the request asks to leave HTTP/1.1. */
  readonly isUpgrade: boolean
}

/** The number of answered requests from which they are let go, once they are half of all. */
const LEAST = 1024

/** The requests whose final response has not begun. To shift an array would move all others each time. */
export class ExpectedQueue {
  /** How many requests were ever announced. */
  announced = 0
  /** How many of them were answered. */
  answered = 0
  #requests: Expected[] = []
  #first = 0

  get first(): Expected {
    return this.#requests[this.#first] as Expected
  }

  push(request: Expected): void {
    this.#requests.push(request)
    this.announced++
  }

  shift(): void {
    this.answered++
    this.#first++
    if (this.#first < LEAST || this.#first * 2 < this.#requests.length) return
    this.#requests = this.#requests.slice(this.#first)
    this.#first = 0
  }
}
