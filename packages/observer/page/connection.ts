/** The connection to the observer: it greets, watches views, asks for actions, and comes back when it is lost. */

import {
  type Action,
  type Asked,
  HELLO_PATH,
  type Hello,
  SOCKET_PATH,
  SUBPROTOCOL,
  type Told,
  VERSION,
  type View,
} from '../src/words.ts'
import { base64url, keepToken, keptToken } from './token.ts'

/** How the connection is. */
export type Status =
  | { readonly kind: 'greeting' }
  /** A token is wanted; `wasWrong` says that there was one. */
  | { readonly kind: 'locked'; readonly wasWrong: boolean }
  | { readonly kind: 'open'; readonly hello: Hello }
  | { readonly kind: 'lost'; readonly hello: Hello | undefined; readonly retryAt: number }
  /** The program speaks another version of the words. */
  | { readonly kind: 'foreign'; readonly version: number }

/** A message about one view. */
export type Shown = Extract<Told, { type: 'shown' | 'events' | 'failed' }>
/** A message about one action. */
export type Answer = Extract<Told, { type: 'confirm' | 'done' | 'failed' }>

interface Watch {
  view: View
  readonly begin: () => void
  readonly tell: (told: Shown) => void
}

/** The time until the first attempt to come back, in milliseconds; each further one takes twice as long. */
const FIRST_RETRY = 500
const LAST_RETRY = 10_000
/** How long a page that nobody sees goes on looking, in milliseconds. */
const UNSEEN = 30_000

export class Connection {
  /** How many milliseconds the program's clock is ahead of this one. */
  skew = 0
  /** When the program has said something last. */
  heardAt = Date.now()
  #status: Status = { kind: 'greeting' }
  #socket: WebSocket | undefined
  #retry: ReturnType<typeof setTimeout> | undefined
  #unseen: ReturnType<typeof setTimeout> | undefined
  #failures = 0
  #lastId = 0
  #isResting = false
  readonly #listeners = new Set<() => void>()
  readonly #watches = new Map<number, Watch>()
  readonly #asked = new Map<number, (answer: Answer) => void>()

  /** How the connection is now. */
  get status(): Status {
    return this.#status
  }

