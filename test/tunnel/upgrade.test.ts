// A request of HTTP/1.1 that asks for another protocol: behind a 101 the connection speaks raw (RFC 9110 section 7.8).

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as gun from '@holster/gun'
import { createProcess } from '@holster/process'
import type { Transport } from '@holster/testing'
import { PATIENCE, receiveError } from '../support/client.ts'
import { type Ends, ends } from '../support/http-ends.ts'

const wires: readonly Transport[] = ['tcp', 'tls', 'unix']

/** Receives that many bytes of the stream. */
async function receiveBytes(
  { self, connPid }: Pick<Ends, 'self' | 'connPid'>,
  streamRef: gun.StreamRef,
  count: number,
): Promise<string> {
  let text = ''
  while (text.length < count) {
    const { data } = await self.receive([{ type: 'gun_data', connPid, streamRef }], PATIENCE)
    text += data
  }
  return text
}

const SWITCHING = 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: custom/1.0\r\n\r\n'
const asksUpgrade = { connection: 'upgrade', upgrade: 'custom/1.0' }

for (const wire of wires) {
  for (const glued of ['', 'Initial message.']) {
    const how = glued === '' ? '' : ', whose bytes come with the 101'
    test(`a request is upgraded to raw${how}, over ${wire}`, async () => {
      await using it = await ends(wire, { protocols: ['http'], retry: 0 })
      const { connPid, peer } = it
      const streamRef = gun.get(connPid, '/', asksUpgrade)
      await peer.receiveRequest()
      await peer.send(SWITCHING + glued)
      const upgrade = await gun.await(connPid, streamRef, PATIENCE)
      assert.ok(upgrade.type === 'gun_upgrade')
      assert.deepEqual(upgrade.protocols, ['custom/1.0'])
      assert.equal(await receiveBytes(it, streamRef, glued.length), glued)
      gun.data(connPid, streamRef, 'nofin', 'Hello world!')
      assert.equal(String(await peer.receive(12)), 'Hello world!')
      await peer.send('Hello yourself')
      assert.equal(await receiveBytes(it, streamRef, 14), 'Hello yourself')
      const { protocol, originScheme, intermediaries, stateName } = gun.info(connPid)
      assert.deepEqual([protocol, originScheme, intermediaries], ['raw', undefined, []])
      assert.equal(stateName, 'connected_data_only')
      // As in Gun, the connection has no other stream.
      gun.data(connPid, undefined, 'fin', 'Bye')
      assert.equal(String(await peer.receiveAll()), 'Bye')
      peer.end()
      assert.deepEqual(await it.heard(2), ['data  fin', 'down: normal, killed 0'])
    })
  }
}

test('a request that waits behind one that is upgraded is refused, and safe to ask again', async () => {
  await using it = await ends('tcp', { retry: 0, httpOpts: { pipelining: 10 } })
  const { connPid, peer } = it
  gun.get(connPid, '/', asksUpgrade)
  const behind = gun.get(connPid, '/behind')
  await peer.receiveRequest()
  await peer.send(SWITCHING)
  const { code } = await receiveError({ owner: it.self, connPid }, behind)
  assert.equal(code, 'refused_stream')
})

test('an upgrade that is refused is a response like any other', async () => {
  await using it = await ends('tcp')
  const { connPid, peer } = it
  for (const headers of [asksUpgrade, {}]) {
    const streamRef = gun.get(connPid, '/', headers)
    await peer.receiveRequest()
    await peer.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi')
    const { body } = await gun.awaitResponse(connPid, streamRef, PATIENCE)
    assert.equal(String(body), 'hi')
  }
})

test('bytes behind an upgrade go to the replyTo of its request', async () => {
  await using it = await ends('tcp')
  const { connPid, peer, self } = it
  const other = createProcess<gun.GunMessage>()
  const streamRef = gun.get(connPid, '/', asksUpgrade, { replyTo: other })
  await peer.receiveRequest()
  await peer.send(`${SWITCHING}Hello`)
  assert.equal((await gun.await(connPid, streamRef, PATIENCE)).type, 'gun_upgrade')
  const message = await gun.await(connPid, streamRef, PATIENCE)
  assert.ok(message.type === 'gun_data')
  assert.equal(String(message.data), 'Hello')
  assert.equal(self.messageQueueLength, 0)
  gun.close(connPid)
  other.exit()
})

const wrong: readonly (readonly [name: string, headers: Record<string, string>, response: string])[] = [
  [
    'a 101 without connection: upgrade',
    asksUpgrade,
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: custom/1.0\r\n\r\n',
  ],
  [
    'a 101 without an upgrade header',
    asksUpgrade,
    'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n\r\n',
  ],
  ['a 101 to another protocol', asksUpgrade, SWITCHING.replace('custom/1.0', 'other')],
  [
    'a 101 to more protocols than were asked for',
    asksUpgrade,
    SWITCHING.replace('custom/1.0', 'custom/1.0, other'),
  ],
  ['a 101 that nobody has asked for', {}, SWITCHING],
]

for (const [name, headers, response] of wrong) {
  test(`${name} is the end of the connection`, async () => {
    await using it = await ends('tcp', { retry: 0 })
    const { connPid, peer } = it
    const streamRef = gun.get(connPid, '/', headers)
    await peer.receiveRequest()
    await peer.send(response)
    const { kind } = await receiveError({ owner: it.self, connPid }, streamRef)
    assert.equal(kind, 'connection_error')
    const { protocol } = await it.self.receive([{ type: 'gun_down', connPid }], PATIENCE)
    assert.equal(protocol, 'http')
  })
}
