// Scopes on several nodes agree in the end, and monitors hear of each change once, whatever is late or lost between the nodes.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createProcess, type Process } from '@holster/process'
import fc from 'fast-check'
import { runs } from '../../../../test/support/runs.ts'
import { type Change, type LocalChange, type LocalGroup, Scope } from '../../src/pg/scope.ts'
import { Cluster } from '../support/cluster.ts'

const NODES = 3
const PIDS = 2
const GROUPS: readonly (() => unknown)[] = [() => 'a', () => ['a', 1]]

type Step =
  | {
      readonly do: 'join' | 'leave'
      readonly node: number
      readonly pid: number
      readonly group: number
      readonly times: number
    }
  | { readonly do: 'exit'; readonly node: number; readonly pid: number }
  | { readonly do: 'arrive' | 'cut' | 'connect'; readonly one: number; readonly two: number }
  | { readonly do: 'look' | 'restart' | 'renew'; readonly node: number }

const node = fc.nat(NODES - 1)
const pid = fc.nat(PIDS - 1)
const pair = { one: node, two: node }
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constantFrom('join' as const, 'leave'),
      node,
      pid,
      group: fc.nat(GROUPS.length - 1),
      times: fc.integer({ min: 1, max: 2 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('exit' as const), node, pid }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('arrive' as const), ...pair }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('look' as const), node }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('cut' as const, 'connect', 'connect'), ...pair }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('restart' as const, 'renew'), node }) },
)

const numberOf = (group: unknown) =>
  GROUPS.findIndex(make => JSON.stringify(make()) === JSON.stringify(group))

/** The members that a monitor knows by what it was told. */
class Watcher {
  members: string[] = []

  take({ type, group, pids }: Change): void {
    for (const pid of pids) {
      const member = `${numberOf(group)} ${String(pid)}`
      if (type === 'pg_join') {
        this.members.push(member)
        continue
      }
      const index = this.members.indexOf(member)
      assert.notEqual(index, -1)
      this.members.splice(index, 1)
    }
  }
}

/** Nodes with scopes, and who ought to be in their groups. */
class Scene {
  readonly cluster: Cluster<Scope, LocalGroup, LocalChange>
  readonly #watchers = new Map<Scope, Watcher>()
  readonly #pids = new Map<Scope, Process[]>()
  #members: { readonly group: number; readonly pid: Process }[] = []

  constructor() {
    this.cluster = new Cluster(NODES, (_name, tell) => this.#make(tell))
  }

  run(step: Step): void {
    if (step.do === 'arrive') this.cluster.arrive(step.one, step.two)
    else if (step.do === 'cut') this.cluster.cut(step.one, step.two)
    else if (step.do === 'connect') this.cluster.connect(step.one, step.two)
    else if (step.do === 'look') this.cluster.look(step.node)
    else if (step.do === 'restart' || step.do === 'renew') this.#begin(step.do, step.node)
    else if (step.do === 'exit') this.#exit(step.node, step.pid)
    else if ('group' in step) this.#edit(step)
    for (const [scope, { members }] of this.#watchers) assert.deepEqual(membersOf(scope), members.sort())
  }

  /** Checks that all nodes know who is there once they are at rest. */
  check(): void {
    this.cluster.settle()
    const wanted = this.#members.map(({ group, pid }) => `${group} ${String(pid)}`).sort()
    for (const { replica } of this.cluster.nodes) {
      assert.deepEqual(membersOf(replica), wanted)
      replica.clear()
    }
  }

  #make(tell: (change: LocalChange) => void): Scope {
    const scope = new Scope(tell)
    const watcher = new Watcher()
    const process = createProcess<Change>()
    // Told in the same turn, as the members are.
    process.send = (change: Change) => watcher.take(change)
    scope.monitor(process)
    this.#watchers.set(scope, watcher)
    this.#pids.set(
      scope,
      Array.from({ length: PIDS }, () => createProcess()),
    )
    return scope
  }

  #begin(how: 'restart' | 'renew', index: number): void {
    const scope = this.#scope(index)
    this.#members = this.#members.filter(({ pid }) => !this.#pidsOf(scope).includes(pid))
    this.cluster[how](index)
    scope.clear()
    this.#watchers.delete(scope)
  }

  #exit(index: number, number: number): void {
    const pids = this.#pidsOf(this.#scope(index))
    const pid = pids[number]
    pids[number] = createProcess()
    this.#members = this.#members.filter(member => member.pid !== pid)
    pid?.exit('shutdown')
  }

  #edit({ do: what, node, pid: number, group, times }: Extract<Step, { readonly group: number }>): void {
    const scope = this.#scope(node)
    const pid = this.#pidsOf(scope)[number] as Process
    const pids = Array.from({ length: times }, () => pid)
    const name = GROUPS[group]?.()
    if (what === 'join') {
      scope.join(name, pids)
      for (const pid of pids) this.#members.push({ group, pid })
      return
    }
    scope.leave(name, pids)
    for (const pid of pids) {
      const index = this.#members.findIndex(member => member.group === group && member.pid === pid)
      if (index !== -1) this.#members.splice(index, 1)
    }
  }

  #scope(index: number): Scope {
    return (this.cluster.nodes[index] as { readonly replica: Scope }).replica
  }

  #pidsOf(scope: Scope): Process[] {
    return this.#pids.get(scope) as Process[]
  }
}

function membersOf(scope: Scope): string[] {
  return [...scope.all]
    .flatMap(([group, pids]) => pids.map(pid => `${numberOf(group)} ${String(pid)}`))
    .sort()
}

test('scopes agree once their nodes have heard of each other', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120, size: 'max' }), steps => {
      const scene = new Scene()
      for (const step of steps) scene.run(step)
      scene.check()
    }),
    runs(300),
  )
})
