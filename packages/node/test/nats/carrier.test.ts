// The carrier by itself: a test takes the place of the node, and hears of channels, of what comes through them, and of their ends.

import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { setTimeout as passed } from 'node:timers/promises'
import type { Carrier, CarrierHost, Channel } from '@holster/node'
import { nats } from '@holster/node/nats'
import { connect } from '@nats-io/transport-node'
import { natsServer, needingNats } from '../support/nats-server.ts'
import { cuttingProxy } from '../support/proxy.ts'
import { rawNode } from '../support/raw-node.ts'

/** The repetition of presences, in milliseconds. */
const REPETITION = 30_000

/** Stands for a node, and keeps all that its carrier tells. */
class Host extends EventEmitter implements CarrierHost {
  readonly identity
  constructor(name: string) {
    super()
    this.identity = { name, incarnation: `${name}-${process.hrtime.bigint()}` }
  }
  onChannel(channel: Channel) {
    this.emit('channel', channel)
    return {
      onParcel: ({ bytes }: { bytes: Uint8Array }) => void this.emit('parcel', Buffer.from(bytes)),
      onClosed: (reason: string) => void this.emit('closed', reason),
    }
  }
  onFailure(error: Error): void {
    this.emit('failure', error)
  }
  async next<T>(event: string): Promise<T> {
    return (await once(this, event))[0] as T
  }
}

/** Stops a carrier at the end of the test, also where that has failed. */
async function started(t: TestContext, carrier: Carrier, host: Host): Promise<void> {
  await carrier.start(host)
  t.after(() => carrier.stop())
}

test(
  'two carriers bring parcels each way in order, up to the size that the server takes',
  needingNats,
  async t => {
    await using server = await natsServer({ config: 'max_payload: 5000' })
    const [a, b] = [new Host('a'), new Host('b')]
    await started(t, nats({ servers: server.url }), a)
    const toA = b.next<Channel>('channel')
    const toB = a.next<Channel>('channel')
    await started(t, nats({ servers: server.url }), b)
    // A node greets who has come; the other learns of it by that.
    const channel = await toB
    assert.deepEqual([channel.label, channel.maxBytes, channel.movesBuffers], ['b', 5000, false])
    const received: Buffer[] = []
    b.on('parcel', parcel => received.push(parcel))
    for (let size = 1; size <= 5000; size += 49) channel.send({ bytes: Buffer.alloc(size, size), moved: [] })
    const back = await toA
    while (received.length < 103) await b.next('parcel')
    assert.deepEqual(
      received.map(({ length }) => length),
      Array.from({ length: 103 }, (_, index) => 1 + 49 * index),
    )
    assert.ok(received.every(parcel => parcel.every(byte => byte === parcel.length % 256)))
    const answer = a.next<Buffer>('parcel')
    back.send({ bytes: Buffer.from('back'), moved: [] })
    assert.equal(String(await answer), 'back')
  },
)

test(
  'a node repeats that it is there, and asks whether others are of which nothing is heard',
  needingNats,
  async t => {
    t.mock.timers.enable({ apis: ['setInterval'] })
    await using server = await natsServer()
    const host = new Host('a')
    await started(t, nats({ servers: server.url }), host)
    const client = await connect({ servers: server.url })
    t.after(() => client.close())
    const presences = client.subscribe('holster.here')[Symbol.asyncIterator]()
    await client.flush()
    const repeated = async () => {
      t.mock.timers.tick(REPETITION)
      return (await presences.next()).value.json()
    }
    assert.equal((await repeated()).incarnation, host.identity.incarnation)

    const raw = await rawNode(server, 'raw')
    const channel = host.next<Channel>('channel')
    raw.announce()
    assert.equal((await channel).label, 'raw')
    await presences.next()
    // In the first round the announcement still counts.
    await repeated()
    await repeated()
    assert.equal((await raw.receiveBytes()).length, 0)
    await raw[Symbol.asyncDispose]()
    const closed = host.next<string>('closed')
    await repeated()
    assert.equal(await closed, 'nobody is there any more')
  },
)

test(
  'a node that is silent for long is forgotten, and is found again when it says something',
  needingNats,
  async t => {
    t.mock.timers.enable({ apis: ['setInterval'] })
    await using server = await natsServer()
    const host = new Host('a')
    await started(t, nats({ servers: server.url }), host)
    await using raw = await rawNode(server, 'raw')
    const first = host.next('channel')
    raw.announce()
    await first
    const closed = host.next<string>('closed')
    for (let round = 0; round < 12; round++) t.mock.timers.tick(REPETITION)
    assert.equal(await closed, 'nothing was heard of the node for long')
    const second = host.next('channel')
    raw.announce()
    await second
  },
)

