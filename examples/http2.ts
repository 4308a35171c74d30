/** HTTP/2: many streams share one connection, and none waits for another (RFC 9113). */

import { createServer } from 'node:http2'
import type { AddressInfo } from 'node:net'
import * as gun from '@holster/gun'
import { spawn } from '@holster/process'

const server = createServer()
server.on('stream', (stream, headers) => {
  stream.respond({ 'content-type': 'text/plain' })
  // The response to /slow is never ended.
  if (headers[':path'] !== '/slow') stream.end(`this is ${headers[':path']}`)
  stream.on('close', () => console.log(`${headers[':path']} is over at the server`))
})
await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
const { port } = server.address() as AddressInfo

await spawn<gun.GunMessage>(async self => {
  // Over tls ALPN chooses between HTTP/2 and HTTP/1.1; over tcp there is no such negotiation.
  await using connPid = gun.open('127.0.0.1', port, { owner: self, protocols: ['http2'] })
  console.log(`speaks ${await gun.awaitUp(connPid)}`)

  const slow = gun.get(connPid, '/slow')
  const quick = ['/a', '/b', '/c'].map(path => gun.get(connPid, path))
  for (const streamRef of quick) {
    await gun.await(connPid, streamRef)
    const { body } = await gun.awaitBody(connPid, streamRef)
    console.log(String(body))
  }
  gun.cancel(connPid, slow)

  gun.ping(connPid)
  await self.receive([{ type: 'gun_notify', connPid, event: 'ping_ack' }], 1000)
  console.log('the server is still there')
}).exited
server.close()
