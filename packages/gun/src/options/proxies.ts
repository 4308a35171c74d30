/** The proxies on the way to an origin, and the same option without the credentials in it. */

import { GunError } from '../errors.js'
import { type HeadersInit, normalizeHeaders } from '../headers.js'
import type { Headers } from '../words.js'
import { type Environment, type ProxiedOrigin, proxyInEnvironment } from './environment.js'
import type { ProxyChoice, ProxyOpts } from './proxy.js'
import { type ProxyUrl, readProxyUrl } from './proxy-url.js'
import type { TlsOpts } from './socket.js'

/** A proxy on the way. */
export interface ProxyHop extends ProxyUrl {
  /** More header fields of the CONNECT. */
  readonly headers: Headers
  readonly tlsOpts: TlsOpts | undefined
}

/** A proxy as the caller names it. */
type Given = string | URL | ProxyOpts

/** Stands for a URL that cannot be read. */
const LEFT_OUT = '…'

/**
 * Returns the proxies in the order in which they are passed; none: the origin is reached without. Throws a GunError `bad_option` for
 * a variable of the environment that names no proxy.
 */
export function proxiesOf(
  choice: ProxyChoice,
  origin: ProxiedOrigin,
  env: Environment = process.env,
): readonly ProxyHop[] {
  if (choice === 'environment') {
    const found = proxyInEnvironment(env, origin)
    return found === undefined ? [] : [hopOf(found.url, `${found.variable} in the environment`)]
  }
  if (!isChain(choice)) return [hopOf(choice, 'proxy')]
  return choice.map((given, index) => hopOf(given, `proxy.${index}`))
}

/** Returns the same choice without names, passwords and header fields with credentials, for what people read. */
export function withoutCredentials(choice: ProxyChoice): ProxyChoice {
  if (choice === 'environment') return choice
  return isChain(choice) ? choice.map(harmless) : harmless(choice)
}

function isChain(choice: ProxyChoice): choice is readonly Given[] {
  return Array.isArray(choice)
}

function hopOf(given: Given, path: string): ProxyHop {
  const opts = optsOf(given)
  const url = readProxyUrl(opts.url)
  if (typeof url === 'string') throw new GunError('bad_option', 'options', `${path} ${url}`)
  return { ...url, headers: normalizeHeaders(opts.headers), tlsOpts: opts.tlsOpts }
}

function optsOf(given: Given): ProxyOpts {
  return typeof given === 'string' || given instanceof URL ? { url: given } : given
}

function harmless(given: Given): Given {
  if (typeof given === 'string' || given instanceof URL) return harmlessUrl(given)
  const { url, headers, ...rest } = given
  if (headers === undefined) return { ...rest, url: harmlessUrl(url) }
  return { ...rest, url: harmlessUrl(url), headers: harmlessHeaders(headers) }
}

function harmlessUrl(given: string | URL): string {
  const url = readProxyUrl(given)
  return typeof url === 'string' ? LEFT_OUT : url.name
}

function harmlessHeaders(headers: HeadersInit): Headers {
  return normalizeHeaders(headers).filter(([name]) => !/authorization|cookie/.test(name))
}
