/** The schema of the option `proxy`: no issue shows a part of a URL, which may be a password. */

import * as v from 'valibot'
import { checkWithoutBody, type HeadersInit, normalizeHeaders } from '../headers.js'
import type { ProxyOpts } from './proxy.js'
import { readProxyUrl } from './proxy-url.js'
import { tlsOpts } from './socket-schemas.js'
import { isBag, isFunction, options } from './values.js'

const problemOf = (value: unknown) => {
  const read = readProxyUrl(value)
  return typeof read === 'string' ? read : undefined
}
const url = v.custom<string | URL>(
  value => problemOf(value) === undefined,
  ({ input }) => `${problemOf(input)}`,
)

const headers = v.custom<HeadersInit>(
  isHeaders,
  // The error of the normalisation shows a value, which may be a secret.
  'must be header fields: an object, or a list of pairs, with values that can be sent',
)

const isFor = (opts: ProxyOpts, name: 'tlsOpts' | 'headers', fits: (protocol: string) => boolean) =>
  opts[name] === undefined || fits(new URL(opts.url).protocol)

const proxyOpts = v.pipe(
  options({ url, headers: v.optional(headers), tlsOpts: v.optional(tlsOpts) }),
  v.forward(
    v.check(
      opts => isFor(opts as ProxyOpts, 'tlsOpts', protocol => protocol === 'https:'),
      'are given, but the url does not say that TLS is used: it must begin with https:',
    ),
    ['tlsOpts'],
  ),
  v.forward(
    v.check(
      opts => isFor(opts as ProxyOpts, 'headers', protocol => protocol.startsWith('http')),
      'mean nothing to a SOCKS server',
    ),
    ['headers'],
  ),
)

const one = v.lazy(value => (isBag(value) && !(value instanceof URL) ? proxyOpts : url))
const chain = v.pipe(v.array(one), v.minLength(1, 'must name at least one proxy'))

export const proxy: v.GenericSchema = v.lazy(value => {
  if (value === 'environment') return v.literal('environment')
  return Array.isArray(value) ? chain : one
})

/** Whether the value holds header fields, and can be read again with each connection, as an iterator cannot. */
function isHeaders(value: unknown): value is HeadersInit {
  try {
    checkWithoutBody(normalizeHeaders(value as HeadersInit))
    return value !== undefined && !isFunction(value as object, 'next')
  } catch {
    return false
  }
}
