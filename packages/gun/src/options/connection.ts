/** The options of a connection, but for its event handler, which is told of them. */

import type { Owner } from '../messages.js'
import type { CookieStore } from './cookie-store.js'
import type { Http2Opts, HttpOpts } from './http.js'
import type { TcpOpts, TlsOpts } from './socket.js'
import type { WsOpts } from './websocket.js'

/** The answer of a `retryFun`: how many retries are left after the next, and how long to wait for it. */
export interface Retry {
  /** How many retries are left after the next; 0: it is the last. */
  readonly retries: number
  /** Milliseconds. */
  readonly timeout: number
}

/** A protocol, bare or with options of its own. */
export type ProtocolInit = 'http' | 'http2' | readonly ['http', HttpOpts] | readonly ['http2', Http2Opts]

/** The options of `open` and `openUnix`, but for the event handler, which gets them. Times are milliseconds. */
export interface ConnectionOpts {
  /** How long it may take to connect to any of the host's addresses. Default `Infinity`. */
  readonly connectTimeout?: number
  /** Asked for the cookies of each request and given those of each response; a tough-cookie `CookieJar`, for example. Default: none. */
  readonly cookieStore?: CookieStore
  /** How long one look-up of the host name may take. Default `Infinity`. */
  readonly domainLookupTimeout?: number
  /** Options of HTTP/1.1; those given in `protocols` win. */
  readonly httpOpts?: HttpOpts
  /** Options of HTTP/2; those given in `protocols` win. */
  readonly http2Opts?: Http2Opts
  /**
   * Who owns the connection. Default: a process made for it, which `connPid.owner` gives. What ends such a connection for good
   * is reported through the exit hook, unless somebody monitors the connection or takes its `gun_error`.
   */
  readonly owner?: Owner
  /**
   * What to speak, the preferred one first: over tls ALPN offers it and the server chooses (HTTP/1.1 if it knows no ALPN,
   * unless only one is given); over tcp it must be exactly one. Default: tcp `['http']`, tls `['http2', 'http']`.
   */
  readonly protocols?: readonly ProtocolInit[]
  /**
   * How many attempts follow when the connection is lost or cannot be made; none behind an error that
   * `isPermanent`. They are counted anew behind each connection
   * that was of use: on which a response had begun, a ping was answered or a WebSocket's frame had come, or which had lasted
   * `retryTimeout`. Any other counts as an attempt that failed. Default 5.
   */
  readonly retry?: number
  /**
   * Decides about each retry, and its times are used as they are. Default: one less each time. The first comes at once where
   * the connection could not be made, and after a random part of a second, or of `retryTimeout` if that is less, where it
   * had been up, so that not all clients of a server come back in one instant. The others follow after 0.5 to 1.5 times
   * `retryTimeout`, by chance (`Math.random`); so do all of infinitely many that have brought nothing.
   */
  readonly retryFun?: (retriesLeft: number, opts: ConnectionOpts) => Retry
  /** About the time between attempts, see `retryFun`. Default 5000. */
  readonly retryTimeout?: number
  /** Options of the socket. Over a Unix socket there is only `allowHalfOpen`. */
  readonly tcpOpts?: TcpOpts
  /**
   * Passed to TLS; for example `ca`. The peer is verified unless this says otherwise. A `checkServerIdentity` or
   * `pskCallback` that throws, or gives what it must not, ends the connection with `bad_option`. Refused where neither
   * `transport` nor the port says that TLS is spoken.
   */
  readonly tlsOpts?: TlsOpts
  /** How long the TLS handshake may take. Default `Infinity`. */
  readonly tlsHandshakeTimeout?: number
  /**
   * Writes a transcript of the connection, a line for each state, event and message: to the standard error, or to the
   * function, and what that throws, or rejects with, goes to the exit hook. Long values are shortened; bytes, `tlsOpts`, and what the
   * names of headers, options and parts of a query say to be secret are left out. The text of frames is not. Default
   * `false`.
   */
  readonly trace?: boolean | ((line: string) => void)
  /** Default: `'tls'` for port 443, otherwise `'tcp'`. */
  readonly transport?: 'tcp' | 'tls'
  /** Options of all upgrades; those given to `wsUpgrade` win. */
  readonly wsOpts?: WsOpts
}
