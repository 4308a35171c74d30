/** The cookies of one connection's requests and responses: asked of a store and given to it, in order. */

import { reportRejection, reportThrown } from '@holster/process/internal'
import { GunError } from './errors.js'
import type { ConnPid } from './handles.js'
import { forbiddenInValue } from './headers.js'
import type { CookieStore } from './options/cookie-store.js'
import { Deadline } from './transport/deadline.js'
import type { Headers } from './words.js'

/** A store that answers at once. */
type SyncStore = Required<Pick<CookieStore, 'getCookieStringSync' | 'setCookieSync'>>

/** How long a promise of the store's may take to settle, in milliseconds. */
const PATIENCE = 5000

/** So many cookies may wait for the store, as many as RFC 6265 section 6.1 expects one to hold. Others are not stored. */
const MOST_WAITING = 3000

/** RFC 6265bis section 5.6: nameless cookies are cookies too. */
const SET_COOKIE = { ignoreError: true, loose: true } as const

/**
 * RFC 6265bis. Left to the store is what only it can know: dates and lifetimes, public suffixes, SameSite, which cookies
 * a URL is sent and in what order. tough-cookie 6 goes its own ways in some of it: it takes a cookie from plain HTTP in
 * place of a secure one, sends secure ones over plain HTTP to the loopback unless `allowSecureOnLocal` is false, takes
 * no Domain that is a public suffix also where it is the host, and matches paths percent-decoded.
 */
export class Cookies {
  readonly #connPid: ConnPid
  readonly #store: CookieStore
  readonly #sync: SyncStore | undefined
  /** Of an asynchronous store: ends when it is through with all that was asked of it. */
  #last: Promise<void> = Promise.resolve()
  /** How many cookies wait for it. */
  #waiting = 0
  #hasOverflown = false
  /** A promise of the store's has been pending for too long, and still is. */
  #isStuck = false

  constructor(connPid: ConnPid, store: CookieStore) {
    this.#connPid = connPid
    this.#store = store
    this.#sync = isSynchronous(store) ? store : undefined
  }

  /**
   * Calls `done` with the value of the cookie header, '' where there is none: before it returns when the store is
   * synchronous, else later. Never throws. Calls come in the order asked.
   */
  query(url: string, done: (value: string) => void): void {
    const sync = this.#sync
    if (sync === undefined) {
      return this.#enqueue(async () => {
        let value = ''
        try {
          const call = () => this.#store.getCookieString(url)
          if (!this.#isStuck) value = sendable(await this.#wait('getCookieString', call))
        } catch (error) {
          this.#report(error)
        }
        done(value)
      })
    }
    let value: unknown
    let cookies = ''
    try {
      value = sync.getCookieStringSync(url)
      cookies = sendable(value)
    } catch (error) {
      reportRejection(this.#connPid, value)
      this.#report(error)
    }
    done(cookies)
  }

  /** Gives the store every set-cookie header of a response from `url`, in order. Queries made later see them. Never throws. */
  store(url: string, headers: Headers): void {
    for (const [name, value] of headers) {
      if (name !== 'set-cookie') continue
      const cookie = acceptable(value, isSecure(url))
      if (cookie !== undefined) this.#give(cookie, url)
    }
  }

  #give(cookie: string, url: string): void {
    if (this.#sync === undefined) {
      if (this.#waiting >= MOST_WAITING) return this.#overflow()
      this.#waiting++
      return this.#enqueue(async () => {
        this.#waiting--
        const call = () => this.#store.setCookie(cookie, url, SET_COOKIE)
        if (!this.#isStuck) await this.#wait('setCookie', call)
      })
    }
    try {
      reportRejection(this.#connPid, this.#sync.setCookieSync(cookie, url, SET_COOKIE))
    } catch (error) {
      this.#report(error)
    }
  }

  /** Reported once, or a peer that sends cookies without end would have reports made without end. */
  #overflow(): void {
    if (this.#hasOverflown) return
    this.#hasOverflown = true
    this.#report(new Error(`cookies were not stored: ${MOST_WAITING} others waited for the cookie store`))
  }

  #enqueue(task: () => Promise<void>): void {
    this.#last = this.#last.then(task).catch(error => this.#report(error))
  }

  /** What the store gives, in time: one that never settles must not hold up the requests of the connection for ever. */
  async #wait<T>(method: string, call: () => Promise<T>): Promise<T> {
    const result = Promise.resolve(call())
    let isLate = false
    let deadline: Deadline | undefined
    const late = new Promise<never>((_, reject) => {
      deadline = new Deadline(PATIENCE, () => {
        isLate = true
        this.#isStuck = true
        reject(stuck(method))
      })
      // Node stays alive for the connection, not for its store.
      deadline.unref()
    })
    const settled = () => {
      deadline?.clear()
      if (isLate) this.#isStuck = false
    }
    result.then(settled, error => {
      settled()
      if (isLate) this.#report(error)
    })
    return Promise.race([result, late])
  }

  #report(error: unknown): void {
    reportThrown(this.#connPid, error)
  }
}

