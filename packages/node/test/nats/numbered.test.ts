// Whatever breaks, what arrives of a session is what was sent in it, from its beginning and without a gap or anything twice; and the loss
// of the rest is told by nodedown before anything of the next session comes.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { natsServer, needingNats } from '../support/nats-server.ts'
import { COOKIE, Peer, type PeerOptions } from '../support/peer.ts'
import { cuttingProxy } from '../support/proxy.ts'

/** How many messages come between two disturbances. */
const BETWEEN = 5000
const TICK = 2000
const SOON = { reconnectTimeWait: 20, reconnectJitter: 10 }

/** Disturbs the traffic into `sink` so many times, each time within a session, and checks all that has come. */
async function disturb(
  sink: Peer,
  times: number,
  disturbance: (time: number) => Promise<void>,
): Promise<void> {
  await sink.tell('tally', BETWEEN)
  for (let time = 0; time < times; time++) {
    await disturbance(time)
    // An answer tells what came before the end of the session, which the disturbance has waited for.
    const { messages } = await sink.tell('tally', 0)
    await sink.tell('tally', messages + BETWEEN)
  }
  const { runs, violations } = await sink.tell('tally', 0)
  assert.deepEqual(violations, [])
  assert.ok(runs >= times + 1, `${runs} runs, though the traffic was disturbed ${times} times`)
}

function options(name: string, servers: string, others: Partial<PeerOptions> = {}): PeerOptions {
  return { name, cookie: COOKIE, tickTime: TICK, nats: { servers, ...SOON }, ...others }
}

test('numbers keep their order while the server dies and comes back', needingNats, async () => {
  await using server = await natsServer()
  await using sink = await Peer.start(options('sink', server.url, { watch: ['source'] }))
  await sink.tell('sink', 'source')
  await using source = await Peer.start(options('source', server.url))
  await source.tell('source', 'sink', 300)
  await disturb(sink, 6, async () => {
    await server.kill()
    await sink.down('source')
    await server.restart()
  })
})

for (const [end, way] of [
  ['sink', 'down'],
  ['sink', 'up'],
  ['source', 'up'],
  ['source', 'down'],
] as const) {
  test(
    `numbers keep their order while the ${end} is cut off in the middle of what goes ${way} to and from the server`,
    needingNats,
    async () => {
      await using server = await natsServer()
      await using proxy = await cuttingProxy(server.port)
      const urlOf = (name: string) => (name === end ? proxy.url : server.url)
      await using sink = await Peer.start(options('sink', urlOf('sink'), { watch: ['source'] }))
      await sink.tell('sink', 'source')
      await using source = await Peer.start(options('source', urlOf('source')))
      await source.tell('source', 'sink', 300)
      await disturb(sink, 8, async time => {
        proxy.cutAfter(way, 1 + time * 77)
        await sink.down('source')
      })
    },
  )
}

test('numbers keep their order while the time of the server stands still', needingNats, async () => {
  await using server = await natsServer()
  await using sink = await Peer.start(options('sink', server.url, { watch: ['source'] }))
  await sink.tell('sink', 'source')
  await using source = await Peer.start(options('source', server.url))
  await source.tell('source', 'sink', 300)
  await disturb(sink, 2, async () => {
    server.pause()
    await sink.down('source')
    server.resume()
  })
})

test('numbers keep their order while the time of their sender stands still', needingNats, async () => {
  await using server = await natsServer()
  await using sink = await Peer.start(options('sink', server.url, { watch: ['source'] }))
  await sink.tell('sink', 'source')
  await using source = await Peer.start(options('source', server.url))
  await source.tell('source', 'sink', 300)
  await disturb(sink, 2, async () => {
    source.pause()
    await sink.down('source')
    source.resume()
  })
})

test('numbers keep their order while the time of their receiver stands still', needingNats, async () => {
  await using server = await natsServer()
  await using sink = await Peer.start(options('sink', server.url, { watch: ['source'] }))
  await sink.tell('sink', 'source')
  await using source = await Peer.start(options('source', server.url, { watch: ['sink'] }))
  await source.tell('source', 'sink', 300)
  await disturb(sink, 2, async () => {
    sink.pause()
    await source.down('sink')
    sink.resume()
    await sink.down('source')
  })
})

test('numbers keep their order while their sender is killed and started anew', needingNats, async () => {
  await using server = await natsServer()
  await using sink = await Peer.start(options('sink', server.url, { watch: ['source'] }))
  await sink.tell('sink', 'source')
  let source = await Peer.start(options('source', server.url))
  try {
    await source.tell('source', 'sink', 300)
    await disturb(sink, 4, async () => {
      await source.kill()
      source = await Peer.start(options('source', server.url))
      await source.tell('source', 'sink', 300)
      await sink.down('source')
    })
  } finally {
    await source.kill()
  }
})

test(
  'a node that is slow is not cut off by a server that holds more for it than the window',
  needingNats,
  async () => {
    await using server = await natsServer({
      config: 'max_payload: 4KB\nmax_pending: 256KB\nwrite_deadline: "60s"',
    })
    const window = 64 * 1024
    await using sink = await Peer.start(options('sink', server.url, { window, tickTime: 60_000 }))
    await sink.tell('sink', 'source')
    await using source = await Peer.start(options('source', server.url, { window, tickTime: 60_000 }))
    await source.tell('source', 'sink', 1000)
    for (let messages = 1000; messages < 5000; messages += 1000) {
      await sink.tell('tally', messages)
      await sink.tell('busy', 500)
    }
    const { runs, violations } = await sink.tell('tally', 5000)
    assert.deepEqual([runs, violations], [1, []])
  },
)
