// Registries on several nodes agree in the end, whatever they register while messages are late, connections break and nodes are lost.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createProcess, type Process, type Registrable } from '@holster/process'
import fc from 'fast-check'
import { runs } from '../../../../test/support/runs.ts'
import { AlreadyRegistered } from '../../src/registry/already-registered.ts'
import { type Claim, type ClaimChange, Replica } from '../../src/registry/replica.ts'
import { Cluster } from '../support/cluster.ts'

const NODES = 3
const PIDS = 2
const KEYS: readonly (() => unknown)[] = [() => 'a', () => ['a', 1]]

interface Edit {
  readonly do: 'register' | 'unregister' | 'update'
  readonly node: number
  readonly pid: number
  readonly key: number
  readonly value: number
}

type Step =
  | Edit
  | { readonly do: 'exit'; readonly node: number; readonly pid: number }
  | { readonly do: 'arrive' | 'cut' | 'connect'; readonly one: number; readonly two: number }
  | { readonly do: 'look' | 'restart' | 'renew' | 'wait'; readonly node: number }

const node = fc.nat(NODES - 1)
const pid = fc.nat(PIDS - 1)
const pair = { one: node, two: node }
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constantFrom('register' as const, 'register', 'register', 'unregister', 'update'),
      node,
      pid,
      key: fc.nat(KEYS.length - 1),
      value: fc.nat(2),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('exit' as const), node, pid }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('arrive' as const), ...pair }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('look' as const), node }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), node }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('cut' as const, 'connect', 'connect'), ...pair }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('restart' as const, 'renew'), node }) },
)

/** An entry as the model knows it. */
interface Entry {
  readonly key: number
  readonly pid: Registrable
  value: number
  readonly time: number
  readonly node: string
}

interface Loss {
  readonly lost: Claim
  readonly winner: Registrable
}

const isEqual = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other)
const numberOf = (key: unknown) => KEYS.findIndex(make => isEqual(make(), key))

/** Keeps what a listener has heard: it must be told once of each entry that comes and that goes. */
class Story {
  readonly pairs = new Set<string>()
  readonly #isUnique: boolean
  readonly #nameOf: (pid: Registrable) => string

  constructor(isUnique: boolean, nameOf: (pid: Registrable) => string) {
    this.#isUnique = isUnique
    this.#nameOf = nameOf
  }

  registered(key: unknown, pid: Registrable): void {
    const pair = `${numberOf(key)} ${this.#nameOf(pid)}`
    if (this.#isUnique) assert.ok(![...this.pairs].some(known => known.startsWith(`${numberOf(key)} `)), pair)
    this.pairs.add(pair)
  }

  unregistered(key: unknown, pid: Registrable): void {
    assert.ok(this.pairs.delete(`${numberOf(key)} ${this.#nameOf(pid)}`))
  }
}

/** Nodes with registries, and what they ought to hold. */
class Scene {
  readonly cluster: Cluster<Replica, Claim, ClaimChange>
  readonly losses: Loss[] = []
  readonly #isUnique: boolean
  readonly #clocks = Array.from({ length: NODES }, () => 0)
  readonly #stories = new Map<Replica, Story>()
  readonly #pids = new Map<Replica, Process[]>()
  readonly #ever: Entry[] = []
  #entries: Entry[] = []

