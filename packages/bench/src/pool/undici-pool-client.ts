/** undici's Pool, with as many connections, and one request at a time on each of them, as is its default. */

import { Pool } from 'undici'
import { type Client, SIZE } from './contract.ts'

const undiciPool: Client = {
  async connect(origin) {
    const pool = new Pool(origin, { connections: SIZE })
    return async path => {
      const { body } = await pool.request({ path, method: 'GET' })
      return (await body.arrayBuffer()).byteLength
    }
  },
}

export default undiciPool
