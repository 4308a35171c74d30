// Another node in a program of its own, which does what a test tells it, and tells the test what it hears.

import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import type { NatsOptions } from '@holster/node/nats'
import { type Guarded, guarded } from './guarded.ts'
import type { Answers, Command, Commands, News, PeerOptions } from './peer-program.ts'

export type { PeerOptions } from './peer-program.ts'

const program = fileURLToPath(new URL('./peer-program.ts', import.meta.url))

/** A secret for nodes whose test is not about secrets. */
export const COOKIE = 'the cookie of these tests'

/** Another program. */
export class Peer implements AsyncDisposable {
  readonly #program: Guarded
  readonly #asked = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  readonly #news: News[] = []
  #waiting: { matches(news: News): boolean; resolve(news: News): void; reject(error: Error): void }[] = []
  #last = 0
  #hasEnded = false

  /** Starts a program that is no node yet. */
  constructor() {
    // Warnings are told to the test, and need not be printed.
    const args = ['--no-warnings', '--import', 'tsx', program]
    this.#program = guarded(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    this.#program.child.on('message', message => this.#take(message as Answers | { news: News }))
    void this.#program.ended.then(code => this.#end(new Error(`the peer has ended with ${code}`)))
  }

  /** Starts a program that is a node. */
  static async start(options: PeerOptions): Promise<Peer> {
    const peer = new Peer()
    try {
      await peer.tell('start', options)
      return peer
    } catch (error) {
      await peer[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Has the peer do something. */
  tell<Name extends Command>(
    name: Name,
    ...args: Parameters<Commands[Name]>
  ): Promise<Awaited<ReturnType<Commands[Name]>>> {
    const id = ++this.#last
    return new Promise((resolve, reject) => {
      if (this.#hasEnded) return reject(new Error(`the peer has ended, and cannot do '${name}'`))
      this.#asked.set(id, { resolve: resolve as (value: unknown) => void, reject })
      this.#program.child.send({ id, name, args })
    })
  }

  /** Resolves to the next news of a kind. What comes before is looked at later. */
  next<Kind extends News['kind']>(
    kind: Kind,
    matches: (news: Extract<News, { kind: Kind }>) => boolean = () => true,
  ): Promise<Extract<News, { kind: Kind }>> {
    type Found = Extract<News, { kind: Kind }>
    const isWanted = (news: News): boolean => news.kind === kind && matches(news as Found)
    const index = this.#news.findIndex(isWanted)
    if (index >= 0) return Promise.resolve(this.#news.splice(index, 1)[0] as Found)
    return new Promise((resolve, reject) => {
      if (this.#hasEnded) return reject(new Error(`the peer has ended, and tells no '${kind}'`))
      this.#waiting.push({ matches: isWanted, resolve: news => resolve(news as Found), reject })
    })
  }

  /** Resolves once the peer has heard that a node is connected. */
  async up(node: string): Promise<void> {
    await this.next('nodeup', news => news.node === node)
  }

  /** Resolves once the peer has heard that a node is gone. */
  async down(node: string): Promise<void> {
    await this.next('nodedown', news => news.node === node)
  }

  /** The news that nobody has asked for. */
  get unread(): readonly News[] {
    return this.#news
  }

  /** Resolves to the exit code, or to the signal that has ended the program. */
  get ended(): Promise<number | string> {
    return this.#program.ended
  }

  /** Stops the time of the program, whose sockets stay open. */
  pause(): void {
    this.#program.child.kill('SIGSTOP')
  }

  resume(): void {
    this.#program.child.kill('SIGCONT')
  }

  /** Ends the program without a word to anybody. */
  kill(): Promise<void> {
    return this.#program.kill()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#program.kill()
  }

  #take(message: Answers | { news: News }): void {
    if ('news' in message) return this.#hear(message.news)
    const asked = this.#asked.get(message.id)
    this.#asked.delete(message.id)
    if (message.error === undefined) asked?.resolve(message.value)
    else asked?.reject(new Error(message.error))
  }

  #hear(news: News): void {
    const index = this.#waiting.findIndex(({ matches }) => matches(news))
    if (index < 0) this.#news.push(news)
    else this.#waiting.splice(index, 1)[0]?.resolve(news)
  }

  #end(error: Error): void {
    this.#hasEnded = true
    for (const { reject } of [...this.#asked.values(), ...this.#waiting]) reject(error)
    this.#asked.clear()
    this.#waiting = []
  }
}

/** Two nodes that have heard of each other. */
export interface Pair extends AsyncDisposable {
  readonly a: Peer
  readonly b: Peer
  /** Has each monitor a process of the other. */
  watchEachOther(): Promise<void>
  /** Resolves once both nodes, and who monitors there, have heard that the other is gone. */
  parted(): Promise<void>
  /** Resolves once both have heard of each other again, and a message has gone there and back. */
  metAgain(): Promise<void>
}

/** Resolves once a node, and who monitors there, has heard that `other` is gone. */
export async function hearsLoss(peer: Peer, other: string): Promise<void> {
  await peer.down(other)
  assert.equal((await peer.next('DOWN')).reason, 'noconnection')
}

/** Starts the nodes `a` and `b`, and resolves once they have heard of each other. */
export async function pair(nats: NatsOptions, options: Partial<PeerOptions> = {}): Promise<Pair> {
  const start = (name: string, other: string) =>
    Peer.start({ cookie: COOKIE, ...options, name, nats, watch: [other] })
  const [a, b] = await Promise.all([start('a', 'b'), start('b', 'a')])
  await Promise.all([a.up('b'), b.up('a')])
  return {
    a,
    b,
    async watchEachOther() {
      await Promise.all([a.tell('monitor', 'b', 'echo'), b.tell('monitor', 'a', 'echo')])
    },
    async parted() {
      await Promise.all([hearsLoss(a, 'b'), hearsLoss(b, 'a')])
    },
    async metAgain() {
      await Promise.all([a.up('b'), b.up('a')])
      assert.equal(await a.tell('echo', 'b', 10), true)
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([a.kill(), b.kill()])
    },
  }
}
