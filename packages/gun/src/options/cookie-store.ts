/** The contract of a cookie store, which callers implement or take from tough-cookie. */

/**
 * What holds cookies; a `CookieJar` of tough-cookie is one. The methods with `Sync` are used where `store.synchronous` says
 * so. What a method throws, or rejects with, goes to the exit hook, and the request is sent without the store's cookies. So
 * it is with a promise that has not settled within 5000 ms: the exit hook gets a GunError `bad_option`, and the store is
 * left alone until that promise settles.
 */
export interface CookieStore {
  /** The value of the cookie header for a request to that URL; empty where there is none. Requests wait for it, in order. */
  getCookieString(url: string): Promise<string>
  /** Takes the value of a set-cookie header in a response from that URL. */
  setCookie(
    cookie: string,
    url: string,
    options?: { ignoreError?: boolean; loose?: boolean },
  ): Promise<unknown>
  /** As `getCookieString`, at once. */
  getCookieStringSync?(url: string): string
  /** As `setCookie`, at once. */
  setCookieSync?(cookie: string, url: string, options?: { ignoreError?: boolean; loose?: boolean }): unknown
  /** Where the cookies are. */
  readonly store?: {
    /** Whether the methods with `Sync` may be used. */
    readonly synchronous?: boolean
  }
}
