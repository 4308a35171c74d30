/** The options of `open` as others may see them, without the credentials for proxies. */

import type { Opts } from './options.js'
import { withoutCredentials } from './proxies.js'
import type { ProtocolInit, SocksOpts } from './tunnel.js'

/** Returns the same options, or a copy without the credentials where there are any. */
export function harmlessOpts(opts: Opts): Opts {
  const { protocols, proxy, socksOpts } = opts
  if (proxy === undefined && socksOpts === undefined && !protocols?.some(isSocks)) return opts
  return {
    ...opts,
    ...(proxy !== undefined && { proxy: withoutCredentials(proxy) }),
    ...(socksOpts !== undefined && { socksOpts: harmlessSocks(socksOpts) }),
    ...(protocols !== undefined && { protocols: protocols.map(harmlessProtocol) }),
  }
}

function isSocks(init: ProtocolInit): init is readonly ['socks', SocksOpts] {
  return init[0] === 'socks' && typeof init !== 'string'
}

function harmlessProtocol(init: ProtocolInit): ProtocolInit {
  return isSocks(init) ? ['socks', harmlessSocks(init[1])] : init
}

/** Names the methods alone, here and in the servers that are reached through this one. */
function harmlessSocks(socksOpts: SocksOpts): SocksOpts {
  const { auth, protocols } = socksOpts
  return {
    ...socksOpts,
    ...(auth !== undefined && {
      auth: auth.map(method => (method === 'none' ? method : (['username_password', '…', '…'] as const))),
    }),
    ...(protocols !== undefined && { protocols: protocols.map(harmlessProtocol) }),
  }
}
