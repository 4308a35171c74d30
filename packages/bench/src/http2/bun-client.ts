/** Bun's own fetch, under Bun, which speaks HTTP/2 where it is told to, and over TLS only. */

import { fetchConnection } from '../http/bun-client.ts'
import { ca } from '../identity.ts'
import type { Client } from './contract.ts'

const bun: Client = {
  async connect(origin) {
    return fetchConnection(origin, { protocol: 'http2', tls: { ca } } as RequestInit)
  },
}

export default bun
