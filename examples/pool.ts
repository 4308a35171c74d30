/**
 * A pool under load: a hundred callers share four connections, wait their turn, and give it up when they end.
 */

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import * as gun from '@holster/gun'
import { spawn } from '@holster/process'

let sockets = 0
const server = createServer((request, response) => {
  setImmediate(() => response.end(`you asked for ${request.url}`))
})
server.on('connection', () => sockets++)
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const { port } = server.address() as AddressInfo
const headers = { host: `127.0.0.1:${port}` }

const pool = gun.pool.startPool('127.0.0.1', port, { size: 4 })
await gun.pool.awaitUp(pool)
console.log(`the pool is ${gun.pool.info(pool)?.state}`)

// The requests are asked for at once: four have a connection, and the others wait in a fair queue.
const streams = Array.from({ length: 100 }, (_, n) => gun.pool.get(`/${n}`, headers))
console.log(`${gun.pool.info(pool)?.waiting} of 100 wait`)
const responses = await Promise.all(streams.map(streamRef => gun.pool.awaitResponse(streamRef)))
console.log(`${responses.length} responses over ${sockets} sockets, the last: ${responses.at(-1)?.body}`)

// A caller that is a process gets the messages itself. When the caller exits, its requests that still wait give up their places.
await spawn<gun.GunMessage>(async self => {
  const [first] = Array.from({ length: 10 }, () => gun.pool.get('/process', headers, { replyTo: self }))
  await self.receive([{ type: 'gun_response', streamRef: first }])
}).exited
console.log(`${gun.pool.info(pool)?.waiting} wait once their caller has exited`)

// A connection can be lent for one stream.
{
  using checkout = await gun.pool.checkout(pool)
  console.log(`lent: ${gun.info(checkout.connPid).protocol}`)
}

await gun.pool.stopPool('127.0.0.1', port)
console.log(`${gun.connections().length} connections are left`)
server.close()
