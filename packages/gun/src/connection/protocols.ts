/** Starts the protocol that a line speaks: the one file that knows every protocol's class. */

import type { StreamRef } from '../handles.js'
import { Http } from '../http1/protocol.js'
import { Http2 } from '../http2/protocol.js'
import type { Host, Protocol } from '../layer/contract.js'
import { http2OptsOf, httpOptsOf, type Opts, rawOptsOf, socksOptsOf } from '../options/options.js'
import type { ProtocolInit } from '../options/tunnel.js'
import { goalOf } from '../tunnel/goal.js'
import { Raw } from '../tunnel/raw.js'
import { Socks } from '../tunnel/socks5.js'
import { upgradeOverHttp, upgradeOverHttp2 } from '../websocket/upgrade.js'
import type { ProtocolName } from '../words.js'

/**
 * Starts a protocol on its host, with the options that `open` was given, and those in `inits` over them. `streamRef` is the
 * stream of the tunnel; `undefined`: there is none.
 */
export function startProtocol(
  name: ProtocolName,
  host: Host,
  opts: Opts,
  inits: readonly ProtocolInit[],
  streamRef?: StreamRef,
): Protocol {
  switch (name) {
    case 'http':
      return new Http(host, httpOptsOf(opts, inits), upgradeOverHttp, (line, stream) => {
        return new Raw(line, rawOptsOf(opts, []), stream)
      })
    case 'http2':
      return new Http2(host, http2OptsOf(opts, inits), upgradeOverHttp2)
    case 'raw':
      return new Raw(host, rawOptsOf(opts, inits), streamRef)
    case 'socks': {
      const { auth = ['none'], ...end } = socksOptsOf(opts, inits)
      return new Socks(host, goalOf(end), auth, streamRef)
    }
  }
}