  constructor(isUnique: boolean) {
    this.#isUnique = isUnique
    this.cluster = new Cluster(NODES, (name, tell) => this.#make(name, tell))
  }

  run(step: Step): void {
    if (step.do === 'arrive') this.cluster.arrive(step.one, step.two)
    else if (step.do === 'cut') this.cluster.cut(step.one, step.two)
    else if (step.do === 'connect') this.cluster.connect(step.one, step.two)
    else if (step.do === 'look') this.cluster.look(step.node)
    else if (step.do === 'wait') this.#clocks[step.node] = (this.#clocks[step.node] ?? 0) + 1
    else if (step.do === 'restart' || step.do === 'renew') this.#begin(step.do, step.node)
    else if (step.do === 'exit') this.#exit(step.node, step.pid)
    else if ('key' in step) this.#edit(step)
    for (const [replica, { pairs }] of this.#stories) {
      const held = [...replica.table.all()].map(({ row, pid }) => `${numberOf(row.key)} ${String(pid)}`)
      if (this.#isUnique) assert.equal(new Set(held.map(pair => pair[0])).size, held.length)
      assert.deepEqual([...new Set(held)].sort(), [...pairs].sort())
    }
  }

  /** Checks that all nodes hold what they ought to once they are at rest. */
  check(): void {
    this.cluster.settle()
    const wanted = this.#entries.map(({ key, pid, value }) => `${key} ${String(pid)} ${value}`).sort()
    for (const { replica } of this.cluster.nodes) {
      const held = [...replica.table.all()].map(
        ({ row, pid, value }) => `${numberOf(row.key)} ${String(pid)} ${String(value)}`,
      )
      assert.deepEqual(held.sort(), wanted)
      assert.equal(replica.table.count, wanted.length)
    }
    if (this.#isUnique) assert.equal(new Set(wanted.map(entry => entry[0])).size, wanted.length)
    for (const { replica } of this.cluster.nodes) replica.clear()
  }

  #make(name: string, tell: (change: ClaimChange) => void): Replica {
    const story = new Story(this.#isUnique, String)
    const index = Number(name.slice(-1))
    const replica: Replica = new Replica(this.#isUnique, story, {
      node: () => name,
      now: () => this.#clocks[index] ?? 0,
      tell,
      onLoss: (lost, winner) => this.#lose({ lost, winner }),
    })
    this.#stories.set(replica, story)
    this.#pids.set(
      replica,
      Array.from({ length: PIDS }, () => createProcess()),
    )
    return replica
  }

  #lose({ lost, winner }: Loss): void {
    this.losses.push({ lost, winner })
    const key = numberOf(lost.key)
    const loser = this.#entries.find(entry => entry.key === key && entry.pid === lost.pid)
    assert.ok(loser !== undefined && loser.value === lost.value)
    // The key may have been given up since, and taken anew.
    const before = this.#ever.filter(entry => entry.key === key && entry.pid === winner)
    const isOlder = ({ time, node }: Entry) => time < loser.time || (time === loser.time && node < loser.node)
    assert.ok(before.some(isOlder))
    this.#entries = this.#entries.filter(entry => entry !== loser)
  }

  #begin(how: 'restart' | 'renew', index: number): void {
    const replica = this.#replica(index)
    this.#entries = this.#entries.filter(({ pid }) => !this.#pidsOf(replica).includes(pid as Process))
    this.cluster[how](index)
    replica.clear()
    this.#stories.delete(replica)
  }

  #exit(index: number, number: number): void {
    const pids = this.#pidsOf(this.#replica(index))
    const pid = pids[number]
    pids[number] = createProcess()
    this.#entries = this.#entries.filter(entry => entry.pid !== pid)
    pid?.exit('shutdown')
  }

  #edit({ do: what, node: index, pid: number, key, value }: Edit): void {
    const replica = this.#replica(index)
    const { table } = replica
    const pid = this.#pidsOf(replica)[number] as Process
    const make = KEYS[key] as () => unknown
    const own = this.#entries.filter(entry => entry.key === key && entry.pid === pid)
    if (what === 'unregister') {
      this.#entries = this.#entries.filter(entry => !own.includes(entry))
      assert.equal(
        table.remove(make(), pid, () => true),
        own.length > 0,
      )
    } else if (what === 'update') {
      const [first] = own
      assert.deepEqual(
        table.update(make(), pid, () => value),
        first && [value, first.value],
      )
      if (first !== undefined) first.value = value
    } else if (this.#isUnique && [...table.under(make())].length > 0) {
      assert.throws(() => table.add(make(), pid, value), AlreadyRegistered)
    } else {
      const { name: node } = this.cluster.nodes[index] as { readonly name: string }
      const entry = { key, pid, value, node, time: this.#clocks[index] ?? 0 }
      this.#ever.push(entry)
      this.#entries.push(entry)
      table.add(make(), pid, value)
    }
  }

  #replica(index: number): Replica {
    return (this.cluster.nodes[index] as { readonly replica: Replica }).replica
  }

  #pidsOf(replica: Replica): Process[] {
    return this.#pids.get(replica) as Process[]
  }
}

for (const kind of ['unique', 'duplicate'] as const) {
  test(`registries of ${kind} keys agree once their nodes have heard of each other`, t => {
    let losses = 0
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120, size: 'max' }), steps => {
        const scene = new Scene(kind === 'unique')
        for (const step of steps) scene.run(step)
        scene.check()
        losses += scene.losses.length
      }),
      runs(300),
    )
    t.diagnostic(`${losses} conflicts`)
    if (kind === 'duplicate') assert.equal(losses, 0)
  })
}
