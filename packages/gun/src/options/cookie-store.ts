/** The contract of a cookie store, which callers implement or take from tough-cookie. */

/**
 * Holds cookies; a `CookieJar` of tough-cookie is one. The methods named `…Sync` are used if
 * `store.synchronous` is `true`.
 *
 * If a method throws or rejects, the error goes to the exit hook and the request is sent without the store's
 * cookies. A promise that has not settled within 5000 ms counts as failed too: the exit hook gets a GunError
 * `bad_option`, and the store is not used again until that promise settles.
 */
export interface CookieStore {
  /**
   * Returns the value of the cookie header for a request to the URL; empty if there are no cookies. Requests
   * wait for the promise, in order.
   */
  getCookieString(url: string): Promise<string>
  /** Stores the value of a set-cookie header from a response of the URL. */
  setCookie(
    cookie: string,
    url: string,
    options?: { ignoreError?: boolean; loose?: boolean },
  ): Promise<unknown>
  /** Like `getCookieString`, but returns at once. */
  getCookieStringSync?(url: string): string
  /** Like `setCookie`, but returns at once. */
  setCookieSync?(cookie: string, url: string, options?: { ignoreError?: boolean; loose?: boolean }): unknown
  /** The storage behind the methods. */
  readonly store?: {
    /** Whether the methods named `…Sync` may be used. */
    readonly synchronous?: boolean
  }
}
