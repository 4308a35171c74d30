/** A viewer over a WebSocket of `ws`, which waits for what the observer tells. */

import { once } from 'node:events'
import { after, before } from 'node:test'
import { type Observer, type ObserverOptions, startObserver } from '@holster/observer'
import { WebSocket } from 'ws'
import {
  type Asked,
  SOCKET_PATH,
  SUBPROTOCOL,
  type Told,
  type View,
  type ViewName,
  type Views,
} from '../../src/words.ts'

/** A message that the observer tells, or that does not lead to what is waited for. */
type Seek<T> = (told: Told) => T | undefined

/** One viewer, to be closed at the end of the test. */
export class Viewer implements Disposable {
  readonly #socket: WebSocket
  readonly #told: Told[] = []
  readonly #seekers = new Set<(told: Told) => boolean>()
  #last = 0

  private constructor(socket: WebSocket) {
    this.#socket = socket
    socket.on('message', data => {
      const told = JSON.parse(String(data)) as Told
      this.#told.push(told)
      for (const seek of this.#seekers) seek(told)
    })
  }

  /** Connects. Rejects with the error of `ws` if the observer refuses. */
  static async open({ url, token }: Pick<Observer, 'url' | 'token'>): Promise<Viewer> {
    const address = new URL(SOCKET_PATH, url)
    address.protocol = 'ws:'
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
    const viewer = new Viewer(new WebSocket(address, SUBPROTOCOL, { headers }))
    await once(viewer.#socket, 'open')
    return viewer
  }

  ask(asked: Asked): void {
    this.say(JSON.stringify(asked))
  }

  /** Says anything, which may be none of the words. */
  say(text: string): void {
    this.#socket.send(text)
  }

  /** Watches a view, and gives its id. */
  watch(view: View): number {
    const id = ++this.#last
    this.ask({ type: 'watch', id, view })
    return id
  }

  /** Waits for the first message, told or to come, for which `seek` gives something. Rejects with an error that `seek` throws. */
  find<T>(seek: Seek<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const seekNext = (told: Told): boolean => {
        try {
          const found = seek(told)
          if (found === undefined) return false
          resolve(found)
        } catch (error) {
          reject(error)
        }
        this.#seekers.delete(seekNext)
        return true
      }
      if (!this.#told.some(seekNext)) this.#seekers.add(seekNext)
    })
  }

  /** Watches a view until its value is as wanted, and gives that value. */
  async see<Name extends ViewName>(
    view: Extract<View, { readonly name: Name }>,
    isWanted: (value: Views[Name]['value']) => boolean = () => true,
  ): Promise<Views[Name]['value']> {
    const id = this.watch(view)
    const seen = await this.find(told => {
      if (told.type === 'failed' && told.id === id) throw new Error(told.text)
      if (told.type !== 'shown' || told.id !== id) return undefined
      return isWanted(told.value as Views[Name]['value']) ? { value: told.value } : undefined
    })
    this.ask({ type: 'unwatch', id })
    return seen.value as Views[Name]['value']
  }

  /** Resolves to the code of the close that follows. */
  async closed(): Promise<number> {
    const [code] = await once(this.#socket, 'close')
    return code as number
  }

  [Symbol.dispose](): void {
    this.#socket.terminate()
  }
}

/** The range of a table with all that is usual. */
export const ALL = { filter: '', order: 'id', descending: false, offset: 0, limit: 100 }

/** Has this program observed during all tests of a file. */
export function observed(options: ObserverOptions = {}): {
  readonly observer: Observer
  readonly viewer: Viewer
} {
  let observer: Observer
  let viewer: Viewer
  before(async () => {
    observer = await startObserver({ log: false, ...options })
    viewer = await Viewer.open(observer)
  })
  after(async () => {
    viewer[Symbol.dispose]()
    await observer.stop()
  })
  return {
    get observer() {
      return observer
    },
    get viewer() {
      return viewer
    },
  }
}
