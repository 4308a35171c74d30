/** The cookies of one connection's requests and responses: asked of a store and given to it, in order. */

/** What holds cookies; a `CookieJar` of tough-cookie is one. The methods with `Sync` are used where `store.synchronous` says so. */
export interface CookieStore {
  /** The value of the cookie header for a request to that URL; empty where there is none. */
  getCookieString(url: string): Promise<string>
  /** Takes the value of a set-cookie header in a response from that URL. */
  setCookie(
    cookie: string,
    url: string,
    options?: { ignoreError?: boolean; loose?: boolean },
  ): Promise<unknown>
  getCookieStringSync?(url: string): string
  setCookieSync?(cookie: string, url: string, options?: { ignoreError?: boolean; loose?: boolean }): unknown
  readonly store?: { readonly synchronous?: boolean }
}
