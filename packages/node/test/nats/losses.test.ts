// Whatever breaks between two nodes, both hear of it, and come together again once they can.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { natsServer, needingNats } from '../support/nats-server.ts'
import { COOKIE, hearsLoss, Peer, pair } from '../support/peer.ts'
import { cuttingProxy } from '../support/proxy.ts'

/** So that no test waits long for the client to try again. */
const SOON = { reconnectTimeWait: 20, reconnectJitter: 10 }
/** Short, but longer than a busy machine keeps a program from running. */
const TICK = 2000

/** Has a peer send to a node until that is not connected any more. */
async function sendUntilGone(peer: Peer, node: string): Promise<void> {
  while ((await peer.tell('nodes')).includes(node)) await peer.tell('flood', node, 1, 10)
}

test(
  'a node hears of the death of another by nodedown, and by DOWN with noconnection, long before the tick',
  needingNats,
  async () => {
    await using server = await natsServer()
    // Two beats come in the time of a tick that nobody waits for.
    await using both = await pair({ servers: server.url }, { tickTime: 600_000 })
    const { a, b } = both
    await a.tell('monitor', 'b', 'echo')
    await b.kill()
    // The server says so to whoever sends something, once it knows itself.
    await sendUntilGone(a, 'b')
    assert.equal((await a.next('DOWN')).reason, 'noconnection')
    await a.down('b')
    assert.deepEqual(await a.tell('nodes'), [])
  },
)

test('a node that sends nothing hears of the death of another by the next beat', needingNats, async () => {
  await using server = await natsServer()
  await using both = await pair({ servers: server.url }, { tickTime: TICK })
  await both.a.tell('monitor', 'b', 'echo')
  await both.b.kill()
  await both.a.down('b')
  assert.equal((await both.a.next('DOWN')).reason, 'noconnection')
})

test(
  'a node that is started anew under the name of a dead one is connected as another life',
  needingNats,
  async () => {
    await using server = await natsServer()
    await using both = await pair({ servers: server.url }, { tickTime: 600_000 })
    const { a, b } = both
    await a.tell('monitor', 'b', 'echo')
    await b.kill()
    await using next = await Peer.start({
      name: 'b',
      cookie: COOKIE,
      nats: { servers: server.url },
      watch: ['a'],
    })
    await Promise.all([a.down('b'), next.up('a')])
    await a.up('b')
    assert.equal((await a.next('DOWN')).reason, 'noconnection')
    assert.equal(await a.tell('echo', 'b', 10), true)
  },
)

test(
  'a node whose time stands still for longer than the tick is gone for the other, hears so itself, and comes again',
  needingNats,
  async () => {
    await using server = await natsServer()
    await using both = await pair({ servers: server.url }, { tickTime: TICK })
    const { a, b } = both
    await both.watchEachOther()
    b.pause()
    await hearsLoss(a, 'b')
    b.resume()
    await hearsLoss(b, 'a')
    await both.metAgain()
  },
)

test(
  'when the server dies all nodes are gone for each other at once, and come again when it is back',
  needingNats,
  async () => {
    await using server = await natsServer()
    await using both = await pair({ servers: server.url, ...SOON }, { tickTime: 600_000 })
    const { a } = both
    for (let round = 0; round < 3; round++) {
      await both.watchEachOther()
      await server.kill()
      await both.parted()
      await assert.rejects(a.tell('echo', 'b', 10), /noconnection/)
      await server.restart()
      await both.metAgain()
    }
  },
)

test(
  'when the time of the server stands still both nodes hear of it after the tick, and come again when it goes on',
  needingNats,
  async () => {
    await using server = await natsServer()
    await using both = await pair({ servers: server.url }, { tickTime: TICK })
    await both.watchEachOther()
    server.pause()
    await both.parted()
    server.resume()
    await both.metAgain()
  },
)

test(
  'a client whose server is silent leaves it, and the nodes come together again at the next server',
  needingNats,
  async () => {
    await using first = await natsServer()
    await using second = await natsServer()
    const nats = {
      servers: [first.url, second.url],
      noRandomize: true,
      pingInterval: 300,
      timeout: 1000,
      ...SOON,
    }
    await using both = await pair(nats, { tickTime: 600_000 })
    const { a, b } = both
    first.pause()
    await Promise.all([a.down('b'), b.down('a')])
    await both.metAgain()
  },
)

test(
  'a node whose way to the server is cut in the middle of a message is gone for both sides, and comes again',
  needingNats,
  async () => {
    await using server = await natsServer()
    await using proxy = await cuttingProxy(server.port)
    await using a = await Peer.start({
      name: 'a',
      cookie: COOKIE,
      nats: { servers: server.url },
      watch: ['b'],
    })
    await using b = await Peer.start({
      name: 'b',
      cookie: COOKIE,
      nats: { servers: proxy.url, ...SOON },
      watch: ['a'],
    })
    await Promise.all([a.up('b'), b.up('a')])
    for (const way of ['up', 'down'] as const) {
      await b.tell('monitor', 'a', 'echo')
      proxy.cutAfter(way, 100_000)
      await assert.rejects(b.tell('echo', 'a', 300_000), /noconnection/)
      assert.equal((await b.next('DOWN')).reason, 'noconnection')
      await Promise.all([a.down('b'), b.down('a')])
      await Promise.all([a.up('b'), b.up('a')])
      assert.equal(await b.tell('echo', 'a', 300_000), true)
    }
  },
)

test(
  'a node that the server cuts off as a slow consumer is gone for both sides, and comes again',
  needingNats,
  async () => {
    await using server = await natsServer({ config: 'max_pending: 1MB\nwrite_deadline: "200ms"' })
    const options = { tickTime: 600_000, window: 64 * 1024 * 1024 }
    await using both = await pair({ servers: server.url, ...SOON }, options)
    const { a, b } = both
    await both.watchEachOther()
    b.pause()
    await a.tell('flood', 'b', 600, 100_000)
    // Once the server has let go of the node it says that nobody is there.
    await sendUntilGone(a, 'b')
    await hearsLoss(a, 'b')
    b.resume()
    await hearsLoss(b, 'a')
    await both.metAgain()
  },
)

test(
  'a program that is busy for longer than the tick comes to rest with the other',
  needingNats,
  async () => {
    await using server = await natsServer()
    await using both = await pair({ servers: server.url }, { tickTime: TICK })
    const { a, b } = both
    await b.tell('busy', 3 * TICK)
    await a.down('b')
    await b.down('a')
    await Promise.all([a.up('b'), b.up('a')])
    assert.equal(await b.tell('echo', 'a', 10), true)
  },
)