test(
  'a node that connects anew has a new channel, and what it has sent before is not taken for new',
  needingNats,
  async t => {
    await using server = await natsServer()
    const host = new Host('a')
    await started(t, nats({ servers: server.url }), host)
    await using raw = await rawNode(server, 'raw')
    const events: string[] = []
    host.on('channel', () => events.push('channel'))
    host.on('closed', reason => events.push(reason))
    host.on('parcel', parcel => events.push(String(parcel)))
    const to = host.identity.incarnation
    raw.sayBytes(to, 'first', 1)
    raw.sayBytes(to, 'second', 2)
    raw.sayBytes(to, 'old', 1)
    raw.sayBytes(to, 'last', 2)
    while (events.at(-1) !== 'last') await host.next('parcel')
    const lost = 'the node has lost its connection to the NATS server'
    assert.deepEqual(events, ['channel', 'first', lost, 'channel', 'second', 'last'])
  },
)

test(
  'channels end without a word when the carrier stops, and the same carrier can start again',
  needingNats,
  async () => {
    await using server = await natsServer()
    const carrier = nats({ servers: server.url })
    const host = new Host('a')
    host.on('closed', reason => assert.fail(reason))
    await using raw = await rawNode(server, 'raw')
    for (let time = 0; time < 2; time++) {
      await carrier.start(host)
      await assert.rejects(carrier.start(new Host('c')), /options\.carrier is in use/)
      const channel = host.next<Channel>('channel')
      raw.announce()
      const ended = await channel
      await carrier.stop()
      ended.send({ bytes: Buffer.from('too late'), moved: [] })
    }
    await carrier.stop()
  },
)

test(
  'of carriers that start at the same time under one name exactly one does, whoever hears what first',
  needingNats,
  async () => {
    await using server = await natsServer()
    for (let round = 0; round < 8; round++) {
      const proxies = await Promise.all(
        Array.from({ length: 2 + (round % 4) }, () => cuttingProxy(server.port, () => passed(randomInt(30)))),
      )
      const carriers = proxies.map(({ url }) => nats({ servers: url }))
      const starts = await Promise.allSettled(carriers.map(carrier => carrier.start(new Host('a'))))
      const errors = starts.flatMap(start => (start.status === 'rejected' ? [String(start.reason)] : []))
      await Promise.all(carriers.map(carrier => carrier.stop()))
      await Promise.all(proxies.map(proxy => proxy[Symbol.asyncDispose]()))
      assert.equal(errors.length, carriers.length - 1, `${errors}`)
      for (const error of errors)
        assert.match(error, /the name 'a' is taken: another node has answered by it/)
    }
  },
)

for (const [since, who, end] of [
  [0, 'an elder', 'gives way'],
  [Number.MAX_SAFE_INTEGER, 'a younger', 'gets it'],
] as const) {
  test(`a node that claims its name while ${who} one claims it too ${end}`, needingNats, async t => {
    await using server = await natsServer()
    const client = await connect({ servers: server.url, noEcho: true })
    t.after(() => client.close())
    const events = new EventEmitter()
    let isFree = true
    // The word that nobody has the name is still on its way when others come to it.
    await using proxy = await cuttingProxy(server.port, async bytes => {
      if (!isFree || !bytes.includes('NATS/1.0 503')) return
      isFree = false
      const told = once(events, 'told')
      events.emit('free')
      await told
    })
    const free = once(events, 'free')
    const carrier = nats({ servers: proxy.url })
    const start = carrier.start(new Host('a'))
    t.after(() => carrier.stop())
    await free
    const rival = {
      name: 'a',
      incarnation: 'rival',
      connection: 1,
      since: Number.MAX_SAFE_INTEGER,
      stage: 'claims',
    }
    client.subscribe('holster.name.a', {
      callback: (_error, message) => {
        message.respond(JSON.stringify(rival))
        events.emit(message.json<{ stage: string }>().stage)
      },
    })
    await client.flush()
    const claimed = once(events, 'claims')
    events.emit('told')
    await claimed
    // The carrier waits now for answers of others, since this rival is younger.
    const options = { noMux: true, reply: 'holster.reply.other', timeout: 60_000 }
    const question = JSON.stringify({ ...rival, incarnation: 'other', since })
    const answer = (await client.request('holster.name.a', question, options)).json<{ stage: string }>()
    assert.equal(answer.stage, 'claims')
    if (since === 0) await assert.rejects(start, /the name 'a' is taken: another node has answered by it/)
    else await start
  })
}
