/** undici, with its ProxyAgent. */

import { Agent, ProxyAgent } from 'undici'
import { undiciConnection } from '../http/undici-exchanges.ts'
import { ca } from '../identity.ts'
import { BODY, type Client } from './contract.ts'

const undici: Client = {
  async get(port, secure, proxy, inFlight) {
    const origin = `${secure ? 'https' : 'http'}://localhost:${port}`
    const options = { connections: 1, pipelining: inFlight }
    const dispatcher =
      proxy === undefined
        ? new Agent({ ...options, connect: { ca } })
        : new ProxyAgent({ ...options, uri: proxy, proxyTunnel: true, requestTls: { ca } })
    const connection = undiciConnection(ask => dispatcher.request({ ...ask, origin } as never))
    return count => connection.get(`/${BODY}`, { type: 'get', size: BODY, inFlight, count })
  },
}

export default undici
