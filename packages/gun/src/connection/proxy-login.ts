/** The credentials for the proxies of a connection: those of the options, and those with which the caller answers a refusal. */

import { GunError, messageOf } from '../errors.js'
import { headerValue } from '../headers.js'
import { isBasicName, isPassword } from '../options/credentials.js'
import type { ProxyHop } from '../options/proxies.js'
import type { ProxyAuth, ProxyChallenge, ProxyCredentials } from '../options/proxy.js'
import { basic } from '../tunnel/goal.js'
import type { Headers } from '../words.js'

/** How many times in a row the caller is asked for one proxy. */
const MOST_ANSWERS = 3
/** How many schemes of a proxy a message names. */
const MOST_SCHEMES = 5

type Answer = (outcome: string | GunError) => void

export class ProxyLogin {
  readonly #proxies: readonly ProxyHop[]
  readonly #auth: ProxyAuth | undefined
  /** The values of `proxy-authorization` by the place of the proxy. */
  readonly #values = new Map<number, string>()
  /** How many times the caller was asked for each proxy since the connection was up. */
  readonly #answers = new Map<number, number>()
  /** The question under way. */
  #question: object | undefined

  constructor(proxies: readonly ProxyHop[], auth: ProxyAuth | undefined) {
    this.#proxies = proxies
    this.#auth = auth
    proxies.forEach(({ headers, username, password }, index) => {
      const fromUrl = username === undefined || password === undefined ? undefined : basic(username, password)
      const value = headerValue(headers, 'proxy-authorization') ?? fromUrl
      if (value !== undefined) this.#values.set(index, value)
    })
  }

  /** Returns the header fields of a CONNECT, the caller's own and the credentials, if there are any. */
  headersFor(index: number): Headers {
    const headers = this.#proxies[index]?.headers ?? []
    const value = this.#values.get(index)
    if (value === undefined) return headers
    return [...headers.filter(([name]) => name !== 'proxy-authorization'), ['proxy-authorization', value]]
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
      return answer(this.#values.has(index) ? notAccepted(challenges) : notGiven(challenges))
    }
    this.#answers.set(index, answers + 1)
    const question = {}
    this.#question = question
    const settle = (outcome: string | GunError) => {
      if (this.#question !== question) return
      this.#question = undefined
      if (typeof outcome === 'string') this.#values.set(index, outcome)
      answer(outcome)
    }
    const take = (credentials: ProxyCredentials | undefined) =>
      credentials === undefined ? notAnswered(challenges) : headerOf(credentials)
    try {
      const given = auth(challenges, new URL(proxy.name))
      if (isPromise(given)) {
        Promise.resolve(given)
          .then(take)
          .then(settle, cause => settle(failed(cause)))
      } else settle(take(given))
    } catch (cause) {
      settle(failed(cause))
    }
  }

  /** Takes no answer to the question under way. */
  abandon(): void {
    this.#question = undefined
  }
}

function isPromise<T>(given: T | Promise<T>): given is Promise<T> {
  return typeof given === 'object' && given !== null && 'then' in given
}

function headerOf(credentials: ProxyCredentials): string | GunError {
  if (typeof credentials === 'string') {
    // A line break, or a character like it, could begin another field.
    return /^[\x20-\x7e]+$/.test(credentials) ? credentials : wrong()
  }
  const { username, password } = Object(credentials)
  return isBasicName(username) && isPassword(password) ? basic(username, password) : wrong()
}

function wrong(): GunError {
  const text =
    "proxyAuth must return { username, password } without control characters and with no ':' in the username, a value of proxy-authorization, or undefined"
  return new GunError('bad_option', 'connection_error', text)
}

function failed(cause: unknown): GunError {
  return new GunError('bad_option', 'connection_error', `proxyAuth failed: ${messageOf(cause)}`, { cause })
}

function notAccepted(challenges: readonly ProxyChallenge[]): GunError {
  return refused(`it does not accept the credentials that it was given${takenBy(challenges)}`)
}

function notGiven(challenges: readonly ProxyChallenge[]): GunError {
  const how = 'give them in the URL of the proxy, or by proxyAuth'
  return refused(`it asks for credentials${takenBy(challenges)}: ${how}`)
}

function notAnswered(challenges: readonly ProxyChallenge[]): GunError {
  return refused(`it asks for credentials${takenBy(challenges)}, and proxyAuth gave none`)
}

/** Names the schemes for a message that people read, which a proxy shall not be able to fill. */
function takenBy(challenges: readonly ProxyChallenge[]): string {
  const schemes = new Set(challenges.map(({ scheme }) => scheme).filter(scheme => scheme.length <= 32))
  return schemes.size === 0 ? '' : ` (it takes ${[...schemes].slice(0, MOST_SCHEMES).join(', ')})`
}

function refused(text: string): GunError {
  return new GunError('proxy_auth', 'connection_error', text, { isPermanent: true })
}
