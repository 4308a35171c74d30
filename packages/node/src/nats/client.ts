/** The client of the NATS server: it sends while it is connected, and says once when that ends, when it is connected again, and when never. */

import { reportThrown } from '@holster/process/internal'
import {
  connect,
  type Msg,
  type NatsConnection,
  type NodeConnectionOptions,
  PermissionViolationError,
} from '@nats-io/transport-node'
import { halt } from './halt.js'

/** The events of a client. */
export interface ClientHost {
  /** The connection to the server is lost, and all that was under way with it. */
  onLost(reason: string): void
  /** The client is connected again. */
  onBack(): void
  /** The client has ended for good, and the connection, if there was one, is lost. */
  onFailed(error: Error): void
}

/** The answer to a question: bytes, or that nobody is there to answer, or that somebody is and does not. */
export type Answer = Uint8Array | 'nobody' | 'silence'

const LOST = 'the connection to the NATS server was lost'
/** How long in milliseconds an answer may take. Where none comes the name is held as taken, so that haste does no harm. */
const ANSWER = 2000
/** How long in milliseconds the server may take to accept the last words of a client that ends. */
const LAST_WORDS = 3000

/** The code that the server sends where nobody gets a message. Source: NATS, ADR-4, "No responders". */
const NO_RESPONDERS = 503

/** A client that is connected. */
export class Client {
  readonly #nats: NatsConnection
  readonly #host: ClientHost
  #isUp = true
  #hasEnded = false
  #closing: Promise<void> | undefined
  #asking: NodeJS.Timeout | undefined
  #lastError: Error | undefined
  #maxBytes = 0

  private constructor(nats: NatsConnection, host: ClientHost) {
    this.#nats = nats
    this.#host = host
    void this.#follow()
    void nats.closed().then(error => this.#onClosed(error ?? undefined))
  }

  /** Connects to a server. Rejects with the error of the client. */
  static async connect(options: NodeConnectionOptions, host: ClientHost): Promise<Client> {
    try {
      return new Client(await connect(options), host)
    } catch (error) {
      throw new Error(`the NATS server cannot be reached: ${textOf(error)}`, { cause: error })
    }
  }

  /** The most bytes that a message may have. */
  get maxBytes(): number {
    this.#maxBytes = this.#nats.info?.max_payload ?? this.#maxBytes
    return this.#maxBytes
  }

  /** Whether the server says so where nobody gets a message. */
  get tellsNobody(): boolean {
    return this.#nats.info?.headers === true
  }

  /** Publishes bytes, which may not change any more. Never throws; what cannot be sent is lost. */
  publish(subject: string, bytes: Uint8Array, reply?: string): void {
    if (!this.#isUp) return
    try {
      this.#nats.publish(subject, bytes, reply === undefined ? {} : { reply })
    } catch {
      // The client has closed, or the server takes less than it did a moment ago: the session notices the gap.
    }
  }

  /** Has `take` get each message of a subject from now on. */
  subscribe(subject: string, take: (message: Msg) => void): void {
    this.#nats.subscribe(subject, {
      callback: (error, message) => {
        if (error !== null) return this.#onError(error)
        if (!this.#isUp) return
        try {
          take(message)
        } catch (thrown) {
          // The client reads no more behind an error that is thrown here.
          reportThrown(this, thrown)
        }
      },
    })
  }

  /**
   * Asks whoever subscribes to a subject. `take` gets each answer at once, before anything else that has come behind it, until it gives
   * `true`; it gets `'nobody'` or `'silence'` if that is the answer. Resolves with the last one, and rejects if something is not permitted.
   */
  ask(
    subject: string,
    question: Uint8Array,
    reply: string,
    take: (answer: Answer) => boolean,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      let isSilent = true
      const end = (error?: Error) => {
        clearTimeout(this.#asking)
        answers.unsubscribe()
        if (error === undefined) resolve()
        else reject(error)
      }
      const callback = (error: Error | null, message: Msg) => {
        if (error !== null)
          return end(error instanceof PermissionViolationError ? notPermitted(error) : error)
        isSilent = false
        if (take(saysNobody(message) ? 'nobody' : message.data)) end()
      }
      const answers = this.#nats.subscribe(reply, { callback })
      this.#asking = setTimeout(() => {
        if (isSilent) take('silence')
        end()
      }, ANSWER)
      this.publish(subject, question, reply)
    })
  }

  /** Resolves once the server has taken all that was sent, and has said what it does not permit. */
  flush(): Promise<void> {
    return this.#nats.flush()
  }

  /** Ends the client, once what was sent has gone out as far as the server takes it. */
  close(): Promise<void> {
    this.#hasEnded = true
    this.#closing ??= this.#close()
    return this.#closing
  }

  /** Ends the client for good. */
  fail(error: Error): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.#host.onFailed(error)
    this.close().catch(thrown => reportThrown(this, thrown))
  }

  toString(): string {
    return '#NatsClient'
  }

  async #close(): Promise<void> {
    clearTimeout(this.#asking)
    if (this.#isUp) await within(LAST_WORDS, this.#nats.flush())
    this.#isUp = false
    await this.#nats.close()
    halt(this.#nats)
  }

  async #follow(): Promise<void> {
    for await (const status of this.#nats.status()) {
      if (status.type === 'disconnect') this.#onLost()
      else if (status.type === 'reconnect') this.#onBack()
      else if (status.type === 'error') this.#onError(status.error)
    }
  }

  #onLost(): void {
    if (!this.#isUp) return
    this.#isUp = false
    if (this.#hasEnded) return
    this.#host.onLost(this.#lastError === undefined ? LOST : `${LOST}: ${this.#lastError.message}`)
    this.#lastError = undefined
  }

  #onBack(): void {
    if (this.#hasEnded) return
    this.#isUp = true
    this.#host.onBack()
  }

  #onError(error: Error): void {
    if (this.#hasEnded) return
    if (error instanceof PermissionViolationError) {
      // Half a cluster would be none: what is not permitted is lost without a word.
      return this.fail(notPermitted(error))
    }
    this.#lastError = error
    process.emitWarning(`the NATS server says: ${error.message}`, {
      type: 'Nats',
      code: 'HOLSTER_NATS_ERROR',
    })
  }

  #onClosed(error: Error | undefined): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.#isUp = false
    this.#host.onFailed(new Error(`the NATS client has given up: ${textOf(error ?? LOST)}`, { cause: error }))
  }
}

/** Whether a message is the word of the server that nobody has got the one which gave its subject as the return address. */
export function saysNobody({ data, headers }: Msg): boolean {
  return data.length === 0 && headers?.code === NO_RESPONDERS
}

function notPermitted(cause: PermissionViolationError): Error {
  return new Error(`the NATS server does not permit what a node needs: ${cause.message}`, { cause })
}

/** Resolves once `done` has settled, or so many milliseconds have passed. */
async function within(ms: number, done: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const passed = new Promise<void>(resolve => {
    timer = setTimeout(resolve, ms)
  })
  await Promise.race([done.catch(() => undefined), passed])
  clearTimeout(timer)
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
