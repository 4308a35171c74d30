/**
 * The proxy that the environment names for an origin. Where programs differ, this one does as those written in Go do
 * (golang.org/x/net/http/httpproxy), except that names in lower case win, as for curl, and that ALL_PROXY counts.
 */

import { isIP } from 'node:net'
import type { HostForms } from './host.js'
import { isExcepted, isLoopback } from './no-proxy.js'

/** The variables of a process. */
export type Environment = Readonly<Record<string, string | undefined>>

/** The origin that is to be reached. */
export interface ProxiedOrigin {
  readonly host: HostForms
  readonly port: number
  readonly transport: 'tcp' | 'tls'
}

/** The value of a variable, and its name. */
interface Named {
  readonly variable: string
  readonly url: string
}

/** Returns the URL of the proxy for the origin; `undefined`: there is none, or the origin is excepted. */
export function proxyInEnvironment(env: Environment, origin: ProxiedOrigin): Named | undefined {
  const { host, port, transport } = origin
  const names = [
    ...(transport === 'tls' ? variants('https_proxy') : httpVariants(env)),
    ...variants('all_proxy'),
  ]
  const found = firstOf(env, names)
  if (found === undefined) return undefined
  const { identity } = host
  // No proxy reaches this machine by such a name or address.
  if (identity === 'localhost' || (isIP(identity) !== 0 && isLoopback(identity))) return undefined
  const exceptions = firstOf(env, variants('no_proxy'))
  if (exceptions !== undefined && isExcepted(exceptions.value, identity, port)) return undefined
  // A value without a scheme is that of an HTTP proxy.
  const url = /^[a-z][a-z\d+.-]*:\/\//i.test(found.value) ? found.value : `http://${found.value}`
  return { variable: found.variable, url }
}

function variants(name: string): readonly string[] {
  return [name, name.toUpperCase()]
}

/**
 * Returns the names of the variable for tcp. A CGI program gets a request's header field `proxy` as HTTP_PROXY, so the sender of the
 * request would choose the proxy; Windows gives that variable under each case of its name, but lists it under its own.
 */
function httpVariants(env: Environment): readonly string[] {
  if (!env.REQUEST_METHOD) return variants('http_proxy')
  return Object.keys(env).filter(name => name === 'http_proxy')
}

/** Returns the first variable that has a value; an empty one counts as absent. */
function firstOf(env: Environment, names: readonly string[]) {
  for (const variable of names) {
    const value = env[variable]?.trim() ?? ''
    if (value !== '') return { variable, value }
  }
  return undefined
}
