/** Opens a connection of Holster's that speaks HTTP/2. */

import * as gun from '@holster/gun'
import { ca } from '../identity.ts'

export async function open(origin: string, owner: gun.Opts['owner']): Promise<gun.ConnPid> {
  const { protocol, hostname, port } = new URL(origin)
  const connPid = gun.open(hostname, Number(port), {
    ...(owner === undefined ? {} : { owner }),
    retry: 0,
    transport: protocol === 'https:' ? 'tls' : 'tcp',
    tlsOpts: { ca },
    protocols: ['http2'],
  })
  await gun.awaitUp(connPid)
  return connPid
}
