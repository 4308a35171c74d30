/** Small differences from Gun that the page about them names, and that no other test is about. */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import * as gun from '@holster/gun'
import { createProcess } from '@holster/process'
import { PATIENCE } from '../support/client.ts'
import { ends } from '../support/http-ends.ts'

const RESPONSE = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi'

test('each chunk is a gun_data, also where one packet has several, unlike in Gun', async () => {
  await using it = await ends('tcp', { retry: 0 })
  const streamRef = gun.get(it.connPid, '/')
  await it.peer.receiveRequest()
  await it.peer.send('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n')
  await it.self.receive([{ type: 'gun_response', streamRef }], PATIENCE)
  const parts: string[] = []
  for (let isFin: gun.IsFin = 'nofin'; isFin === 'nofin'; ) {
    const message = await it.self.receive([{ type: 'gun_data', streamRef }], PATIENCE)
    parts.push(String(message.data))
    isFin = message.isFin
  }
  assert.deepEqual(parts, ['ab', 'cde'])
})

test('responseEnd is told behind the last gun_data, unlike in Gun', async () => {
  const told: string[] = []
  await using it = await ends('tcp', { retry: 0, eventHandler: { responseEnd: () => told.push('end') } })
  const watcher = createProcess<'whole'>()
  gun.get(
    it.connPid,
    '/',
    {},
    {
      replyTo: message => {
        told.push(message.type)
        if (message.type === 'gun_data' && message.isFin === 'fin') watcher.send('whole')
      },
    },
  )
  await it.peer.receiveRequest()
  await it.peer.send(RESPONSE)
  await watcher.receive(['whole'], PATIENCE)
  watcher.exit()
  assert.deepEqual(told, ['gun_response', 'gun_data', 'end'])
})

test('shutdown lets all requests that were sent finish, where Gun cancels those behind the first', async () => {
  await using it = await ends('tcp', { retry: 0 })
  const refs = ['/1', '/2', '/3'].map(path => gun.get(it.connPid, path))
  for (const _ of refs) await it.peer.receiveRequest()
  gun.shutdown(it.connPid)
  await it.peer.send(RESPONSE.repeat(3))
  for (const streamRef of refs) {
    await it.self.receive([{ type: 'gun_data', streamRef, isFin: 'fin' }], PATIENCE)
  }
})

test('close gives each open stream its gun_error, where Gun posts nothing', async () => {
  await using it = await ends('tcp', { retry: 0 })
  const refs = ['/1', '/2'].map(path => gun.get(it.connPid, path))
  for (const _ of refs) await it.peer.receiveRequest()
  gun.close(it.connPid)
  for (const streamRef of refs) await it.self.receive([{ type: 'gun_error', streamRef }], PATIENCE)
})

test('a stream that was cancelled is not among the killedStreams, where Gun lists it', async () => {
  await using it = await ends('tcp', { retry: 0 })
  const cancelled = gun.get(it.connPid, '/1')
  const killed = gun.get(it.connPid, '/2')
  for (const _ of [cancelled, killed]) await it.peer.receiveRequest()
  gun.cancel(it.connPid, cancelled)
  it.peer.end()
  const { killedStreams } = await it.self.receive([{ type: 'gun_down' }], PATIENCE)
  assert.deepEqual(killedStreams, [killed])
})

test('whoever holds the connPid may give it another owner, where Gun asks for the present one', async () => {
  await using it = await ends('tcp', { retry: 0 })
  const other = createProcess<gun.GunMessage>()
  gun.setOwner(it.connPid, other)
  assert.equal(gun.info(it.connPid).owner, other)
  gun.setOwner(it.connPid, it.self)
  other.exit()
})

test('a 200 that makes a stream of HTTP/2 a WebSocket is no end of a response, unlike in Gun', async () => {
  const server = createServer({ settings: { enableConnectProtocol: true } })
  server.on('stream', stream => stream.respond({ ':status': 200 }))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const told: string[] = []
  const tell = (name: string) => () => told.push(name)
  const self = createProcess<gun.GunMessage>()
  const connPid = gun.open('127.0.0.1', (server.address() as AddressInfo).port, {
    owner: self,
    protocols: ['http2'],
    eventHandler: {
      responseHeaders: tell('responseHeaders'),
      responseEnd: tell('responseEnd'),
      protocolChanged: tell('protocolChanged'),
    },
  })
  await gun.awaitUp(connPid, PATIENCE)
  const streamRef = gun.wsUpgrade(connPid, '/')
  await self.receive([{ type: 'gun_upgrade', streamRef }], PATIENCE)
  const ref = self.monitor(connPid)
  gun.close(connPid)
  await self.receive([{ type: 'DOWN', ref }], PATIENCE)
  self.exit()
  server.close()
  assert.deepEqual(told, ['responseHeaders', 'protocolChanged'])
})
