// A node that cannot be part of a cluster is told why, and so are the nodes that meet it.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect } from '@nats-io/transport-node'
import { natsServer, needingNats } from '../support/nats-server.ts'
import { COOKIE, Peer, type PeerOptions, pair } from '../support/peer.ts'
import { cuttingProxy } from '../support/proxy.ts'
import { rawNode } from '../support/raw-node.ts'

const SOON = { reconnectTimeWait: 20, reconnectJitter: 10 }

/** Resolves to the words with which a node does not start. */
async function startError(options: Omit<PeerOptions, 'name'>, name = 'a'): Promise<string> {
  try {
    await using peer = await Peer.start({ cookie: COOKIE, ...options, name })
    return `started: ${await peer.tell('nodes')}`
  } catch (error) {
    return (error as Error).message
  }
}

test(
  'nodes with different cookies refuse each other, both are told, and neither is connected',
  needingNats,
  async () => {
    await using server = await natsServer()
    const nats = { servers: server.url }
    await using a = await Peer.start({ name: 'a', cookie: 'the first of two secrets', nats })
    await using b = await Peer.start({ name: 'b', cookie: 'the other of two secrets', nats })
    for (const [peer, other] of [
      [a, 'b'],
      [b, 'a'],
    ] as const) {
      const { node, reason } = await peer.next('refused')
      assert.equal(node, other)
      assert.match(reason, /^'[ab]' and '[ab]' have different cookies$/)
      assert.deepEqual(await peer.tell('nodes'), [])
    }
  },
)

for (const isKnown of [true, false]) {
  const how = isKnown ? 'that has said that it is there' : 'of which nothing is known'
  test(`a node of another version, ${how}, is refused by name`, needingNats, async () => {
    await using server = await natsServer()
    await using a = await Peer.start({ name: 'a', cookie: COOKIE, nats: { servers: server.url } })
    await using old = await rawNode(server, 'old')
    const incarnation = await old.incarnationOf('a')
    if (isKnown) {
      old.announce()
      // The node greets who has come.
      assert.equal((await old.receive()).words.name, 'a')
    }
    old.say(incarnation, 1, {
      version: 99,
      name: 'old',
      incarnation: old.incarnation,
      session: 7,
      nonce: 'n',
    })
    const reason = "'old' speaks version 99 of the protocol, and 'a' speaks version 1"
    assert.deepEqual(await a.next('refused'), { kind: 'refused', node: 'old', reason })
    let packet = await old.receive()
    while (packet.type !== 6) packet = await old.receive()
    assert.deepEqual(packet.words, { to: 7, reason })
    assert.deepEqual(await a.tell('nodes'), [])
  })
}

test(
  'a stranger who takes the name of a connected node and does not know the cookie ends nothing',
  needingNats,
  async () => {
    await using server = await natsServer()
    await using both = await pair({ servers: server.url })
    const { a, b } = both
    await using stranger = await rawNode(server, 'b')
    const incarnation = await stranger.incarnationOf('a')
    const hello = { version: 1, name: 'b', incarnation: stranger.incarnation, session: 7, nonce: 'n' }
    stranger.say(incarnation, 1, hello)
    let packet = await stranger.receive()
    while (packet.words.session === undefined) packet = await stranger.receive()
    stranger.say(incarnation, 2, { to: packet.words.session, from: 7, proof: 'none' })
    const { node, reason } = await a.next('refused')
    assert.deepEqual([node, reason], ['b', "'b' and 'a' have different cookies"])
    assert.equal(await b.tell('echo', 'a', 10), true)
    assert.deepEqual(a.unread, [])
    assert.deepEqual(b.unread, [])
  },
)

test('what is no packet, no presence and no address changes nothing', needingNats, async () => {
  await using server = await natsServer()
  await using both = await pair({ servers: server.url })
  const { a, b } = both
  await using raw = await rawNode(server, 'raw')
  const incarnation = await raw.incarnationOf('a')
  const client = await connect({ servers: server.url })
  const texts = [
    '',
    '{',
    'null',
    '[]',
    '{"name":1}',
    '{"name":"x","incarnation":"a.*","connection":1,"since":1}',
  ]
  for (const text of texts) {
    client.publish('holster.here', text)
    client.publish('holster.name.a', text, { reply: 'somewhere' })
    client.publish(`holster.to.${incarnation}.nobody`, text)
    client.publish(`holster.to.${incarnation}.x_0`, text)
    client.publish(`holster.to.${incarnation}.noone_1`, text)
  }
  await client.close()
  assert.equal(await b.tell('echo', 'a', 10), true)
  assert.deepEqual(a.unread, [])
})

test(
  'a node whose name another one has does not start, and the other hears nothing of it',
  needingNats,
  async () => {
    await using server = await natsServer()
    await using both = await pair({ servers: server.url })
    assert.match(
      await startError({ nats: { servers: server.url } }),
      /the name 'a' is taken: another node has answered by it/,
    )
    assert.equal(await both.b.tell('echo', 'a', 10), true)
    assert.deepEqual(both.b.unread, [])
  },
)

test('a name is taken also while its node does not answer', needingNats, async () => {
  await using server = await natsServer()
  await using both = await pair({ servers: server.url })
  both.a.pause()
  assert.match(
    await startError({ nats: { servers: server.url } }),
    /the name 'a' is taken: .* does not answer/,
  )
})

