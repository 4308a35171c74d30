// Registries span nodes where they are told to: what one registers all find, and a unique key is one process's in the whole cluster.

import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { moduleAt, spawnAt, startNode, stopNode, type Workers, workers } from '@holster/node'
import { registry } from '@holster/otp'
import {
  createProcess,
  exit,
  type MonitorTarget,
  type Pid,
  type Process,
  setExitHook,
} from '@holster/process'
import type { Order, Reply } from './support/clerk.ts'

const here = (name: string) => new URL(name, import.meta.url)
const clerks = moduleAt<typeof import('./support/clerk.ts')>(here('./support/clerk.ts'))
const early = moduleAt<typeof import('./support/early.ts')>(here('./support/early.ts'))
const bodies = moduleAt<typeof import('./support/bodies.ts')>(here('./support/bodies.ts'))
const typescript = here('./support/typescript.mjs')

type Clerk = Pid<Order> & MonitorTarget
type News = Reply | registry.ListenerMessage

let all: Workers
let self: Process<News>
let users: registry.Registry<unknown, unknown>
let reported: string[]

beforeEach(async () => {
  reported = []
  setExitHook((_pid, reason) => void reported.push(String(reason)))
  await startNode({ name: 'main' })
  all = await workers(2, { preload: [typescript] })
  self = createProcess<News>()
  users = open('unique')
})

afterEach(async () => {
  self.exit()
  exit(users, 'shutdown')
  await all.stop()
  await stopNode()
  setExitHook(undefined)
})

function open(keys: 'unique' | 'duplicate'): registry.Registry<unknown, unknown> {
  return registry.start({ keys, name: 'users', nodes: 'all', listeners: [self] })
}

async function spawnClerk(node: string, keys: 'unique' | 'duplicate' = 'unique'): Promise<Clerk> {
  const clerk = (await spawnAt(node, clerks, 'clerk', 'users', self)) as Clerk
  await reopen(clerk, keys)
  return clerk
}

async function reopen(clerk: Clerk, keys: 'unique' | 'duplicate'): Promise<void> {
  clerk.send({ type: 'open', keys })
  await self.receive([{ type: 'opened' }])
}

async function registered(clerk: Clerk, key: unknown, value?: unknown): Promise<Process> {
  clerk.send({ type: 'register', key, value })
  return (await self.receive([{ type: 'registered' }])).pid
}

/** Resolves to the next entry that the registry here tells its listeners of, or that is gone. */
async function change(): Promise<readonly unknown[]> {
  const message = await self.receive([{ type: 'registry_register' }, { type: 'registry_unregister' }])
  const { type, registry, key, pid } = message
  assert.equal(registry, users)
  return [type === 'registry_register' ? '+' : '-', key, pid]
}

/** Resolves to the entries under a key as a node knows them. */
async function entriesAt(clerk: Clerk, key: unknown): Promise<readonly registry.Entry<unknown>[]> {
  clerk.send({ type: 'ask', key })
  return (await self.receive([{ type: 'entries' }])).entries
}

/** Resolves once a node knows `wanted` under a key. */
async function known(clerk: Clerk, key: unknown, wanted: readonly Process[]): Promise<void> {
  for (;;) {
    const pids = (await entriesAt(clerk, key)).map(({ pid }) => pid)
    if (pids.length === wanted.length && wanted.every(pid => pids.includes(pid))) return
  }
}

test('what one node registers all find, with its value, until it is unregistered or ends', async () => {
  const [one, two] = [await spawnClerk('main.1'), await spawnClerk('main.2')]
  const key = ['user', 1]
  const pid = await registered(one, key, { role: 'admin' })
  assert.deepEqual(await change(), ['+', key, pid])
  assert.equal(registry.whereis(users, key), pid)
  assert.deepEqual(registry.lookup(users, ['user', 1]), [{ pid, value: { role: 'admin' } }])
  assert.deepEqual(registry.keys(users, pid), [key])
  assert.deepEqual(registry.select(users, { value: { role: 'admin' } }), [
    { key, pid, value: { role: 'admin' } },
  ])
  assert.equal(registry.count(users), 1)
  await known(two, key, [pid])
  one.send({ type: 'unregister', key, pid })
  assert.deepEqual(await change(), ['-', key, pid])
  await known(two, key, [])
  const next = await registered(two, key)
  assert.deepEqual(await change(), ['+', key, next])
  two.send({ type: 'exit', pid: next })
  assert.deepEqual(await change(), ['-', key, next])
  assert.equal(registry.count(users), 0)
  await known(one, key, [])
})

test('a new value is seen on all nodes', async () => {
  const [one, two] = [await spawnClerk('main.1'), await spawnClerk('main.2')]
  const pid = await registered(one, 'key', 1)
  await change()
  await known(two, 'key', [pid])
  one.send({ type: 'update', key: 'key', pid, value: 2 })
  // Behind it, so that it has come when this is told of.
  await registered(one, 'other')
  await change()
  assert.deepEqual(registry.values(users, 'key', pid), [2])
  while ((await entriesAt(two, 'key'))[0]?.value !== 2);
})

test('a key that another node has is taken', async () => {
  const one = await spawnClerk('main.1')
  const pid = await registered(one, 'key')
  await change()
  assert.throws(
    () => registry.register(users, 'key', self as never, undefined),
    (error: registry.AlreadyRegistered) => error.name === 'AlreadyRegistered' && error.pid === pid,
  )
  const two = await spawnClerk('main.2')
  await known(two, 'key', [pid])
  two.send({ type: 'register', key: 'key' })
  assert.equal((await self.receive([{ type: 'refused' }])).pid, pid)
})

