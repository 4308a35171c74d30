// Nodes in different programs find each other over a NATS server, and work together.

import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { certificates } from '@holster/testing'
import { natsServer, needingNats } from '../support/nats-server.ts'
import { COOKIE, Peer, pair } from '../support/peer.ts'

test(
  'two nodes that use one server hear of each other, and a call goes there and back',
  needingNats,
  async () => {
    await using server = await natsServer()
    await using both = await pair({ servers: server.url })
    const { a, b } = both
    assert.deepEqual(await a.tell('nodes'), ['b'])
    assert.deepEqual(await b.tell('nodes'), ['a'])
    assert.equal(await a.tell('echo', 'b', 100), true)
  },
)

test('a node that comes later hears of all that are there, and they of it', needingNats, async () => {
  await using server = await natsServer()
  await using both = await pair({ servers: server.url }, { watch: [] })
  const { a, b } = both
  await using c = await Peer.start({
    name: 'c.d@e',
    cookie: COOKIE,
    nats: { servers: server.url },
    watch: ['a', 'b'],
  })
  await Promise.all([c.up('a'), c.up('b')])
  assert.equal(await a.tell('echo', 'c.d@e', 10), true)
  assert.equal(await b.tell('echo', 'c.d@e', 10), true)
})

test(
  'nodes with different prefixes do not see each other, also where they have one name',
  needingNats,
  async () => {
    await using server = await natsServer()
    await using first = await pair({ servers: server.url })
    await using second = await pair({ servers: server.url, prefix: 'other.cluster' })
    assert.deepEqual(await first.a.tell('nodes'), ['b'])
    assert.deepEqual(await second.a.tell('nodes'), ['b'])
    assert.deepEqual(second.b.unread, [])
  },
)

test('a message of 200 KB arrives whole through a server that takes 1 KB', needingNats, async () => {
  await using server = await natsServer({ config: 'max_payload: 1KB' })
  await using both = await pair({ servers: server.url })
  assert.equal(await both.a.tell('echo', 'b', 200_000), true)
})

test('nodes meet over TLS, with a certificate that the client checks', needingNats, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'holster-tls-'))
  try {
    const [cert, key] = [join(folder, 'cert'), join(folder, 'key')]
    await writeFile(cert, certificates.server.cert)
    await writeFile(key, certificates.server.key)
    await using server = await natsServer({ config: `tls { cert_file: "${cert}", key_file: "${key}" }` })
    await using both = await pair({ servers: server.url, tls: { ca: certificates.ca } })
    assert.equal(await both.a.tell('echo', 'b', 1000), true)
    const refused = Peer.start({ name: 'c', cookie: COOKIE, nats: { servers: server.url } })
    await assert.rejects(refused, /the NATS server cannot be reached: .*certificate/)
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('a client that may use the prefix and nothing else is enough', needingNats, async () => {
  const may = '{ publish: "holster.>", subscribe: "holster.>" }'
  const config = `authorization { users: [{ user: u, password: p, permissions: ${may} }] }`
  await using server = await natsServer({ config })
  await using both = await pair({ servers: server.url, user: 'u', pass: 'p' })
  assert.equal(await both.a.tell('echo', 'b', 10), true)
})

test(
  'messages go on in smaller parts once the server takes less, which it says by cutting off who sends more',
  needingNats,
  async () => {
    await using server = await natsServer()
    await using both = await pair({ servers: server.url, reconnectTimeWait: 20 })
    const { a, b } = both
    await server.reload('max_payload: 2KB')
    let isWhole = true
    while (isWhole) isWhole = await a.tell('echo', 'b', 50_000).catch(() => false)
    await Promise.all([a.down('b'), b.down('a')])
    await Promise.all([a.up('b'), b.up('a')])
    assert.match((await a.next('warning')).text, /^the NATS server says: Maximum Payload Violation$/)
    while (!isWhole) isWhole = await a.tell('echo', 'b', 50_000).catch(() => false)
  },
)
