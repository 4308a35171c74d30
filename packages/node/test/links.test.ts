// The links of this node to others, with what has gone over them.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { moduleAt, spawnAt, startNode, stopNode, workers } from '@holster/node'
import { nats } from '@holster/node/nats'
import { createProcess } from '@holster/process'
import { homeOf, type NodeLink } from '@holster/process/internal'
import { natsServer, needingNats } from './support/nats-server.ts'
import { COOKIE, Peer } from './support/peer.ts'

const bodies = moduleAt<typeof import('./support/bodies.ts')>(new URL('./support/bodies.ts', import.meta.url))
const preload = [new URL('./support/typescript.mjs', import.meta.url)]

function linkTo(node: string): NodeLink {
  return homeOf()?.links.find(link => link.node === node) ?? assert.fail(`there is no link to ${node}`)
}

/** Sends `text` to a process of another node, which sends it back. */
async function echo(node: string, text: string): Promise<void> {
  const self = createProcess<{ readonly type: 'echoed' }>()
  const pid = await spawnAt(node, bodies, 'echo')
  pid.send({ type: 'echo', from: self as never, body: text })
  await self.receive([{ type: 'echoed' }])
  self.exit()
}

/** Checks that a text that went there and back over a link is counted both ways. */
async function countsBothWays(node: string): Promise<void> {
  const before = linkTo(node)
  const bytes = 100_000
  await echo(node, 'x'.repeat(bytes))
  const after = linkTo(node)
  assert.equal(after.since, before.since)
  assert.ok(after.sent > before.sent)
  assert.ok(after.received > before.received)
  assert.ok(after.bytesSent >= before.bytesSent + bytes)
  assert.ok(after.bytesReceived >= before.bytesReceived + bytes)
}

test('a program that is no node has no links, and a node without others has none', async () => {
  assert.equal(homeOf(), undefined)
  await startNode({ name: 'main' })
  assert.deepEqual(homeOf()?.links, [])
  await stopNode()
})

test('a link to a thread names its carrier, its window and what has gone over it', async () => {
  const begun = Date.now()
  await startNode({ name: 'main', window: 128 * 1024 })
  const all = await workers(2, { preload })
  try {
    assert.deepEqual(
      homeOf()
        ?.links.map(({ node }) => node)
        .sort(),
      ['main.1', 'main.2'],
    )
    const { carrier, window, since } = linkTo('main.1')
    assert.deepEqual({ carrier, window }, { carrier: 'threads', window: 128 * 1024 })
    assert.ok(since >= begun && since <= Date.now())
    const other = linkTo('main.2')
    await countsBothWays('main.1')
    assert.equal(linkTo('main.2').since, other.since)
  } finally {
    await all.stop()
    assert.deepEqual(homeOf()?.links, [])
    await stopNode()
  }
})

test('bytes are under way, and others wait, while a thread is too busy to take them', async () => {
  const window = 64 * 1024
  await startNode({ name: 'main', window })
  const all = await workers(1, { preload })
  try {
    const self = createProcess<{ readonly type: 'echoed' }>()
    const pid = await spawnAt('main.1', bodies, 'echo')
    for (let left = 10; left > 0; left--) {
      pid.send({ type: 'echo', from: self as never, body: 'x'.repeat(window) })
    }
    // Nothing of the other thread is taken before this turn is over.
    const { underWay, waiting } = linkTo('main.1')
    assert.ok(underWay >= window)
    assert.ok(waiting >= window)
    for (let left = 10; left > 0; left--) await self.receive([{ type: 'echoed' }])
    assert.equal(linkTo('main.1').waiting, 0)
    self.exit()
  } finally {
    await all.stop()
    await stopNode()
  }
})

test('a link over NATS counts as one to a thread does', needingNats, async () => {
  await using server = await natsServer()
  await using _peer = await Peer.start({ name: 'apart', cookie: COOKIE, nats: { servers: server.url } })
  await startNode({ name: 'main', cookie: COOKIE, carrier: nats({ servers: server.url }) })
  try {
    const self = createProcess()
    self.monitorNode('apart')
    await self.receive([{ type: 'nodeup', node: 'apart' }])
    self.exit()
    assert.equal(linkTo('apart').carrier, 'nats')
    await countsBothWays('apart')
  } finally {
    await stopNode()
  }
})
