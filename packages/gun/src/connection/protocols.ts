/** Starts the protocol that a connection speaks: the one file that knows every protocol's class. */

import { Http } from '../http1/protocol.js'
import { Http2 } from '../http2/protocol.js'
import type { Host, Protocol } from '../layer/contract.js'
import { http2OptsOf, httpOptsOf, type Opts } from '../options/options.js'
import { upgradeOverHttp, upgradeOverHttp2 } from '../websocket/upgrade.js'
import type { ProtocolName } from '../words.js'

/** Starts a protocol on its host, with the options that `open` was given. */
export function startProtocol(name: ProtocolName, host: Host, opts: Opts): Protocol {
  if (name === 'http2') return new Http2(host, http2OptsOf(opts), upgradeOverHttp2)
  return new Http(host, httpOptsOf(opts), upgradeOverHttp)
}
