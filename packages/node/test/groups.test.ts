// Groups of processes span nodes: who joins on one is a member on all, until it leaves, ends, or its node is gone.

import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { moduleAt, spawnAt, startNode, stopNode, type Workers, workers } from '@holster/node'
import { pg } from '@holster/otp'
import {
  createProcess,
  type MonitorTarget,
  P,
  type Pid,
  type Process,
  type Registrable,
  setExitHook,
} from '@holster/process'
import type { GroupOrder } from './support/bodies.ts'

const bodies = moduleAt<typeof import('./support/bodies.ts')>(new URL('./support/bodies.ts', import.meta.url))

type News =
  | pg.Change
  | { readonly type: 'members'; readonly all: readonly unknown[]; readonly local: readonly unknown[] }
type Member = Pid<GroupOrder> & MonitorTarget

let all: Workers
let self: Process<News>

beforeEach(async () => {
  setExitHook(() => {})
  await startNode({ name: 'main' })
  all = await workers(2, { preload: [new URL('./support/typescript.mjs', import.meta.url)] })
  self = createProcess<News>()
})

afterEach(async () => {
  self.exit()
  await all.stop()
  await stopNode()
  setExitHook(undefined)
})

const spawnMember = async (node: string) => (await spawnAt(node, bodies, 'member')) as Member

/** Resolves to the next change of the group that `ref` names. */
async function change(ref: pg.GroupMonitor['ref']): Promise<[string, readonly unknown[]]> {
  const { type, pids } = await self.receive([{ type: P.union('pg_join', 'pg_leave'), ref }])
  return [type, pids]
}

test('a process that joins on one node is a member on all, and leaves on all', async () => {
  const { ref } = pg.monitor(self, 'room')
  const [one, two] = [await spawnMember('main.1'), await spawnMember('main.2')]
  one.send({ type: 'join', group: 'room', times: 2 })
  // The two come apart, or together where the scope there has begun with them.
  for (let joined = 0; joined < 2; ) {
    const [type, pids] = await change(ref)
    assert.equal(type, 'pg_join')
    for (const pid of pids) assert.equal(pid, one)
    joined += pids.length
  }
  two.send({ type: 'join', group: 'room' })
  assert.deepEqual(await change(ref), ['pg_join', [two]])
  assert.deepEqual(pg.members('room'), [one, one, two])
  assert.deepEqual(pg.localMembers('room'), [])
  one.send({ type: 'leave', group: 'room' })
  assert.deepEqual(await change(ref), ['pg_leave', [one]])
  two.send({ type: 'end' })
  assert.deepEqual(await change(ref), ['pg_leave', [two]])
  assert.deepEqual(pg.members('room'), [one])
})

test('members here are known on nodes that come later, and groups may have any name', async () => {
  const group = ['room', { floor: 1 }]
  pg.join(group, self as unknown as Registrable)
  const asker = createProcess<News>()
  // A scope starts where it is first used, and then asks the others.
  for (const node of all.nodes) {
    const member = await spawnMember(node)
    member.send({ type: 'join', group })
  }
  const { ref, members } = pg.monitor(self, group)
  for (let known = members.length; known < 3; known++) await change(ref)
  for (const node of all.nodes) {
    const member = await spawnMember(node)
    for (;;) {
      member.send({ type: 'members', group, from: asker })
      const { all: known, local } = await asker.receive([{ type: 'members' }])
      if (known.length < 3) continue
      assert.equal(local.length, 1)
      assert.ok(known.includes(self))
      break
    }
  }
  asker.exit()
})

test('the members of a node that is gone leave, and those of the node that takes its name join anew', async () => {
  const { ref } = pg.monitor(self, 'room')
  const [one, two] = [await spawnMember('main.1'), await spawnMember('main.2')]
  for (const member of [one, two]) {
    member.send({ type: 'join', group: 'room' })
    assert.deepEqual(await change(ref), ['pg_join', [member]])
  }
  void spawnAt('main.1', bodies, 'reaper', 'an exit of the program').catch(() => {})
  assert.deepEqual(await change(ref), ['pg_leave', [one]])
  assert.deepEqual(pg.members('room'), [two])
  self.monitorNode('main.1')
  await (self as unknown as Process).receive([{ type: 'nodeup', node: 'main.1' }])
  const again = await spawnMember('main.1')
  again.send({ type: 'join', group: 'room' })
  assert.deepEqual(await change(ref), ['pg_join', [again]])
})

test('monitors are told once, however often scopes find each other', async () => {
  const { ref } = pg.monitor(self, 'room')
  const one = await spawnMember('main.1')
  one.send({ type: 'join', group: 'room' })
  assert.deepEqual(await change(ref), ['pg_join', [one]])
  // The scope of the other node finds both of those that were there before.
  const two = await spawnMember('main.2')
  two.send({ type: 'join', group: 'room' })
  assert.deepEqual(await change(ref), ['pg_join', [two]])
  one.send({ type: 'members', group: 'room', from: self })
  await self.receive([{ type: 'members' }])
  assert.equal(self.messageQueueLength, 0)
})

/** Calls `run` while this program is no node. */
async function stopped(run: () => void): Promise<void> {
  await all.stop()
  await stopNode()
  run()
  await startNode({ name: 'main' })
  all = await workers(1, { preload: [new URL('./support/typescript.mjs', import.meta.url)] })
}

test('a process of another node cannot join here', async () => {
  const one = await spawnMember('main.1')
  assert.throws(
    () => pg.join('room', one as unknown as Registrable),
    /pids must be of this node, and #Process<\d+@main.1> is on 'main.1'/,
  )
})

test('a group whose name cannot be sent is refused, and one from before hides no other', async () => {
  const before = createProcess()
  await stopped(() => {
    pg.join(() => {}, before)
    pg.join('room', before)
  })
  assert.throws(
    () => pg.join(['room', () => {}], before),
    /group\[1\]: a function cannot be sent to another node/,
  )
  const member = await spawnMember('main.1')
  // A scope starts where it is first used.
  member.send({ type: 'join', group: 'other' })
  for (let known: readonly unknown[] = []; known.length < 1; ) {
    member.send({ type: 'members', group: 'room', from: self })
    known = (await self.receive([{ type: 'members' }])).all
    assert.ok(known.length === 0 || known[0] === before)
  }
  before.exit()
})
