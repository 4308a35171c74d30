/** Examples of nodes: threads that are nodes, and processes, names and messages there. */

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  disconnectNode,
  moduleAt,
  type NodeChange,
  named,
  node,
  nodes,
  registered,
  send,
  spawnAny,
  spawnAt,
  spawnLinkAt,
  startNode,
  stopNode,
  type Workers,
  whereis,
  workers,
} from '@holster/node'
import { call, createProcess, setExitHook } from '@holster/process'
import type { Archive } from './archive.ts'
import { Money } from './money.ts'

const preload = [new URL('../../packages/node/test/support/typescript.mjs', import.meta.url)]

let family: Workers

before(async () => {
  setExitHook(() => {})
  await startNode({ name: 'main' })
  family = await workers(2, { preload })
})

after(async () => {
  await family.stop()
  await stopNode()
})

test('a program knows its name, and the nodes with which it is connected', () => {
  // #region node/node, node/nodes
  const here = node() // 'main'
  const others = nodes() // ['main.1', 'main.2']: two workers
  // #endregion
  assert.equal(here, 'main')
  assert.deepEqual(others.toSorted(), ['main.1', 'main.2'])
})

test('a process of another node is called as one of this', async () => {
  // #region node/spawnAt, node/moduleAt
  const code = moduleAt<typeof import('./counter.ts')>(new URL('./counter.ts', import.meta.url))
  const pid = await spawnAt('main.1', code, 'counter', 10) // name and arguments are checked
  const first = await call(pid, 'next') // 10
  const second = await call(pid, 'next') // 11
  // #endregion
  assert.equal(pid.node, 'main.1')
  assert.deepEqual([first, second], [10, 11])
})

test('a link ties lives on two nodes together', async () => {
  // #region node/spawnLinkAt
  const code = moduleAt<typeof import('./counter.ts')>(new URL('./counter.ts', import.meta.url))
  const self = createProcess()
  const pid = await spawnLinkAt(self, 'main.1', code, 'counter', 1)
  await using watcher = createProcess()
  const ref = watcher.monitor(pid)
  self.exit('shutdown')
  const { reason } = await watcher.receive([{ type: 'DOWN', ref }]) // 'shutdown', as on one node
  // #endregion
  assert.equal(reason, 'shutdown')
})

test('the worker that has the least to do runs a process', async () => {
  // #region node/spawnAny
  const code = moduleAt<typeof import('./counter.ts')>(new URL('./counter.ts', import.meta.url))
  const pid = await spawnAny(code, 'counter', 1)
  const place = pid.node // 'main.1' or 'main.2'
  const first = await call(pid, 'next') // 1
  // #endregion
  assert.match(place, /^main\.[12]$/)
  assert.equal(first, 1)
})

test('a name on another node is found, called and sent to', async () => {
  await spawnAt('main.1', new URL('./archive.ts', import.meta.url), 'archive')
  // #region node/named
  const archive = named<Archive>({ name: 'archive', node: 'main.1' })
  archive.send({ type: 'store', bytes: new ArrayBuffer(100) })
  const size = await call(archive, 'size') // 100
  // #endregion
  assert.equal(size, 100)
  // #region node/whereis, node/registered
  const pid = await whereis<Archive>('archive', 'main.1') // can be linked, unlike a name
  const nobody = await whereis('archive', 'main.2') // undefined
  const names = await registered('main.1') // ['archive', …]
  // #endregion
  assert.equal(pid?.node, 'main.1')
  assert.equal(nobody, undefined)
  assert.ok(names.includes('archive'))
  // #region node/send, node/types/SendOptions
  const bytes = new ArrayBuffer(1_000_000)
  send({ name: 'archive', node: 'main.1' }, { type: 'store', bytes }, { transfer: [bytes] })
  const left = bytes.byteLength // 0: the thread has it now, and no copy was made
  // #endregion
  assert.equal(left, 0)
  assert.equal(await call(archive, 'size'), 1_000_100)
})

test('the instances of a class travel by a codec', async () => {
  const bank = moduleAt<typeof import('./bank.ts')>(new URL('./bank.ts', import.meta.url))
  const pid = await spawnAt('main.1', bank, 'doubler')
  // #region node/registerCodec
  const money = await call(pid, { type: 'double', money: new Money(21, 'EUR') }) // a Money of 42 EUR
  // #endregion
  assert.ok(money instanceof Money)
  assert.deepEqual([money.amount, money.currency], [42, 'EUR'])
})

test('a process hears when a node comes and goes', async () => {
  const watched = await workers(1, { prefix: 'other.', preload })
  // #region process/Process#monitorNode, node/messages/node, node/disconnectNode
  await using self = createProcess<NodeChange>()
  self.monitorNode('other.1') // is connected now, so that no message comes at once
  const wasConnected = disconnectNode('other.1') // true
  const news = await self.receive([{ type: 'nodedown' }]) // { type: 'nodedown', node: 'other.1' }
  // #endregion
  assert.ok(wasConnected)
  assert.equal(news.node, 'other.1')
  await watched.stop()
})

test('the end of a node is told behind that of its processes', async () => {
  const watched = await workers(1, { prefix: 'other.', preload })
  const code = moduleAt<typeof import('./counter.ts')>(new URL('./counter.ts', import.meta.url))
  const reasons: unknown[] = []
  // #region node/messages/node
  await using self = createProcess<NodeChange>()
  const pid = await spawnAt('other.1', code, 'counter', 1)
  self.monitor(pid)
  self.monitorNode('other.1')
  disconnectNode('other.1') // as if the connection had broken
  for (let n = 0; n < 2; n++) {
    const message = await self.receive([{ type: 'DOWN' }, { type: 'nodedown' }])
    reasons.push(message.type === 'DOWN' ? message.reason : message.type) // 'noconnection', then 'nodedown'
  }
  // #endregion
  assert.deepEqual(reasons, ['noconnection', 'nodedown'])
  await watched.stop()
})
