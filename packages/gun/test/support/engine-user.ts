/** Uses an engine at random, and throws when a value comes that may not come (the ends of streams and of the connection). */

import { nameOf } from '../../src/http2/engine/codes.ts'
import type { EngineOptions } from '../../src/http2/engine/settings.ts'
import type { Value } from '../../src/http2/engine/values.ts'
import { ClientFrames, PeerFrames } from './client-frames.ts'
import { type Stream, Talk, tell } from './engine.ts'
import type { Act } from './engine-fuzz.ts'

/** The record of a stream. */
interface Book {
  readonly stream: Stream
  hasHead: boolean
  hasEnded: boolean
  /** Whether nothing may come of it any more, and why. */
  over: string | undefined
  /** How many bytes of its body have come and are not consumed. */
  kept: number
  got: number
  /** How many bytes its head says. */
  length: number | undefined
}

const methods = ['GET', 'POST', 'HEAD', 'CONNECT', 'PUT']
const sizes = [0, 1, 10, 1000, 16_384, 16_385, 70_000]

export class EngineUser {
  readonly talk: Talk
  readonly told: string[] = []
  readonly client: ClientFrames
  readonly #peer = new PeerFrames()
  readonly #opts: EngineOptions
  readonly #acts: Act[]
  /** Whether the user acts behind pieces of DATA too, of which there may be more or fewer. */
  readonly #actsOnData: boolean
  /** How many values have come since the last act. */
  #since = 0
  readonly #books: Book[] = []
  readonly #pings = new Set<number>()
  #failure: string | undefined
  /** The bytes that were given last, and are valid no longer once they are owned. */
  #given = Buffer.alloc(0)

