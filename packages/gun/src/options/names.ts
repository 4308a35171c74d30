/**
 * The names of options: an unknown name is refused, and the error suggests the name that was probably meant.
 */

import { didYouMean, type Synonyms } from '@holster/process/internal'
import * as v from 'valibot'

/** Names used by other libraries, in lower case, with our options for the same purpose. */
const SYNONYMS: Synonyms = {
  abort: ['signal'],
  abortsignal: ['signal'],
  acquiretimeout: ['checkoutTimeout'],
  after: ['timeout', 'retryTimeout'],
  agent: ['proxy'],
  alpnprotocols: ['protocols'],
  attempts: ['retry'],
  backoff: ['retryFun'],
  ca: ['tlsOpts.ca'],
  cert: ['tlsOpts.cert'],
  compression: ['compress', 'wsOpts.compress'],
  cookiejar: ['cookieStore'],
  cookies: ['cookieStore'],
  deadline: ['timeout', 'connectTimeout'],
  debug: ['trace'],
  family: ['tcpOpts.family'],
  connections: ['size', 'sizeMax'],
  connectionlimit: ['size', 'sizeMax'],
  heartbeat: ['keepalive', 'wsOpts.keepalive'],
  httpproxy: ['proxy'],
  httpsproxy: ['proxy'],
  jar: ['cookieStore'],
  keepalivetimeout: ['idleTimeout'],
  key: ['tlsOpts.key'],
  localaddress: ['tcpOpts.localAddress'],
  logger: ['trace'],
  lookup: ['tcpOpts.lookup'],
  max: ['sizeMax'],
  maxage: ['maxLifetime'],
  maxconnections: ['sizeMax'],
  maxmessagesize: ['maxPayload', 'wsOpts.maxPayload'],
  maxpayloadlength: ['maxPayload', 'wsOpts.maxPayload'],
  maxretries: ['retry'],
  maxsize: ['maxBodySize', 'maxEventSize', 'maxPayload'],
  min: ['sizeMin'],
  ms: ['timeout'],
  parent: ['owner'],
  permessagedeflate: ['compress', 'wsOpts.compress'],
  pinginterval: ['keepalive', 'wsOpts.keepalive'],
  proxies: ['proxy'],
  proxyauthorization: ['proxyAuth'],
  proxyurl: ['proxy'],
  reconnect: ['retry', 'reupgrade'],
  rejectunauthorized: ['tlsOpts.rejectUnauthorized'],
  retries: ['retry'],
  retrydelay: ['retryTimeout'],
  secure: ['transport'],
  servername: ['tlsOpts.servername'],
  socksproxy: ['proxy'],
  ssl: ['transport'],
  sslopts: ['tlsOpts'],
  verify: ['tlsOpts.rejectUnauthorized'],
}

/**
 * Returns a schema for an object with no other keys than `entries`. The error for an unknown key suggests the
 * key that was probably meant: one of `entries`, or one of `elsewhere`, whose names contain their place
 * (`wsOpts.compress`).
 */
export function strictOptions<const T extends v.ObjectEntries>(
  entries: T,
  elsewhere: readonly string[] = [],
) {
  const known = [...Object.keys(entries), ...elsewhere]
  return v.strictObject(entries, ({ expected, path }) =>
    expected === 'never'
      ? `is not an option${didYouMean(String(path?.at(-1)?.key), known, SYNONYMS)}`
      : 'must be given',
  )
}