test('with duplicate keys processes of all nodes are under one key', async () => {
  exit(users, 'shutdown')
  users = open('duplicate')
  const [one, two] = [await spawnClerk('main.1', 'duplicate'), await spawnClerk('main.2', 'duplicate')]
  registry.register(users, 'key', self as never, 'here')
  await change()
  const pids = [await registered(one, 'key'), await registered(two, 'key')]
  for (const _ of pids) await change()
  const found = registry.dispatch(users, 'key', entries => entries.map(({ pid }) => pid))
  assert.deepEqual(new Set(found), new Set([self, ...pids]))
  await known(two, 'key', [self as Process, ...pids])
})

test('a registry that starts later finds what is there, and listeners hear of nothing twice', async () => {
  registry.register(users, 'here', self as never, 1)
  await change()
  const one = await spawnClerk('main.1')
  const pid = await registered(one, 'there')
  assert.deepEqual(await change(), ['+', 'there', pid])
  const two = await spawnClerk('main.2')
  await known(two, 'here', [self as Process])
  await known(two, 'there', [pid])
  assert.equal(self.messageQueueLength, 0)
})

test('the entries of a node that is gone are taken out, and so are those of a registry that ends', async () => {
  const [one, two] = [await spawnClerk('main.1'), await spawnClerk('main.2')]
  const first = await registered(one, 'first')
  assert.deepEqual(await change(), ['+', 'first', first])
  const second = await registered(two, 'second')
  assert.deepEqual(await change(), ['+', 'second', second])
  self.monitorNode('main.1')
  void spawnAt('main.1', bodies, 'reaper', 'an exit of the program').catch(() => {})
  assert.deepEqual(await change(), ['-', 'first', first])
  assert.equal(registry.whereis(users, 'second'), second)
  // Entries that come under the name of the node are found as well.
  await (self as unknown as Process).receive([{ type: 'nodeup', node: 'main.1' }])
  const again = await registered(await spawnClerk('main.1'), 'first')
  assert.deepEqual(await change(), ['+', 'first', again])
  two.send({ type: 'close' })
  assert.deepEqual(await change(), ['-', 'second', second])
  await reopen(two, 'unique')
  await known(two, 'first', [again])
  const third = await registered(two, 'second')
  assert.deepEqual(await change(), ['+', 'second', third])
})

test('of two nodes that take a key before they meet, the one that was later loses it, and its process is told', async () => {
  const leaders = registry.start<string>({ keys: 'unique', name: 'leaders', nodes: 'all' })
  registry.register(leaders, 'leader', self as never)
  const more = await workers(1, { prefix: 'late', preload: [typescript, here('./support/early.ts')] })
  await spawnAt(more.nodes[0] as string, early, 'witness', self)
  const lost = await (self as unknown as Process).receive([{ type: 'lost' }])
  assert.deepEqual(lost, {
    type: 'lost',
    isOfRegistry: true,
    reason: ['name_conflict', 'leader', self],
    found: self,
  })
  assert.equal(registry.whereis(leaders, 'leader'), self)
  await more.stop()
  exit(leaders, 'shutdown')
})

test('of two nodes that take a key at once exactly one has it in the end, on all nodes', async () => {
  const both = [await spawnClerk('main.1'), await spawnClerk('main.2')]
  const keys = Array.from({ length: 50 }, (_, i) => i)
  for (const key of keys) for (const clerk of both) clerk.send({ type: 'register', key })
  for (const key of keys) {
    const holders: Process[] = []
    for (const _ of both) {
      const reply = await self.receive([
        { type: 'registered', key },
        { type: 'refused', key },
      ])
      if (reply.type === 'registered') holders.push(reply.pid)
    }
    if (holders.length === 2) {
      const { pid, winner } = await self.receive([{ type: 'lost', key }])
      assert.deepEqual(new Set([pid, winner]), new Set(holders))
      holders.splice(holders.indexOf(pid), 1)
    }
    for (const clerk of both) await known(clerk, key, holders)
    while (registry.whereis(users, key) !== holders[0]) await change()
  }
  assert.deepEqual(reported, [])
})

test('a process of another node has its entries changed there', async () => {
  const one = await spawnClerk('main.1')
  const pid = await registered(one, 'key')
  await change()
  const isThere = { name: 'TypeError', message: /^pid must be of this node, and .*@main\.1> is on 'main\.1'/ }
  assert.throws(() => registry.register(users, 'other', pid, undefined), isThere)
  assert.throws(() => registry.unregister(users, 'key', pid), isThere)
  assert.throws(() => registry.unregisterMatch(users, 'key', pid, undefined), isThere)
  assert.throws(() => registry.updateValue(users, 'key', pid, () => 1), isThere)
  assert.equal(registry.whereis(users, 'key'), pid)
})

test('a value that cannot be sent is refused, and changes nothing', async () => {
  const value = { run: () => {} }
  const isRefused = { name: 'TypeError', message: /^value\.run: a function cannot be sent to another node/ }
  assert.throws(() => registry.register(users, 'key', self as never, value), isRefused)
  assert.equal(registry.count(users), 0)
  registry.register(users, 'key', self as never, 1)
  assert.throws(() => registry.updateValue(users, 'key', self as never, () => value), isRefused)
  assert.deepEqual(registry.values(users, 'key', self as never), [1])
})

test('registries of unlike keys do not meet, and say so', async () => {
  registry.register(users, 'key', self as never, 1)
  const one = await spawnClerk('main.1', 'duplicate')
  const pid = await registered(one, 'key')
  const two = await spawnClerk('main.2')
  await known(two, 'key', [self as Process])
  await known(one, 'key', [pid])
  assert.equal(registry.whereis(users, 'key'), self)
  const why =
    /^Error: this is a registry of unique keys; .* has the same name and is a registry of duplicate keys/
  assert.match(reported.join(), why)
})
