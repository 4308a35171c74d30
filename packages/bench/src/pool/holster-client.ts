/** Holster without a pool: bare connections, each caller with one of them, and the whole response in one call. */

import * as gun from '@holster/gun'
import { createProcess } from '@holster/process'
import { type Client, SIZE } from './contract.ts'

const holster: Client = {
  async connect(origin, version) {
    const { hostname, port, host } = new URL(origin)
    const open = async () => {
      const owner = createProcess<gun.GunMessage>()
      const connPid = gun.open(hostname, Number(port), { owner, retry: 0, protocols: [version] })
      await gun.awaitUp(connPid)
      return connPid
    }
    const connections = await Promise.all(Array.from({ length: SIZE }, open))
    const headers = { host }
    return async (path, caller) => {
      const connPid = connections[caller % SIZE] as gun.ConnPid
      const { body } = await gun.awaitResponse(connPid, gun.get(connPid, path, headers))
      return body.length
    }
  },
}

export default holster
