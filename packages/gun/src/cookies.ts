/** The cookies of one connection's requests and responses, read from a store and written to it in order. */

import { reportRejection, reportThrown } from '@holster/process/internal'
import { GunError } from './errors.js'
import type { ConnPid } from './handles.js'
import { forbiddenInValue } from './headers.js'
import type { CookieStore } from './options/cookie-store.js'
import { Deadline } from './transport/deadline.js'
import type { Headers } from './words.js'

/** A store that answers at once. */
type SyncStore = Required<Pick<CookieStore, 'getCookieStringSync' | 'setCookieSync'>>

/** How long a promise of the store may take to settle, in milliseconds. */
const PATIENCE = 5000

/**
 * How many cookies may wait for the store, which is as many as RFC 6265 section 6.1 expects a store to hold.
 * Further cookies are not stored.
 */
const MOST_WAITING = 3000

/** RFC 6265bis section 5.6 allows cookies without a name, which tough-cookie accepts only with `loose`. */
const SET_COOKIE = { ignoreError: true, loose: true } as const

/**
 * Passes cookies between one connection and its store, under the rules of RFC 6265bis.
 *
 * The store decides what only a store can know: dates and lifetimes, public suffixes, SameSite, and which
 * cookies a URL gets and in what order. tough-cookie 6 deviates in some of this: it replaces a secure cookie
 * by one from plain HTTP; it sends secure cookies over plain HTTP to the loopback unless `allowSecureOnLocal`
 * is false; it refuses a Domain that is a public suffix even where the suffix is the host; and it matches
 * paths percent-decoded.
 */
export class Cookies {
  readonly #connPid: ConnPid
  readonly #store: CookieStore
  readonly #sync: SyncStore | undefined
  /** Resolves when an asynchronous store has done everything that was asked of it. */
  #last: Promise<void> = Promise.resolve()
  /** How many cookies wait for an asynchronous store. */
  #waiting = 0
  #hasOverflown = false
  /** Whether a promise of the store has been pending for longer than `PATIENCE`, and still is. */
  #isStuck = false

  constructor(connPid: ConnPid, store: CookieStore) {
    this.#connPid = connPid
    this.#store = store
    this.#sync = isSynchronous(store) ? store : undefined
  }

  /**
   * Calls `done` with the value of the cookie header, '' if there are no cookies. The call comes before
   * `query` returns if the store is synchronous, otherwise later. Never throws. The calls keep the order of
   * the queries.
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

  /**
   * Gives the store every set-cookie header of a response from `url`, in order. Later queries see these
   * cookies. Never throws.
   */
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

  /**
   * Reports once that cookies were not stored, since a peer that sends cookies without end would otherwise
   * cause reports without end.
   */
  #overflow(): void {
    if (this.#hasOverflown) return
    this.#hasOverflown = true
    this.#report(new Error(`cookies were not stored: ${MOST_WAITING} others waited for the cookie store`))
  }

  #enqueue(task: () => Promise<void>): void {
    this.#last = this.#last.then(task).catch(error => this.#report(error))
  }

  /**
   * Returns the store's result if it comes in time. A promise that never settles must not hold up the
   * connection's requests for ever.
   */
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
      // The connection keeps Node alive, not its store.
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

/**
 * Returns the store's cookie header as it goes over the wire. Throws an error without the cookies' text,
 * which must not get into a log, if the header cannot be sent.
 */
function sendable(value: unknown): string {
  if (typeof value !== 'string')
    throw new TypeError('the cookie store returned no string for the cookie header')
  const octets = unveil(value)
  if (forbiddenInValue.test(octets))
    throw new TypeError('the cookie store returned a cookie with a character that may not be sent')
  return octets
}

/**
 * Returns the value of a set-cookie header in the form given to the store, or `undefined` if the cookie is to
 * be ignored (RFC 6265bis). Decides here wherever tough-cookie 6 would wrongly accept or change a cookie.
 */
export function acceptable(line: string, secure: boolean): string | undefined {
  // Section 5.6: no control characters except the tab.
  if (forbiddenInValue.test(line)) return undefined
  const [pair = '', ...rest] = line.split(';')
  const [name, value] = splitPair(pair)
  // Sections 5.7 and 5.6: limits of the name and value together.
  const size = name.length + value.length
  if (size === 0 || size > 4096) return undefined

  const kept: string[] = []
  const attributes = new Map<string, string>()
  for (const text of rest) {
    const equals = text.indexOf('=')
    const attribute = trim(equals < 0 ? text : text.slice(0, equals)).toLowerCase()
    const setting = equals < 0 ? '' : trim(text.slice(equals + 1))
    // Section 5.6: a too long value is ignored; another attribute of the same name may still count.
    if (setting.length > 1024) continue
    kept.push(text)
    if (attribute !== 'domain' || setting !== '') attributes.set(attribute, setting)
  }
  // Section 5.7: non-ASCII text is not a domain, even where IDNA would make it look like one.
  if (/[^\t\x20-\x7e]/.test(attributes.get('domain') ?? '')) return undefined
  // Section 5.7. As in Gun, and unlike tough-cookie, there is no exception for the loopback.
  const forSecure = attributes.has('secure')
  if (forSecure && !secure) return undefined
  // Sections 5.4 and 5.7. To the server the value of a nameless cookie looks like a name and a value.
  const prefix = /^__(secure|host)-/i.exec(name === '' ? value : name)?.[1]?.toLowerCase()
  if (prefix !== undefined && (name === '' || !forSecure)) return undefined
  if (prefix === 'host' && (attributes.has('domain') || attributes.get('path') !== '/')) return undefined

  const cookie = name === '' ? veil(value).replaceAll('=', hidden) : `${veil(name)}=${veil(value)}`
  return [cookie, ...kept].join(';')
}

/** Splits a cookie pair. Section 5.6: without a `=` the whole text is the value. */
function splitPair(pair: string): readonly [name: string, value: string] {
  const equals = pair.indexOf('=')
  return equals < 0 ? ['', trim(pair)] : [trim(pair.slice(0, equals)), trim(pair.slice(equals + 1))]
}

/**
 * Removes only spaces and tabs (section 5.6). Other white space counts: \xa0, for example, may be the last
 * byte of a letter in UTF-8.
 */
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
 * Hides characters that tough-cookie refuses, trims or splits at: a tab, \xa0 at either end, and the `=` of a
 * nameless cookie. The store holds them as characters of the private use area, which cannot be confused with
 * others, since cookies consist of octets.
 */
function veil(text: string): string {
  return text.replace(/\t|^\xa0|\xa0$/g, hidden)
}

const hidden = (octet: string): string => String.fromCharCode(0xe000 + octet.charCodeAt(0))

function unveil(text: string): string {
  return text.replace(/[\ue009\ue03d\ue0a0]/g, char => String.fromCharCode(char.charCodeAt(0) - 0xe000))
}
