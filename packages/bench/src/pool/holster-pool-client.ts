/** Holster's pool: the least loaded of its connections, a fair queue, and the whole response in one call. */

import * as gun from '@holster/gun'
import { type Client, SIZE } from './contract.ts'

const holsterPool: Client = {
  async connect(origin, version) {
    const { hostname, port, host } = new URL(origin)
    const pool = gun.pool.startPool(hostname, Number(port), {
      size: SIZE,
      connOpts: { protocols: [version] },
    })
    await gun.pool.awaitUp(pool)
    const headers = { host }
    return async path => {
      const { body } = await gun.pool.awaitResponse(gun.pool.get(path, headers))
      return body.length
    }
  },
}

export default holsterPool