test('a name is free again at once when its node has died', needingNats, async () => {
  await using server = await natsServer()
  for (let life = 0; life < 3; life++) {
    await using a = await Peer.start({ name: 'a', cookie: COOKIE, nats: { servers: server.url } })
    await a.kill()
  }
})

test('of nodes that start with one name at the same time exactly one does', needingNats, async () => {
  await using server = await natsServer()
  const peers = Array.from({ length: 3 }, () => new Peer())
  try {
    const options = { name: 'a', cookie: COOKIE, nats: { servers: server.url } }
    await Promise.all(peers.map(peer => peer.tell('nodes')))
    const starts = await Promise.allSettled(peers.map(peer => peer.tell('start', options)))
    const errors = starts.flatMap(start => (start.status === 'rejected' ? [String(start.reason)] : []))
    assert.equal(errors.length, 2, String(errors))
    for (const error of errors) assert.match(error, /the name 'a' is taken/)
  } finally {
    await Promise.all(peers.map(peer => peer.kill()))
  }
})

test(
  'of two nodes that have got one name while apart the younger gives way, and is told',
  needingNats,
  async () => {
    await using server = await natsServer()
    await using proxy = await cuttingProxy(server.port)
    await using b = await Peer.start({
      name: 'b',
      cookie: COOKIE,
      nats: { servers: server.url },
      watch: ['a'],
    })
    await using elder = await Peer.start({
      name: 'a',
      cookie: COOKIE,
      nats: { servers: proxy.url, ...SOON },
      watch: ['b'],
    })
    await Promise.all([b.up('a'), elder.up('b')])
    proxy.hold('ended')
    await elder.down('b')
    await using younger = await Peer.start({
      name: 'a',
      cookie: COOKIE,
      nats: { servers: server.url },
      watch: ['b'],
    })
    await younger.up('b')
    proxy.release()
    assert.match((await younger.next('report')).text, /the name 'a' is taken/)
    await younger.down('b')
    await elder.up('b')
    let answer = false
    while (!answer) answer = await b.tell('echo', 'a', 10).catch(() => false)
    assert.equal(await elder.tell('echo', 'b', 10), true)
    assert.deepEqual(await younger.tell('nodes'), [])
  },
)

test(
  'a node does not start without a server, without the right password, or with a server that takes too little',
  needingNats,
  async () => {
    await using server = await natsServer({ config: 'authorization { user: u, password: right }' })
    await using small = await natsServer({ config: 'max_payload: 1000' })
    await using gone = await natsServer()
    await gone.kill()
    assert.match(
      await startError({ nats: { servers: gone.url } }),
      /the NATS server cannot be reached: connection refused/,
    )
    const wrong = await startError({ nats: { servers: server.url, user: 'u', pass: 'secret of mine' } })
    assert.match(wrong, /the NATS server cannot be reached: Authorization Violation/)
    assert.doesNotMatch(wrong, /secret of mine/)
    assert.match(
      await startError({ nats: { servers: small.url } }),
      /max_payload is 1000, and nodes need 1024 bytes/,
    )
  },
)

const permissions: readonly (readonly [what: string, permissions: string])[] = [
  ['subscribe to parcels', '{ publish: ">", subscribe: { deny: "holster.to.>" } }'],
  ['subscribe to presences', '{ publish: ">", subscribe: { deny: "holster.here" } }'],
  ['ask for a name', '{ publish: { deny: "holster.name.>" }, subscribe: ">" }'],
  ['hear the answer', '{ publish: ">", subscribe: { deny: "holster.reply.>" } }'],
]

for (const [what, allowed] of permissions) {
  test(`a node that may not ${what} does not start, and says what it lacks`, needingNats, async () => {
    const config = `authorization { users: [{ user: u, password: p, permissions: ${allowed} }] }`
    await using server = await natsServer({ config })
    const error = await startError({ nats: { servers: server.url, user: 'u', pass: 'p' } })
    assert.match(error, /the NATS server does not permit what a node needs: .*holster\./)
  })
}

test('a node that finds out later that it may not send parcels fails, and says so', needingNats, async () => {
  const allowed = '{ publish: { deny: "holster.to.>" }, subscribe: ">" }'
  const config = `authorization { users: [{ user: u, password: p, permissions: ${allowed} }, { user: v, password: p }] }`
  await using server = await natsServer({ config })
  await using a = await Peer.start({
    name: 'a',
    cookie: COOKIE,
    nats: { servers: server.url, user: 'u', pass: 'p' },
  })
  await using b = await Peer.start({
    name: 'b',
    cookie: COOKIE,
    nats: { servers: server.url, user: 'v', pass: 'p' },
  })
  assert.match((await a.next('report')).text, /does not permit what a node needs: .*holster\.to\./)
  assert.deepEqual(await b.tell('nodes'), [])
  await a.tell('leave')
  assert.equal(await a.ended, 0)
})

test('a client that gives up says so, and its program can end', needingNats, async () => {
  await using server = await natsServer()
  await using both = await pair({ servers: server.url, ...SOON, maxReconnectAttempts: 2 })
  const { a } = both
  await server.kill()
  await a.down('b')
  assert.match((await a.next('report')).text, /the NATS client has given up: connection refused/)
  await a.tell('leave')
  assert.equal(await a.ended, 0)
})
