// Of two entries under one unique key all nodes keep the older one, and the process that loses its key is named once.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createProcess, type Process, type Registrable } from '@holster/process'
import { type Claim, type ClaimChange, Replica } from '../../src/registry/replica.ts'
import { Cluster } from '../support/cluster.ts'

/** Nodes whose clocks the test sets, and all that their listeners hear. */
function scene(size: number) {
  const clocks = Array.from({ length: size }, () => 0)
  const stories = Array.from({ length: size }, (): string[] => [])
  const losses: [node: string, lost: Registrable, winner: Registrable][] = []
  const names = new Map<Registrable, string>()
  const cluster = new Cluster<Replica, Claim, ClaimChange>(size, (node, tell) => {
    const index = Number(node.slice(-1))
    const story = stories[index] as string[]
    const listener = {
      registered: (key: unknown, pid: Registrable) => void story.push(`+${String(key)} ${names.get(pid)}`),
      unregistered: (key: unknown, pid: Registrable) => void story.push(`-${String(key)} ${names.get(pid)}`),
    }
    return new Replica(true, listener, {
      node: () => node,
      now: () => clocks[index] ?? 0,
      tell,
      onLoss: ({ pid }, winner) => void losses.push([node, pid, winner]),
    })
  })
  const table = (index: number) => (cluster.nodes[index] as { readonly replica: Replica }).replica.table
  const add = (index: number, name: string, time = 0, value?: unknown): Process => {
    const pid = createProcess()
    names.set(pid, name)
    clocks[index] = time
    table(index).add('key', pid, value)
    return pid
  }
  const found = (index: number) => Array.from(table(index).under('key'), ({ pid }) => names.get(pid))
  /** Has all that is on the way from one node to another arrive and looked at. */
  const pass = (from: number, to: number) => {
    while (cluster.arrive(from, to)) cluster.look(to)
  }
  return { cluster, stories, losses, table, add, found, pass }
}

test('the older of two entries stays on all nodes, and the process that loses is told where it lives', () => {
  const { cluster, stories, losses, add, found } = scene(3)
  const late = add(0, 'late', 20)
  const early = add(1, 'early', 10)
  cluster.settle()
  for (const index of [0, 1, 2]) assert.deepEqual(found(index), ['early'])
  assert.deepEqual(losses, [['node.0', late, early]])
  assert.deepEqual(stories[0], ['+key late', '-key late', '+key early'])
  assert.deepEqual(stories[1], ['+key early'])
})

test('of two entries of one millisecond that of the node stays whose name comes first', () => {
  const { cluster, losses, add, found } = scene(2)
  const second = add(1, 'second', 10)
  const first = add(0, 'first', 10)
  cluster.settle()
  for (const index of [0, 1]) assert.deepEqual(found(index), ['first'])
  assert.deepEqual(losses, [['node.1', second, first]])
})

test('nodes that cannot reach each other may have a key each, and agree when they can', () => {
  const { cluster, losses, add, found } = scene(3)
  cluster.settle()
  cluster.cut(0, 1)
  // The third node sees both all the time.
  const one = add(0, 'one', 10)
  for (const from of [0, 1]) for (const to of [0, 1]) assert.equal(cluster.arrive(from, to), false)
  cluster.look(0)
  cluster.look(1)
  const two = add(1, 'two', 5)
  while (cluster.arrive(0, 2) || cluster.arrive(1, 2) || cluster.look(2));
  assert.deepEqual([found(0), found(1), found(2)], [['one'], ['two'], ['two']])
  cluster.settle()
  assert.deepEqual([found(0), found(1), found(2)], [['two'], ['two'], ['two']])
  assert.deepEqual(losses, [['node.0', one, two]])
})

test('an entry that was set aside is found again if the one that had its key is gone', () => {
  const { cluster, stories, losses, add, found, pass } = scene(3)
  cluster.settle()
  cluster.cut(0, 1)
  add(0, 'one', 10)
  cluster.look(0)
  cluster.look(1)
  add(1, 'two', 5)
  pass(0, 2)
  pass(1, 2)
  assert.deepEqual(found(2), ['two'])
  cluster.cut(1, 2)
  cluster.look(2)
  assert.deepEqual(found(2), ['one'])
  assert.deepEqual(stories[2], ['+key one', '-key one', '+key two', '-key two', '+key one'])
  assert.deepEqual(losses, [])
})

test('an entry that the other side never hears of, since it was soon gone, takes no key', () => {
  const { cluster, losses, table, add, found } = scene(2)
  add(1, 'theirs', 20)
  const ours = add(0, 'ours', 10)
  cluster.connect(0, 1)
  cluster.arrive(0, 1)
  cluster.look(1)
  // Their question, their entries, and their question back: the last is not looked at yet.
  for (let left = 3; left > 0; left--) cluster.arrive(1, 0)
  cluster.look(0)
  cluster.look(0)
  assert.deepEqual(found(0), ['ours'])
  assert.equal(
    table(0).remove('key', ours, () => true),
    true,
  )
  assert.deepEqual(found(0), ['theirs'])
  // Lost with the connection, as is the question.
  cluster.cut(0, 1)
  cluster.settle()
  for (const index of [0, 1]) assert.deepEqual(found(index), ['theirs'])
  assert.deepEqual(losses, [])
})

test('entries that come late, from before a connection broke, are corrected by those from after it', () => {
  const { cluster, table, add } = scene(2)
  const pid = add(0, 'one', 0, 'old')
  cluster.connect(0, 1)
  cluster.arrive(1, 0)
  cluster.look(0)
  while (cluster.arrive(0, 1));
  cluster.cut(0, 1)
  cluster.connect(0, 1)
  while (cluster.look(0));
  table(0).update('key', pid, () => 'new')
  // The question and the answer from before.
  cluster.look(1)
  cluster.look(1)
  assert.deepEqual(
    Array.from(table(1).under('key'), ({ value }) => value),
    ['old'],
  )
  cluster.settle()
  assert.deepEqual(
    Array.from(table(1).under('key'), ({ value }) => value),
    ['new'],
  )
})
