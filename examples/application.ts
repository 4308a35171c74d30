/**
 * An application is a tree that begins with its program and ends it: SIGTERM and SIGINT stop the web server first, and then the
 * counter that it asks.
 */

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { application, genServer } from '@holster/otp'

const counter = genServer.define({
  init: () => ['ok', 0 as number],
  handleCall: { next: (_request, _from, n) => ['reply', n + 1, n + 1] },
  terminate: (_reason, n) => console.log(`the counter ends at ${n}`),
})

const web = genServer.define({
  // The tree is up when this is done; what it throws is why the application cannot be started.
  init: async () => {
    const server = createServer(async (_request, response) => {
      const number = await genServer.call('counter', { type: 'next' })
      // A connection that is kept alive would keep the server from closing for seconds.
      if (!server.listening) response.setHeader('connection', 'close')
      response.end(`you are number ${number}\n`)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    console.log(`http://127.0.0.1:${port}/ counts its visitors, until Ctrl+C or: kill ${process.pid}`)
    return ['ok', server]
  },
  // Responses that are under way are finished: the supervisor waits, as long as the spec of the child says.
  terminate: async (_reason, server) => {
    server.close()
    server.closeIdleConnections()
    await once(server, 'close')
    console.log('the web server has closed')
  },
})

await application.run(
  {
    strategy: 'rest_for_one',
    children: [
      genServer.childSpec(counter, undefined, { name: 'counter', trapExit: true }),
      genServer.childSpec(web, undefined, { id: 'web', trapExit: true, shutdown: 10_000 }),
    ],
  },
  { shutdownTimeout: 15_000 },
)
