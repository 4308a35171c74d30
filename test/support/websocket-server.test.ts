// The server of `ws`: it echoes, and goes on serving a connection whose upgrade it refused.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import net from 'node:net'
import { describe, test } from 'node:test'
import { certificates } from '@holster/testing'
import { WebSocket } from 'ws'
import { connect, readUntil, transports } from './bare-socket.ts'
import { assertNothingLeft, collectWarnings } from './leftovers.ts'
import { websocketServer } from './websocket-server.ts'

describe('the ws server', () => {
  const upgrade = [
    'GET /ws HTTP/1.1',
    'Host: localhost',
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    '\r\n',
  ].join('\r\n')
  const get = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'

  for (const transport of transports) {
    test(`echoes over ${transport}`, async () => {
      await using _left = assertNothingLeft()
      await using server = await websocketServer({ transport, handleProtocols: () => 'second' })
      const client = new WebSocket(server.url, ['first', 'second'], { ca: certificates.ca })
      await once(client, 'open')
      assert.equal(client.protocol, 'second')
      client.send('hello')
      const [data, binary] = await once(client, 'message')
      assert.equal(String(data), 'hello')
      assert.equal(binary, false)
      client.terminate()
    })

    test(`goes on serving a connection whose upgrades it refused over ${transport}`, async () => {
      await using _left = assertNothingLeft()
      await using collected = collectWarnings()
      let upgrades = 0
      await using server = await websocketServer({
        transport,
        refuse: () => {
          upgrades += 1
          return upgrades > 20
            ? undefined
            : { status: 401, headers: { 'x-attempt': `${upgrades}` }, body: 'Not you' }
        },
      })
      const socket = await connect(server, transport)
      for (let attempt = 1; attempt <= 20; attempt++) {
        socket.write(upgrade)
        const refusal = await readUntil(socket, 'Not you')
        assert.match(refusal, /^HTTP\/1.1 401 Unauthorized\r\n/)
        assert.match(refusal, new RegExp(`\r\nx-attempt: ${attempt}\r\n`))
        socket.write(get)
        assert.match(await readUntil(socket, 'Hello over HTTP'), /^HTTP\/1.1 200 OK\r\n/)
      }
      socket.write(upgrade)
      assert.match(await readUntil(socket, '\r\n\r\n'), /^HTTP\/1.1 101 Switching Protocols\r\n/)
      socket.destroy()
      await collected.assertNone()
    })

    test(`serves a request glued to the upgrade that it refuses over ${transport}`, async () => {
      await using server = await websocketServer({ transport, refuse: () => ({ status: 403 }) })
      const socket = await connect(server, transport)
      socket.write(upgrade + get + upgrade + get)
      const text = await readUntil(socket, 'Hello over HTTP', 2)
      assert.deepEqual(
        text.match(/HTTP\/1.1 \d+/g),
        [403, 200, 403, 200].map(status => `HTTP/1.1 ${status}`),
      )
      socket.destroy()
    })
  }

  test('closes with clients of every kind still there', async () => {
    await using _left = assertNothingLeft()
    const server = await websocketServer({ transport: 'tls' })
    const sockets = [await connect(server, 'tls'), net.connect(server.port, server.host)]
    const client = new WebSocket(server.url, { ca: certificates.ca })
    for (const socket of sockets) socket.on('error', () => {})
    await once(client, 'open')
    const gone = [client, ...sockets].map(each => once(each, 'close'))
    for (const socket of sockets) socket.resume()
    await server.close()
    await Promise.all(gone)
  })
})