function stuck(method: string): GunError {
  const text = `cookieStore.${method} has not settled within ${PATIENCE} ms; until it does, no cookies are sent or stored`
  return new GunError('bad_option', 'options', text)
}

function isSynchronous(store: CookieStore): store is CookieStore & SyncStore {
  return (
    store.store?.synchronous === true &&
    typeof store.getCookieStringSync === 'function' &&
    typeof store.setCookieSync === 'function'
  )
}

function isSecure(url: string): boolean {
  return /^(https|wss):/i.test(url)
}

/** What the store gave, as it goes over the wire. Throws where it can't: not even its text may get into a log. */
function sendable(value: unknown): string {
  if (typeof value !== 'string') throw new TypeError('the cookie store gave no string for the cookie header')
  const octets = unveil(value)
  if (forbiddenInValue.test(octets))
    throw new TypeError('the cookie store gave a cookie with a character that may not be sent')
  return octets
}

/**
 * What a store is given for the value of a set-cookie header, `undefined` where that is to be ignored (RFC 6265bis).
 * What tough-cookie 6 would accept or change although it must not is decided here.
 */
export function acceptable(line: string, secure: boolean): string | undefined {
  // Section 5.6: control characters, but for the tab.
  if (forbiddenInValue.test(line)) return undefined
  const [pair = '', ...rest] = line.split(';')
  const [name, value] = splitPair(pair)
  // Sections 5.7 and 5.6.
  const size = name.length + value.length
  if (size === 0 || size > 4096) return undefined

  const kept: string[] = []
  const attributes = new Map<string, string>()
  for (const text of rest) {
    const equals = text.indexOf('=')
    const attribute = trim(equals < 0 ? text : text.slice(0, equals)).toLowerCase()
    const given = equals < 0 ? '' : trim(text.slice(equals + 1))
    // Section 5.6: another of the same name may still count.
    if (given.length > 1024) continue
    kept.push(text)
    if (attribute !== 'domain' || given !== '') attributes.set(attribute, given)
  }
  // Section 5.7: what is not ASCII is no domain, also where it would look like one after IDNA.
  if (/[^\t\x20-\x7e]/.test(attributes.get('domain') ?? '')) return undefined
  // Section 5.7. Like Gun, and unlike tough-cookie, no exception for the loopback.
  const forSecure = attributes.has('secure')
  if (forSecure && !secure) return undefined
  // Sections 5.4 and 5.7. A nameless cookie looks to the server as if its value were name and value.
  const prefix = /^__(secure|host)-/i.exec(name === '' ? value : name)?.[1]?.toLowerCase()
  if (prefix !== undefined && (name === '' || !forSecure)) return undefined
  if (prefix === 'host' && (attributes.has('domain') || attributes.get('path') !== '/')) return undefined

  const cookie = name === '' ? veil(value).replaceAll('=', hidden) : `${veil(name)}=${veil(value)}`
  return [cookie, ...kept].join(';')
}

/** Section 5.6: without a `=`, all of it is the value. */
function splitPair(pair: string): readonly [name: string, value: string] {
  const equals = pair.indexOf('=')
  return equals < 0 ? ['', trim(pair)] : [trim(pair.slice(0, equals)), trim(pair.slice(equals + 1))]
}

/** Section 5.6 trims nothing but these; \xa0, for one, may be the end of a letter in UTF-8. */
function trim(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && isBlank(text[start])) start++
  while (end > start && isBlank(text[end - 1])) end--
  return text.slice(start, end)
}

function isBlank(char: string | undefined): boolean {
  return char === ' ' || char === '\t'
}

/**
 * Characters that tough-cookie refuses, trims or splits at lie in the store in the private use area instead: a tab,
 * \xa0 at either end, and the `=` of a nameless cookie. All of them are octets, so there is no other meaning to confuse.
 */
function veil(text: string): string {
  return text.replace(/\t|^\xa0|\xa0$/g, hidden)
}

const hidden = (octet: string): string => String.fromCharCode(0xe000 + octet.charCodeAt(0))

function unveil(text: string): string {
  return text.replace(/[\ue009\ue03d\ue0a0]/g, char => String.fromCharCode(char.charCodeAt(0) - 0xe000))
}
