/** The link to an observer: a process that owns a connection, watches views, and connects anew when the connection is lost. */

import { setTimeout } from 'node:timers/promises'
import {
  awaitBody,
  awaitUp,
  type ConnPid,
  close,
  type GunMessage,
  open,
  type StreamRef,
  wsSend,
  wsUpgrade,
} from '@holster/gun'
import { P, type Process, spawn } from '@holster/process'
import { type Asked, type Hello, SOCKET_PATH, SUBPROTOCOL, type Told, VERSION, type View } from '../words.js'
import { harmless, harmlessValue } from './text.js'

/** Whoever looks, as the link sees them. */
export interface LinkUser {
  /** The observer has said hello: for the first time, or again. */
  onHello(hello: Hello): void
  onTold(told: Exclude<Told, Hello>): void
  /** The connection is lost, and is tried again. */
  onLost(why: string): void
  /** There is no use in trying again. */
  onFailed(error: Error): void
}

/** The pauses between attempts, in milliseconds; the last one goes on. */
const PAUSES = [200, 500, 1000, 2000]
const CONNECT_TIMEOUT = 10_000
/** A peer that is gone without a word is noticed by its silence. */
const KEEPALIVE = { keepalive: 5000, keepaliveTolerance: 2 }
/** The syntax of a bearer token (RFC 6750 section 2.1). */
const TOKEN = /^[\w\-.~+/]+=*$/
const NO_OBSERVER = 'what answers at this address is no observer'
/** An error for which trying again is of no use. */
class Refused extends Error {}

/** The WebSocket of one connection. */
interface Line {
  readonly connPid: ConnPid
  readonly streamRef: StreamRef
}

export class Link {
  readonly #url: URL
  readonly #token: string | undefined
  readonly #user: LinkUser
  readonly #views = new Map<number, View>()
  readonly #pid: Process<GunMessage>
  #line: Line | undefined
  #hasGreeted = false

  constructor(url: URL, token: string | undefined, user: LinkUser) {
    this.#url = url
    this.#token = token
    this.#user = user
    this.#pid = spawn<GunMessage>(self => this.#live(self))
  }

  /** Watches a view; the same `id` again replaces the view. */
  watch(id: number, view: View): void {
    this.#views.set(id, view)
    this.#say({ type: 'watch', id, view })
  }

