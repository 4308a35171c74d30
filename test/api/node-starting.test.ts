/** Examples of how a program becomes a node, by itself, with threads, or with other programs over NATS. */

import assert from 'node:assert/strict'
import { availableParallelism } from 'node:os'
import { afterEach, test } from 'node:test'
import { type NodeChange, node, nodes, startNode, stopNode, workers } from '@holster/node'
import { nats } from '@holster/node/nats'
import { createProcess } from '@holster/process'
import { natsServer, needingNats } from '../../packages/node/test/support/nats-server.ts'
import { Peer } from '../../packages/node/test/support/peer.ts'

afterEach(() => stopNode())

test('a program is a node until it stops that', async () => {
  // #region node/startNode, node/stopNode
  await startNode({ name: 'main' })
  const name = node() // 'main'
  await stopNode()
  const after = node() // 'nonode@nohost'
  // #endregion
  assert.deepEqual([name, after], ['main', 'nonode@nohost'])
})

test('workers are threads that are nodes', async () => {
  // #region node/workers
  await startNode({ name: 'main' })
  const { nodes: names, stop } = await workers(2) // or availableParallelism() of node:os
  const first = names[0] // 'main.1', for spawnAt
  await stop() // before stopNode
  // #endregion
  assert.equal(first, 'main.1')
  assert.ok(availableParallelism() > 0)
})

test('the options of workers name them, limit their memory, and load modules first', async () => {
  const codecs = new URL('../../packages/node/test/support/typescript.mjs', import.meta.url)
  await startNode({ name: 'main' })
  // #region node/types/WorkersOptions
  const { nodes: names, stop } = await workers(1, {
    prefix: 'parser.', // instead of 'main.'
    intensity: 3, // three deaths within 10 seconds are no reason to give up
    period: 10_000,
    resourceLimits: { maxOldGenerationSizeMb: 256 },
    preload: [codecs], // new URL('./codecs.js', import.meta.url)
  })
  // #endregion
  assert.deepEqual(names, ['parser.1'])
  await stop()
})

test('programs that use one NATS server are nodes of one cluster', needingNats, async () => {
  await using server = await natsServer()
  const [servers, cookie] = [server.url, 'a secret of the whole cluster']
  await using _peer = await Peer.start({ name: 'store@eu', cookie, nats: { servers } })
  // #region node/nats/nats, node/startNode, node/types/NodeOptions
  await startNode({
    name: 'shop@eu',
    carrier: nats({ servers }), // such as 'nats.internal:4222'
    cookie, // a secret that all nodes share, such as process.env.COOKIE
    tickTime: 10_000, // a node that is silent for so long is gone
  })
  await using self = createProcess<NodeChange>()
  self.monitorNode('store@eu')
  await self.receive([{ type: 'nodeup' }]) // another program is there, and says the same cookie
  const others = nodes() // ['store@eu']
  // #endregion
  assert.deepEqual(others, ['store@eu'])
})

test('clusters with different prefixes share a NATS server', needingNats, async () => {
  await using server = await natsServer()
  const [servers, cookie] = [server.url, 'a secret of the whole cluster']
  // #region node/nats/types/NatsOptions
  const carrier = nats({
    servers,
    prefix: 'shop.test', // the subject of this cluster; its nodes see no others
    name: 'shop', // and all other options of the client of NATS
  })
  await startNode({ name: 'shop@test', cookie, carrier })
  // #endregion
  assert.equal(node(), 'shop@test')
})
