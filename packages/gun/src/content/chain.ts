/**
 * The content handlers of one response, each of which passes the body on to the next handler that wants it.
 */

import { onRejection, reportRejection, reportThrown } from '@holster/process/internal'
import type { ConnPid } from '../handles.js'
import type { ContentHandler, ContentReader, ContentResponse, Next } from '../options/content-handler.js'
import type { IsFin } from '../words.js'

/** A taker of the body: a reader, or at the end the mailbox. */
interface Stage {
  readonly take: Next
  readonly reader: ContentReader | undefined
  /** Whether the stage was given the last part. */
  isOver: boolean
  /** Until this promise resolves the stage takes no further part. */
  pending: Promise<void> | undefined
}

/** A promise for the moment when all stages are idle. */
interface Waiter {
  readonly promise: Promise<void>
  resolve(): void
  reject(reason: unknown): void
}

/**
 * Gives the body to the first reader, and what each reader passes on to the stage after it, one part at a
 * time, even where a reader does not wait for `next`. A failure or a pending promise anywhere in the chain
 * shows in the result of `handle`.
 */
export class ContentChain {
  readonly #connPid: ConnPid
  readonly #stages: Stage[] = []
  #isOpen = false
  #isDisposed = false
  #failure: { readonly error: unknown } | undefined
  #waiter: Waiter | undefined
  readonly #untilFree: () => Promise<void> | undefined

  private constructor(connPid: ConnPid, untilFree: () => Promise<void> | undefined) {
    this.#connPid = connPid
    this.#untilFree = untilFree
  }

  /**
   * Opens a chain for a response; returns `undefined` if no handler wants the body. Throws the error of a
   * handler whose `init` throws.
   *
   * `untilFree` returns a promise while there is no room for more messages: a reader may make much more of a
   * part than the part itself, and its messages fill a mailbox.
   */
  static open(
    handlers: readonly ContentHandler[],
    response: ContentResponse,
    last: Next,
    untilFree: () => Promise<void> | undefined = () => undefined,
  ): ContentChain | undefined {
    const chain = new ContentChain(response.connPid, untilFree)
    try {
      for (const handler of handlers) chain.#add(handler, response)
    } catch (error) {
      chain.dispose()
      throw error
    }
    if (chain.#stages.length === 0) return undefined
    chain.#stages.push({ take: last, reader: undefined, isOver: false, pending: undefined })
    chain.#isOpen = true
    return chain
  }

  /**
   * Takes a part of the body. Throws, or rejects with, the first error of any reader. Returns a promise while
   * any stage has one pending.
   */
  handle(isFin: IsFin, data: Buffer): void | Promise<void> {
    this.#pass(0, isFin, data)
    if (this.#isDisposed) return
    // A reader other than the failed one may have caught the error.
    if (this.#failure !== undefined) throw this.#failure.error
    if (this.#isIdle()) return
    this.#waiter ??= newWaiter()
    return this.#waiter.promise
  }

  /**
   * Closes all readers and settles the promise of `handle`. If a reader's `close` throws or rejects, the
   * error goes to the exit hook.
   */
  dispose(): void {
    if (this.#isDisposed) return
    this.#isDisposed = true
    this.#review()
    for (const { reader } of this.#stages) {
      try {
        reportRejection(this.#connPid, reader?.close?.())
      } catch (error) {
        reportThrown(this.#connPid, error)
      }
    }
  }

  #add(handler: ContentHandler, response: ContentResponse): void {
    const index = this.#stages.length
    let reader: ContentReader | undefined
    const next: Next = (isFin, data) => {
      if (this.#isDisposed) return
      if (!this.#isOpen) throw new Error('next must not be called before all handlers have seen the response')
      if (reader !== undefined) return this.#pass(index + 1, isFin, data)
    }
    reader = handler.init(response, next)
    if (reader === undefined) return
    if (onRejection(reader, reason => reportThrown(this.#connPid, reason))) {
      reader = undefined
      throw new TypeError('init of a content handler must give { handle } or undefined, not a promise')
    }
    if (typeof reader?.handle !== 'function') {
      throw new TypeError('init of a content handler must give { handle } or undefined')
    }
    const taker = reader
    this.#stages.push({
      take: (isFin, data) => taker.handle(isFin, data),
      reader,
      isOver: false,
      pending: undefined,
    })
  }

  #pass(index: number, isFin: IsFin, data: Buffer): void | Promise<void> {
    if (this.#isDisposed) return
    if (this.#failure !== undefined) throw this.#failure.error
    const stage = this.#stages[index]
    if (stage === undefined || stage.isOver) return
    if (isFin === 'fin') stage.isOver = true
    if (stage.pending !== undefined) {
      return this.#wait(
        stage,
        stage.pending.then(() => (this.#isDisposed ? undefined : this.#give(index, stage, isFin, data))),
      )
    }
    try {
      const taken = this.#give(index, stage, isFin, data)
      if (isThenable(taken)) return this.#wait(stage, taken)
    } catch (error) {
      this.#fail(error)
      throw error
    }
  }

  /**
   * Gives a part to a stage. The reading of the body holds up the first reader; for a later stage, the reader
   * before it has to wait until there is room.
   */
  #give(index: number, stage: Stage, isFin: IsFin, data: Buffer): void | Promise<void> {
    const taken = stage.take(isFin, data)
    if (index === 0 || isFin === 'fin' || stage.reader === undefined) return taken
    return isThenable(taken) ? taken.then(this.#untilFree) : this.#untilFree()
  }

  #wait(stage: Stage, taken: PromiseLike<void>): Promise<void> {
    const pending = Promise.resolve(taken).then(
      () => {
        if (stage.pending !== pending) return
        stage.pending = undefined
        this.#review()
      },
      error => {
        this.#fail(error)
        throw error
      },
    )
    stage.pending = pending
    // The caller of `next` may have dropped the promise; `handle` rejects all the same.
    pending.catch(() => {})
    return pending
  }

  #fail(error: unknown): void {
    this.#failure ??= { error }
    this.#review()
  }

  #review(): void {
    if (this.#waiter === undefined) return
    if (this.#isDisposed || (this.#failure === undefined && this.#isIdle())) this.#waiter.resolve()
    else if (this.#failure !== undefined) this.#waiter.reject(this.#failure.error)
    else return
    this.#waiter = undefined
  }

  #isIdle(): boolean {
    return this.#stages.every(({ pending }) => pending === undefined)
  }
}

function isThenable(value: unknown): value is PromiseLike<void> {
  return typeof (value as PromiseLike<void> | undefined)?.then === 'function'
}

function newWaiter(): Waiter {
  let resolve!: () => void
  let reject!: (reason: unknown) => void
  const promise = new Promise<void>((settle, fail) => {
    resolve = settle
    reject = fail
  })
  return { promise, resolve, reject }
}
