/**
 * Through a proxy: with the option `proxy` the connection makes its own way; with `connect` the program asks for the tunnel.
 */

import { connect, createServer, type Socket } from 'node:net'
import * as gun from '@holster/gun'
import { spawn } from '@holster/process'
import { startServer } from './local-server.ts'

await using server = await startServer()
const proxy = createServer(lead)
await new Promise<void>(resolve => proxy.listen(0, '127.0.0.1', resolve))
const { port } = proxy.address() as { port: number }

await spawn<gun.GunMessage>(async self => {
  const connPid = gun.open('127.0.0.1', server.port, { owner: self, proxy: `http://127.0.0.1:${port}` })
  await gun.awaitUp(connPid)
  const { status } = await gun.awaitResponse(connPid, gun.get(connPid, '/'))
  const [through] = gun.info(connPid).intermediaries
  console.log(`${status} through a proxy, asked by ${through?.type}`)
}).exited

await spawn<gun.GunMessage>(async self => {
  const connPid = gun.open('127.0.0.1', port, { owner: self })
  await gun.awaitUp(connPid)

  const tunnel = gun.connect(connPid, { host: '127.0.0.1', port: server.port })
  const answer = await self.receive([
    { type: 'gun_tunnel_up', connPid, streamRef: tunnel },
    { type: 'gun_error', connPid, streamRef: tunnel },
  ])
  if (answer.type === 'gun_error') throw answer.reason
  console.log(`the tunnel is up and speaks ${answer.protocol}`)

  const streamRef = gun.wsUpgrade(connPid, '/websocket', {}, { tunnel })
  await self.receive([{ type: 'gun_upgrade', connPid, streamRef }])
  gun.wsSend(connPid, streamRef, ['text', 'Hello through the tunnel!'])
  const { frame } = await self.receive([{ type: 'gun_ws', connPid, streamRef }])
  console.log(frame)
}).exited

proxy.close()

/** Leads each CONNECT to where it asks to. A real proxy asks who is there first. */
function lead(client: Socket): void {
  client.once('data', head => {
    const [, host = '', to] = /^CONNECT (\S+):(\d+) /.exec(head.toString('latin1')) ?? []
    const origin = connect(Number(to), host, () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n')
      client.pipe(origin).pipe(client)
    })
    origin.on('error', () => client.destroy())
    client.on('error', () => origin.destroy())
  })
}
