/** The options of a way through proxies that `open` makes by itself. */

import type { HeadersInit } from '../headers.js'
import type { TlsOpts } from './socket.js'

/** A proxy. */
export interface ProxyOpts {
  /**
   * `http:` (a CONNECT over tcp; port 80 unless given), `https:` (a CONNECT over tls; port 443), `socks5:` (port 1080; the next
   * host is looked up here) or `socks5h:` (port 1080; the proxy looks the next host up), with the user's name and password, if any,
   * percent-encoded where they contain `/`, `?`, `#`, `%` or, in the name, `:`.
   */
  readonly url: string | URL
  /** More header fields of the CONNECT, for example `user-agent`. Default: none. */
  readonly headers?: HeadersInit
  /** Options of the TLS to an `https:` proxy. Default: those of Node; the `tlsOpts` of `open` are for the origin. */
  readonly tlsOpts?: TlsOpts
}

/** A challenge of a proxy's response 407 (RFC 9110 section 11.3). */
export interface ProxyChallenge {
  /** The scheme in lower case, for example `basic`. */
  readonly scheme: string
  /** The realm, if the challenge has one. */
  readonly realm: string | undefined
  /** The whole challenge as the proxy wrote it. */
  readonly text: string
}

/** The answer to challenges: a name and a password for `Basic`, or a whole value of `proxy-authorization`. */
export type ProxyCredentials = string | ProxyUser

/** The name and the password for a proxy that asks for `Basic` (RFC 7617). */
export interface ProxyUser {
  /** The name, without a colon. */
  readonly username: string
  /** The password. */
  readonly password: string
}

/**
 * Answers the challenges of a proxy, at once or by a promise; `undefined` gives up. `proxy` is the URL without a name and a
 * password.
 */
export type ProxyAuth = (
  challenges: readonly ProxyChallenge[],
  proxy: URL,
) => ProxyCredentials | undefined | Promise<ProxyCredentials | undefined>

/** A proxy, a chain of proxies in the order in which they are passed, or `'environment'` for the proxy that the environment names. */
export type ProxyChoice = 'environment' | string | URL | ProxyOpts | readonly (string | URL | ProxyOpts)[]