  /** Begins to connect. */
  start(): void {
    document.addEventListener('visibilitychange', () => this.#beSeen(document.visibilityState === 'visible'))
    addEventListener('online', () => this.retry())
    void this.#greet()
  }

  /** Tries a token. */
  unlock(token: string): void {
    keepToken(token)
    void this.#greet()
  }

  /** Tries to come back at once. */
  retry(): void {
    if (this.#status.kind === 'lost') void this.#greet()
  }

  /** Calls a listener on each change of the status, until the function that is returned is called. */
  onStatus(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Watches a view; `begin` is called whenever it is shown from the beginning, as after a loss. */
  watch(
    view: View,
    begin: () => void,
    tell: (told: Shown) => void,
  ): { change(view: View): void; end(): void } {
    this.#lastId += 1
    const id = this.#lastId
    const watch: Watch = { view, begin, tell }
    this.#watches.set(id, watch)
    if (!this.#isResting) this.#say({ type: 'watch', id, view })
    return {
      change: view => {
        watch.view = view
        if (!this.#isResting) this.#say({ type: 'watch', id, view })
      },
      end: () => {
        if (this.#watches.delete(id)) this.#say({ type: 'unwatch', id })
      },
    }
  }

  /** Asks for an action, and gives the question or why it cannot be. */
  act(action: Action): Promise<Answer> {
    return this.#ask(id => ({ type: 'act', id, action }))
  }

  /** Says yes to the question with this ticket. */
  confirm(ticket: string): Promise<Answer> {
    return this.#ask(id => ({ type: 'confirm', id, ticket }))
  }

  /** Fetches a file that the observer holds for the page. */
  async download(path: string): Promise<Blob> {
    const response = await fetch(placeOf(path), { headers: bearer(), cache: 'no-store' })
    if (!response.ok) throw new Error(`The file cannot be fetched: status ${response.status}.`)
    return response.blob()
  }

  #ask(askedBy: (id: number) => Asked): Promise<Answer> {
    this.#lastId += 1
    const id = this.#lastId
    if (this.#socket?.readyState !== WebSocket.OPEN) {
      return Promise.resolve({ type: 'failed', id, text: 'There is no connection to the program.' })
    }
    this.#say(askedBy(id))
    return new Promise(resolve => this.#asked.set(id, resolve))
  }

  async #greet(): Promise<void> {
    clearTimeout(this.#retry)
    const old = this.#socket
    this.#socket = undefined
    old?.close()
    const token = keptToken()
    // A header cannot carry anything else.
    if (token !== undefined && !/^[\x20-\x7e]+$/.test(token))
      return this.#become({ kind: 'locked', wasWrong: true })
    let response: Response
    try {
      response = await fetch(placeOf(HELLO_PATH), { headers: bearer(), cache: 'no-store' })
      if (response.status === 401) return this.#become({ kind: 'locked', wasWrong: token !== undefined })
      if (!response.ok) return this.#lose()
      const { version } = (await response.json()) as Hello
      if (version !== VERSION) return this.#become({ kind: 'foreign', version })
    } catch {
      return this.#lose()
    }
    this.#open(token)
  }

  #open(token: string | undefined): void {
    const protocols = token === undefined ? [SUBPROTOCOL] : [SUBPROTOCOL, `token.${base64url(token)}`]
    const place = placeOf(SOCKET_PATH)
    place.protocol = place.protocol === 'https:' ? 'wss:' : 'ws:'
    const socket = new WebSocket(place, protocols)
    this.#socket = socket
    socket.onmessage = ({ data }) => this.#hear(JSON.parse(String(data)) as Told)
    socket.onclose = () => {
      if (this.#socket === socket) this.#lose()
    }
  }

  #hear(told: Told): void {
    this.heardAt = Date.now()
    switch (told.type) {
      case 'beat':
        break
      case 'hello':
        this.#failures = 0
        this.skew = told.now - Date.now()
        this.#become({ kind: 'open', hello: told })
        this.#watchAgain()
        break
      case 'shown':
      case 'events':
        this.#watches.get(told.id)?.tell(told)
        break
      case 'failed':
        this.#watches.get(told.id)?.tell(told)
        this.#answer(told)
        break
      default:
        this.#answer(told)
    }
  }

  #answer(answer: Answer): void {
    this.#asked.get(answer.id)?.(answer)
    this.#asked.delete(answer.id)
  }

  #watchAgain(): void {
    if (this.#isResting) return
    for (const [id, { view, begin }] of this.#watches) {
      begin()
      this.#say({ type: 'watch', id, view })
    }
  }

  #lose(): void {
    this.#socket = undefined
    const wait = Math.min(FIRST_RETRY * 2 ** this.#failures, LAST_RETRY)
    this.#failures += 1
    for (const id of [...this.#asked.keys()]) {
      this.#answer({ type: 'failed', id, text: 'The connection to the program was lost.' })
    }
    const { hello } = { hello: undefined, ...this.#status }
    this.#become({ kind: 'lost', hello, retryAt: Date.now() + wait })
    this.#retry = setTimeout(() => void this.#greet(), wait)
  }

  /** Looks at nothing but traces while nobody sees the page, so that the program is left alone. */
  #beSeen(isSeen: boolean): void {
    clearTimeout(this.#unseen)
    if (!isSeen) this.#unseen = setTimeout(() => this.#rest(), UNSEEN)
    else if (this.#isResting) {
      this.#isResting = false
      this.#watchAgain()
    } else this.retry()
  }

  #rest(): void {
    const watched = [...this.#watches]
    if (watched.some(([, { view }]) => view.name === 'trace')) return
    this.#isResting = true
    for (const [id] of watched) this.#say({ type: 'unwatch', id })
  }

  #say(asked: Asked): void {
    if (this.#status.kind === 'open' && this.#socket?.readyState === WebSocket.OPEN) {
      this.#socket.send(JSON.stringify(asked))
    }
  }

  #become(status: Status): void {
    this.#status = status
    for (const listener of [...this.#listeners]) listener()
  }
}

/** Gives the address of a path of the observer, which may stand behind a proxy with a path of its own. */
function placeOf(path: string): URL {
  return new URL(`.${path}`, location.href.replace(/#.*$/, ''))
}

function bearer(): Record<string, string> {
  const token = keptToken()
  return token === undefined ? {} : { authorization: `Bearer ${token}` }
}