  constructor(opts: EngineOptions, acts: readonly Act[], actsOnData: boolean) {
    this.#opts = opts
    this.#acts = [...acts]
    this.#actsOnData = actsOnData
    this.talk = new Talk(opts)
    const windows = { connection: opts.connectionWindow.initial, stream: opts.streamWindow.initial }
    this.client = new ClientFrames(this.#peer, windows)
    this.talk.engine.start()
  }

  open(method: string, isEnd: boolean, field = ''): void {
    if (!this.talk.engine.canOpen) return
    this.#add(this.talk.open({ method, headers: [['x', field]] }, isEnd))
  }

  #add(stream: Stream): void {
    this.#books.push({
      stream,
      hasHead: false,
      hasEnded: false,
      over: undefined,
      kept: 0,
      got: 0,
      length: undefined,
    })
  }

  /** Gives bytes and takes all values; the bytes change as soon as they may. */
  give(bytes: Buffer): void {
    const { engine } = this.talk
    this.#given = Buffer.from(bytes)
    this.#peer.push(bytes)
    engine.give(this.#given, this.talk.now)
    for (let value = engine.next(); value !== undefined; value = engine.next()) {
      this.#take(value)
      this.#look()
      const isCounted = this.#actsOnData || (value.type !== 'data' && value.type !== 'sent')
      if (isCounted) this.#act()
      this.#look()
    }
    check(engine.isIdle, 'an engine that is not idle has nothing to give')
    this.#given.fill(0xaa)
  }

  /** Looks at what was written. */
  #look(): void {
    const { sink } = this.talk
    const bytes = Buffer.concat(sink.pieces)
    sink.pieces = []
    check(this.#failure === undefined || bytes.length === 0, 'something was written behind a failure')
    this.client.push(bytes)
  }

  /** Gives back all that has come, and looks whether the windows are as they should be. */
  end(): void {
    const { engine } = this.talk
    this.#look()
    if (this.#failure !== undefined) return
    for (const book of this.#books) this.#consume(book)
    this.#look()
    const { connectionWindow, streamWindow } = this.#opts
    if (!this.#peer.isWhole) return
    check(this.client.left(0) > connectionWindow.threshold, "the connection's window was not opened again")
    for (const { stream, over, hasEnded } of this.#books) {
      if (over !== undefined || hasEnded || stream.hasEnded) continue
      check(
        this.client.left(stream.id) > streamWindow.threshold,
        `the window of ${stream.id} was not opened again`,
      )
    }
    engine.stop()
    check(engine.next() === undefined, 'a value came behind the stop')
  }

  #consume(book: Book): void {
    if (book.kept > 0) this.talk.engine.consume(book.stream, book.kept)
    book.kept = 0
  }

  #take(value: Value<string>): void {
    check(this.#failure === undefined, `${value.type} behind a failure`)
    this.#tell(value)
    if (value.type === 'failure') {
      const code = nameOf(value.code)
      // Written together with the value.
      const { sink } = this.talk
      this.client.push(Buffer.concat(sink.pieces))
      sink.pieces = []
      check(this.client.goaways.at(-1) === code, `a failure without its GOAWAY, but ${this.client.goaways}`)
      check(this.client.goaways.length <= 2, 'many GOAWAYs')
      check(!this.talk.engine.canOpen, 'a stream may begin behind a failure')
      this.#failure = code
    }
    if (value.type === 'ping_ack') check(this.#pings.delete(value.ping), 'an answer to no PING')
    if ('stream' in value) this.#ofStream(value)
  }

  #ofStream(value: Value<string> & { readonly stream: Stream }): void {
    const book = this.#books.find(({ stream }) => stream === value.stream)
    check(book !== undefined, `${value.type} of a stream that nobody knows`)
    check(book.over === undefined, `${tell(value)} behind ${book.over}`)
    check(
      !book.hasEnded || ['sent', 'reset', 'broken', 'unseen'].includes(value.type),
      `${tell(value)} behind its end`,
    )
    switch (value.type) {
      case 'inform':
        return check(!book.hasHead, 'an interim response behind the final one')
      case 'response':
        check(!book.hasHead, 'two heads')
        book.hasHead = true
        book.length = lengthOf(value)
        break
      case 'data':
        check(book.hasHead, 'a body before its head')
        check(value.isFin || value.data.length > 0, 'an empty piece')
        book.kept += value.data.length
        book.got += value.data.length
        break
      case 'trailers':
        check(book.hasHead, 'trailers before a head')
        break
      case 'push':
        check(!value.stream.isPushed, 'a push of a push')
        return this.#add(value.promised)
      case 'reset':
        check(!value.isWhole || book.hasHead, 'a whole response without a head')
        if (value.isWhole) this.#whole(book)
        book.over = 'reset'
        return
      case 'broken':
      case 'unseen':
        check(value.stream.isClosed, 'an end of a stream that is open')
        book.over = value.type
        return
      case 'sent':
        return
    }
    if (value.type === 'trailers' || ('isFin' in value && value.isFin)) {
      book.hasEnded = true
      this.#whole(book)
    }
  }

  #whole({ length, got }: Book): void {
    check(length === undefined || length === got, `${got} bytes of ${length}`)
  }

  /** Notes a value; pieces of a body that follow each other are one, as they may be cut anywhere. */
  #tell(value: Value<string>): void {
    const last = this.told.length - 1
    if (value.type !== 'data') this.told.push(tell(value))
    else {
      const start = `data ${value.stream.id}: `
      const text = value.data.toString('latin1') + (value.isFin ? ' fin' : '')
      const before = this.told[last]
      if (before?.startsWith(start) && !before.endsWith(' fin')) this.told[last] = before + text
      else this.told.push(start + text)
    }
  }

  #act(): void {
    for (;;) {
      const next = this.#acts[0]
      if (next === undefined || this.#since < next[0]) break
      this.#since = 0
      this.#acts.shift()
      this.#do(next)
      this.#look()
    }
    this.#since++
  }

  #do([, what, chosen, a]: Act): void {
    const { engine, sink } = this.talk
    if (what < 20) {
      // Some have a header block that is larger than a frame.
      const field = (a % 2 === 0 ? '~' : '\xff').repeat(a % 7 === 0 ? a : a % 100)
      return this.open(methods[a % methods.length] ?? 'GET', a % 2 === 0, field)
    }
    const book = this.#books[chosen % Math.max(1, this.#books.length)]
    if (book === undefined) return
    const { stream } = book
    if (what < 40) engine.send(stream, Buffer.alloc(sizes[a % sizes.length] ?? 0, 'x'), a % 3 === 0)
    else if (what < 44) engine.sendTrailers(stream, [['t', 'u'.repeat(a % 100)]])
    else if (what < 54) {
      book.over ??= 'our reset'
      engine.reset(stream, a % 14)
    } else if (what < 74) this.#consume(book)
    else if (what < 80) this.#pings.add(engine.ping() ?? 0)
    else if (what < 82) engine.goAway(0)
    else if (what < 87) engine.flush()
    else if (what < 90) sink.isStuck = true
    else if (what < 94) {
      sink.drain()
      engine.flush()
    } else if (what < 97) this.#write(stream, a % 20_000)
    else {
      engine.own()
      this.#given.fill(0xaa)
    }
  }

  #write(stream: Stream, size: number): void {
    const { engine, sink } = this.talk
    const at = engine.reserve(stream, size)
    if (at === undefined) return
    sink.page.fill('w', at, at + size)
    engine.commit(stream, size)
  }
}

/** How many bytes the body of a response has, where its head says so. */
function lengthOf({
  stream,
  status,
  headers,
}: Value<string> & { readonly type: 'response' }): number | undefined {
  if (stream.method === 'CONNECT' && status < 300) return undefined
  if (stream.method === 'HEAD' || status === 204 || status === 304) return 0
  const length = headers.find(([name]) => name === 'content-length')
  return length === undefined ? undefined : Number(length[1])
}

function check(holds: boolean, text: string): asserts holds {
  if (!holds) throw new Error(text)
}
