/** The options of a connection, except for its event handler, whose events carry these options. */

import type { Owner } from '../messages.js'
import type { CookieStore } from './cookie-store.js'
import type { Http2Opts, HttpOpts } from './http.js'
import type { ProxyAuth, ProxyChoice } from './proxy.js'
import type { TcpOpts, TlsOpts } from './socket.js'
import type { ProtocolInit, RawOpts, SocksOpts } from './tunnel.js'
import type { WsOpts } from './websocket.js'

/** The result of a `retryFun`. */
export interface Retry {
  /** How many retries are left after the next one; with 0 the next one is the last. */
  readonly retries: number
  /** How long to wait for the next retry, in milliseconds. */
  readonly timeout: number
}

/** The options of `open` and `openUnix` except for the event handler. Times are milliseconds. */
export interface ConnectionOpts {
  /** How long connecting to any of the host's addresses may take. Default `Infinity`. */
  readonly connectTimeout?: number
  /**
   * The store that supplies the cookies of each request and receives those of each response, for example a
   * `CookieJar` of tough-cookie. Default: none.
   */
  readonly cookieStore?: CookieStore
  /** How long one look-up of the host name may take. Default `Infinity`. */
  readonly domainLookupTimeout?: number
  /** Options of HTTP/1.1; options given in `protocols` win. */
  readonly httpOpts?: HttpOpts
  /** Options of HTTP/2; options given in `protocols` win. */
  readonly http2Opts?: Http2Opts
  /**
   * The owner of the connection. Default: a process made for it, available as `connPid.owner`. If a
   * connection with such an owner ends for good, the reason is reported through the exit hook unless a
   * process monitors the connection or takes its `gun_error`.
   */
  readonly owner?: Owner
  /**
   * The protocols to speak, in order of preference. Over tls ALPN offers all of them and the server chooses;
   * with a server that has no ALPN the connection speaks HTTP/1.1, or the only protocol if just one is given.
   * Over tcp there must be exactly one; `raw` and `socks` stand alone in any case. Default: `['http']` over tcp,
   * `['http2', 'http']` over tls.
   */
  readonly protocols?: readonly ProtocolInit[]
  /**
   * The proxies through which the origin is reached; `gun_up` then means that the origin is up. The way is made again with each
   * connection. `'environment'`: the one that `HTTPS_PROXY` (over tls), `HTTP_PROXY` (over tcp) or `ALL_PROXY` names,
   * unless `NO_PROXY` excepts the origin; names in lower case win, and `localhost` and the addresses of the loopback
   * are reached without a proxy. Default: none.
   */
  readonly proxy?: ProxyChoice
  /**
   * Answers a proxy that refuses with 407. Default: the name and the password of the proxy's URL are sent with the first
   * CONNECT, and a proxy that refuses them has the last word. The function is asked three times in a row at most, without a
   * limit of time. A proxy that refuses still ends the connection with `proxy_auth`, whatever `retry` says; so does `undefined`. If
   * the function throws, rejects or gives a wrong value, the connection ends with `bad_option`.
   */
  readonly proxyAuth?: ProxyAuth
  /** Options of the protocol raw; options given in `protocols` win. */
  readonly rawOpts?: RawOpts
  /**
   * How many attempts follow when the connection is lost or cannot be made; none follow an error that
   * `isPermanent`. The count starts anew after each useful connection: one on which a response had begun, a
   * ping was answered or a WebSocket frame had arrived, or which had lasted `retryTimeout`. Any other
   * connection counts as a failed attempt. Default 5.
   */
  readonly retry?: number
  /**
   * Decides about each retry; the times that it returns are used without change.
   *
   * Default: one retry fewer each time. Where the connection could not be made, the first retry comes at
   * once. Where it had been up, the first retry comes after a random part of one second, or of `retryTimeout`
   * if that is shorter, so that the clients of a server do not all return in the same instant. The other
   * retries come after 0.5 to 1.5 times `retryTimeout`, chosen by `Math.random`; so do all retries of an
   * endless series (`retry: Infinity`) whose connections were of no use.
   *
   * ```ts
   * // Doubles the pause with each retry, from 1 s to 16 s.
   * gun.open('example.org', 443, {
   *   retryFun: retriesLeft => ({ retries: retriesLeft - 1, timeout: 1000 * 2 ** (5 - retriesLeft) }),
   * })
   * ```
   */
  readonly retryFun?: (retriesLeft: number, opts: ConnectionOpts) => Retry
  /** The approximate time between attempts, see `retryFun`. Default 5000. */
  readonly retryTimeout?: number
  /** Options of SOCKS5; options given in `protocols` win. */
  readonly socksOpts?: SocksOpts
  /** Options of the socket. Over a Unix socket only `allowHalfOpen` is allowed. */
  readonly tcpOpts?: TcpOpts
  /**
   * Options of TLS, for example `ca`. The peer's certificate is verified unless these options say otherwise.
   * If `checkServerIdentity` or `pskCallback` throws or returns a wrong value, the connection ends with
   * `bad_option`. Refused where neither `transport` nor the port states that TLS is used.
   */
  readonly tlsOpts?: TlsOpts
  /** How long the TLS handshake may take. Default `Infinity`. */
  readonly tlsHandshakeTimeout?: number
  /**
   * Writes a transcript of the connection, one line for each state, event and message, which names the tunnels that its stream
   * is within: with `true` to the standard error, else to the given function. If the function throws or rejects, the error
   * goes to the exit hook. Long values are shortened. The transcript leaves out bytes, `tlsOpts`, and the values of headers,
   * options and query parameters whose names mark them as secret; the text of frames stays in. Default `false`.
   */
  readonly trace?: boolean | ((line: string) => void)
  /** The transport that carries the connection. Default: `'tls'` for port 443, otherwise `'tcp'`. */
  readonly transport?: 'tcp' | 'tls'
  /** Options of all upgrades; options given to `wsUpgrade` win. */
  readonly wsOpts?: WsOpts
}
