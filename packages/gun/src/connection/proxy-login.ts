/** The credentials for the proxies of a connection: those of the URLs, and those with which the caller answers a refusal. */

import { GunError, messageOf } from '../errors.js'
import type { ProxyHop } from '../options/proxies.js'
import type { ProxyAuth, ProxyChallenge, ProxyCredentials } from '../options/proxy.js'
import { basic } from '../tunnel/goal.js'

/** How many times in a row the caller is asked for one proxy. */
const MOST_ANSWERS = 3

type Answer = (outcome: string | GunError) => void

export class ProxyLogin {
  readonly #proxies: readonly ProxyHop[]
  readonly #auth: ProxyAuth | undefined
  /** The values of `proxy-authorization` by the place of the proxy. */
  readonly #values = new Map<number, string>()
  readonly #answers = new Map<number, number>()
  /** The question under way. */
  #question: object | undefined
  #whenAnswered: (() => void) | undefined

  constructor(proxies: readonly ProxyHop[], auth: ProxyAuth | undefined) {
    this.#proxies = proxies
    this.#auth = auth
    proxies.forEach(({ username, password }, index) => {
      if (username !== undefined && password !== undefined) this.#values.set(index, basic(username, password))
    })
  }

  /** Whether the caller is being asked. */
  get isAsking(): boolean {
    return this.#question !== undefined
  }

  /** The value of `proxy-authorization` for a proxy; `undefined`: none is sent. */
  valueFor(index: number): string | undefined {
    return this.#values.get(index)
  }

  /** The connection is up: what was refused before counts no more. */
  succeed(): void {
    this.#answers.clear()
  }

  /** Asks the caller for credentials that fit the challenges, and calls `answer` with the value or an error, now or later. */
  answer(index: number, challenges: readonly ProxyChallenge[], answer: Answer): void {
    const auth = this.#auth
    const proxy = this.#proxies[index]
    const answers = this.#answers.get(index) ?? 0
    if (auth === undefined || proxy === undefined || answers >= MOST_ANSWERS) {
      return answer(refused(this.#values.has(index), challenges))
    }
    this.#answers.set(index, answers + 1)
    const question = {}
    this.#question = question
    const settle = (outcome: string | GunError) => {
      if (this.#question !== question) return
      this.#question = undefined
      if (typeof outcome === 'string') this.#values.set(index, outcome)
      const then = this.#whenAnswered
      this.#whenAnswered = undefined
      answer(outcome)
      then?.()
    }
    let given: ReturnType<ProxyAuth>
    try {
      given = auth(challenges, new URL(proxy.name))
    } catch (cause) {
      return settle(failed(cause))
    }
    if (given instanceof Promise) {
      given.then(
        credentials => settle(headerOf(credentials, challenges)),
        cause => settle(failed(cause)),
      )
    } else settle(headerOf(given, challenges))
  }

  /** Calls `run` once the caller has answered. */
  whenAnswered(run: () => void): void {
    this.#whenAnswered = run
  }

  /** Takes no answer to the question under way. */
  abandon(): void {
    this.#question = undefined
    this.#whenAnswered = undefined
  }
}

function headerOf(
  credentials: ProxyCredentials | undefined,
  challenges: readonly ProxyChallenge[],
): string | GunError {
  if (credentials === undefined) return refused(false, challenges)
  if (typeof credentials === 'string') {
    // Neither a line break nor anything else that could be taken for another field.
    return /^[\x20-\x7e]+$/.test(credentials) ? credentials : wrong()
  }
  const { username, password } = Object(credentials)
  if (typeof username !== 'string' || typeof password !== 'string' || username.includes(':')) return wrong()
  return basic(username, password)
}

function wrong(): GunError {
  const text =
    "proxyAuth must return { username, password }, a value of proxy-authorization, or undefined; a username has no ':'"
  return new GunError('bad_option', 'connection_error', text)
}

function failed(cause: unknown): GunError {
  return new GunError('bad_option', 'connection_error', `proxyAuth failed: ${messageOf(cause)}`, { cause })
}

function refused(hasAny: boolean, challenges: readonly ProxyChallenge[]): GunError {
  const schemes = challenges.map(({ scheme }) => scheme).join(', ')
  const wanted = schemes === '' ? '' : ` (it takes ${schemes})`
  const text = hasAny
    ? `it does not accept the credentials that it was given${wanted}`
    : `it asks for credentials${wanted}: give them in the URL of the proxy, or by proxyAuth`
  return new GunError('proxy_auth', 'connection_error', text, { isPermanent: true })
}
