// A node that is stopped is gone for all others at once, and leaves nothing behind that would keep its program running.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { natsServer, needingNats } from '../support/nats-server.ts'
import { COOKIE, Peer, pair } from '../support/peer.ts'
import { cuttingProxy } from '../support/proxy.ts'

const SOON = { reconnectTimeWait: 20, reconnectJitter: 10 }

/** Resolves once the program of a peer has stopped its node and has then ended by itself. */
async function ends(peer: Peer): Promise<void> {
  await peer.tell('leave')
  assert.equal(await peer.ended, 0)
}

test('a node that is stopped is gone for the other at once, and its program ends', needingNats, async () => {
  await using server = await natsServer()
  await using both = await pair({ servers: server.url }, { tickTime: 600_000 })
  const { a, b } = both
  await a.tell('monitor', 'b', 'echo')
  await ends(b)
  await a.down('b')
  assert.equal((await a.next('DOWN')).reason, 'noconnection')
  await ends(a)
})

test('a program can be a node again after it was one', needingNats, async () => {
  await using server = await natsServer()
  await using both = await pair({ servers: server.url }, { tickTime: 600_000 })
  const { a, b } = both
  for (let life = 0; life < 3; life++) {
    await b.tell('stop')
    await a.down('b')
    await b.tell('start', { name: 'b', cookie: COOKIE, nats: { servers: server.url } })
    await a.up('b')
    assert.equal(await a.tell('echo', 'b', 10), true)
  }
  await ends(b)
})

test('what was sent before the node was stopped has arrived', needingNats, async () => {
  await using server = await natsServer()
  await using both = await pair({ servers: server.url })
  const { a, b } = both
  await b.tell('sink', 'a')
  await a.tell('numbers', 'b', 5000)
  await ends(a)
  assert.deepEqual(await b.tell('tally', 5000), { messages: 5000, runs: 1, violations: [] })
})

test('a program ends although its node did not start', needingNats, async () => {
  await using server = await natsServer()
  await using a = await Peer.start({ name: 'a', cookie: COOKIE, nats: { servers: server.url } })
  await using other = new Peer()
  await assert.rejects(
    other.tell('start', { name: 'a', cookie: COOKIE, nats: { servers: server.url } }),
    /taken/,
  )
  await ends(other)
  await ends(a)
})

test('a node can be stopped while there is no server, and its program ends', needingNats, async () => {
  await using server = await natsServer()
  await using both = await pair({ servers: server.url, ...SOON })
  await server.kill()
  await both.a.down('b')
  await ends(both.a)
})

test('a node can be stopped while the server is silent, and its program ends', needingNats, async () => {
  await using server = await natsServer()
  await using both = await pair({ servers: server.url })
  server.pause()
  await ends(both.a)
})

for (const how of ['silent', 'ended'] as const) {
  test(
    `a node can be stopped while its client connects to a server that is ${how}, and its program ends`,
    needingNats,
    async () => {
      await using server = await natsServer()
      await using proxy = await cuttingProxy(server.port)
      await using a = await Peer.start({ name: 'a', cookie: COOKIE, nats: { servers: proxy.url, ...SOON } })
      const held = proxy.held()
      proxy.hold(how)
      await held
      await ends(a)
    },
  )
}