  unwatch(id: number): void {
    if (this.#views.delete(id)) this.#say({ type: 'unwatch', id })
  }

  /** Ends the link, and the connection with it. */
  stop(): void {
    this.#pid.exit('shutdown')
  }

  async #live(self: Process<GunMessage>): Promise<void> {
    let attempt = 0
    for (;;) {
      const greetedBefore = this.#hasGreeted
      try {
        await this.#connect(self)
      } catch (error) {
        const why = error instanceof Error ? error : new Error(String(error))
        if (why instanceof Refused || !this.#hasGreeted) return this.#user.onFailed(why)
        this.#user.onLost(harmless(why.message))
      }
      attempt = this.#line === undefined && greetedBefore ? attempt + 1 : 0
      this.#line = undefined
      const pause = PAUSES[Math.min(attempt, PAUSES.length - 1)] as number
      // The terminal keeps the program running.
      await setTimeout(pause, undefined, { ref: false })
      if (!self.isAlive) return
    }
  }

  /** Looks over one connection until that is lost, which rejects. */
  async #connect(self: Process<GunMessage>): Promise<never> {
    const { hostname, port, protocol, pathname } = this.#url
    const transport = protocol === 'https:' ? 'tls' : 'tcp'
    const connPid = open(hostname.replace(/^\[|\]$/g, ''), Number(port) || (transport === 'tls' ? 443 : 80), {
      owner: self,
      transport,
      retry: 0,
      connectTimeout: CONNECT_TIMEOUT,
      protocols: ['http'],
      wsOpts: KEEPALIVE,
    })
    try {
      await awaitUp(connPid, CONNECT_TIMEOUT)
      const path = `${pathname.replace(/\/$/, '')}${SOCKET_PATH}`
      const streamRef = wsUpgrade(connPid, path, credentials(this.#token))
      return await this.#listen(self, connPid, streamRef)
    } finally {
      close(connPid)
    }
  }

  async #listen(self: Process<GunMessage>, connPid: ConnPid, streamRef: StreamRef): Promise<never> {
    for (;;) {
      // Anything may answer at an address, and say nothing.
      const limits = this.#line === undefined ? { timeout: CONNECT_TIMEOUT, onTimeout: () => undefined } : {}
      const told = (await self.receive([{ connPid, type: P.any }] as never, limits)) as GunMessage | undefined
      if (told === undefined)
        throw new Refused('what answers at this address says nothing, and is no observer')
      switch (told.type) {
        case 'gun_response':
          throw await refusal(connPid, streamRef, told.status)
        case 'gun_ws':
          if (told.frame[0] === 'text') this.#take(told.frame[1] as string, { connPid, streamRef })
          else if (told.frame === 'close' || told.frame[0] === 'close')
            throw new Error('the observer has ended')
          break
        case 'gun_down':
          throw told.reason === 'normal' ? new Error('the observer has closed the connection') : told.reason
        case 'gun_error':
          throw told.reason
      }
    }
  }

  #take(data: string, line: Line): void {
    const told = read(data)
    if (told.type !== 'hello') {
      if (this.#line === undefined) throw new Refused(NO_OBSERVER)
      return this.#user.onTold(told)
    }
    if (told.version !== VERSION) {
      const text = `the observer speaks version ${told.version} and this program ${VERSION}: use the same version of @holster/observer`
      throw new Refused(text)
    }
    this.#line = line
    this.#hasGreeted = true
    this.#user.onHello(told)
    for (const [id, view] of this.#views) this.#say({ type: 'watch', id, view })
  }

  #say(asked: Asked): void {
    if (this.#line === undefined) return
    wsSend(this.#line.connPid, this.#line.streamRef, ['text', JSON.stringify(asked)])
  }
}

/** Gives the header fields that show the token; one that no `authorization` can hold goes the way that pages go. */
function credentials(token: string | undefined): Record<string, string> {
  if (token === undefined) return { 'sec-websocket-protocol': SUBPROTOCOL }
  if (TOKEN.test(token)) return { 'sec-websocket-protocol': SUBPROTOCOL, authorization: `Bearer ${token}` }
  return { 'sec-websocket-protocol': `${SUBPROTOCOL}, token.${Buffer.from(token).toString('base64url')}` }
}

/** Reads a message, all texts of which are harmless from here on. */
function read(data: string): Told {
  try {
    const told = harmlessValue(JSON.parse(data) as Told)
    if (typeof told?.type === 'string') return told
  } catch {
    // Said below.
  }
  throw new Refused(NO_OBSERVER)
}

/** Says why an upgrade was refused. */
async function refusal(connPid: ConnPid, streamRef: StreamRef, status: number): Promise<Error> {
  const body = await awaitBody(connPid, streamRef, CONNECT_TIMEOUT).catch(() => undefined)
  const text = body === undefined ? '' : harmless(String(body.body).trim()).slice(0, 200)
  if (status === 401) return new Refused(`the observer refuses: ${text || 'the token is missing or wrong'}`)
  if (status === 404) return new Refused(`${NO_OBSERVER} (404)`)
  const isPassing = status === 429 || status >= 500
  const reason = `the observer refuses with the status ${status}${text === '' ? '' : `: ${text}`}`
  return isPassing ? new Error(reason) : new Refused(reason)
}

/** Says what a failure to connect means, and what to do. */
export function explain(url: URL, error: Error): string {
  const place = url.host
  if (error instanceof Refused) return harmless(error.message)
  const codes = codesOf(error)
  if (codes.includes('ECONNREFUSED')) {
    return `nothing listens at ${place}: is the program running, and is this the address that it has printed?`
  }
  if (codes.includes('ENOTFOUND') || codes.includes('EAI_AGAIN')) {
    return `there is no host ${url.hostname}: is this the address that the program has printed?`
  }
  return `cannot look at ${place}: ${harmless(error.message)}`
}

/** Gives the codes of an error and of all that has caused it. */
function codesOf(error: unknown): unknown[] {
  const codes: unknown[] = []
  for (let each = error; each instanceof Error; each = each.cause)
    codes.push((each as { code?: unknown }).code)
  return codes
}
