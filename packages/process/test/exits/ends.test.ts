// Ends are told from a queue, so that causes come before effects, however long a chain is.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createActor, createMachine } from 'xstate'
import {
  createProcess,
  exit,
  type Monitorable,
  MonitorRef,
  type MonitorTarget,
  P,
  type Process,
  register,
  whereis,
} from '../../src/index.ts'
import { exitSignal, onExit, Watchers, watch } from '../../src/internal.ts'
import { collectExits } from '../support/exits.ts'
import { turn } from '../support/turns.ts'

const idle = createMachine({})

/** Empties the mailbox, and gives the tag and the pid of each message in their order. */
async function takeAll(self: Process): Promise<unknown[][]> {
  const taken: unknown[][] = []
  while (self.messageQueueLength > 0) {
    const message = await self.receive([
      { type: 'DOWN', pid: P._ },
      { type: 'EXIT', from: P._ },
    ])
    taken.push([message.type, message.type === 'DOWN' ? message.pid : message.from])
  }
  return taken
}

function linkedInARow(length: number): Process[] {
  const row = Array.from({ length }, () => createProcess())
  for (const [i, process] of row.entries()) if (i > 0) process.link(row[i - 1] as Process)
  return row
}

describe('a long chain of links', () => {
  for (const [name, end] of [
    ['the first', 0],
    ['one in the middle', 50_000],
  ] as const) {
    test(`of 100,000 processes ends as a whole when ${name} exits`, () => {
      const row = linkedInARow(100_000)
      row[end]?.exit('shutdown')
      assert.equal(row.filter(process => process.isAlive).length, 0)
    })
  }

  test('of 20,000 processes with an xstate actor between any two ends as a whole', () => {
    const row = Array.from({ length: 10_000 }, () => ({
      process: createProcess(),
      actor: createActor(idle).start(),
    }))
    for (const [i, { process, actor }] of row.entries()) {
      process.link(actor)
      row[i + 1]?.process.link(actor)
    }
    row[0]?.process.exit('shutdown')
    assert.equal(row.filter(({ process }) => process.isAlive).length, 0)
  })

  test('of 20,000 monitors that each end their own process is told to its end', () => {
    const row = Array.from({ length: 20_000 }, () => createProcess())
    for (const [i, process] of row.entries()) watch(process, () => row[i + 1]?.exit('shutdown'))
    row[0]?.exit('shutdown')
    assert.equal(row.filter(process => process.isAlive).length, 0)
  })
})

describe('the end of a process', () => {
  test('reaches links before monitors, also where the monitor was set first', async () => {
    const [self, other] = [createProcess({ trapExit: true }), createProcess()]
    self.monitor(other)
    self.link(other)
    self.monitor(other)
    other.exit('shutdown')
    assert.deepEqual(await takeAll(self), [
      ['EXIT', other],
      ['DOWN', other],
      ['DOWN', other],
    ])
  })

  for (const [what, make] of [
    [
      'an xstate actor',
      () => {
        const actor = createActor(idle).start()
        return { target: actor as MonitorTarget & { send(message: never): void }, end: () => actor.stop() }
      },
    ],
    [
      'what carries onExit',
      () => {
        const watchers = new Watchers()
        const target = { [onExit]: watchers.add.bind(watchers), send: () => undefined }
        return { target, end: () => watchers.tell('shutdown') }
      },
    ],
  ] as const) {
    test(`links come before monitors, and a name before both, when ${what} ends`, async () => {
      const { target, end } = make()
      const self = createProcess({ trapExit: true })
      const named: unknown[] = []
      watch(target, () => named.push(whereis('ending')))
      self.monitor(target)
      self.link(target)
      register('ending', target)
      end()
      assert.deepEqual(await takeAll(self), [
        ['EXIT', target],
        ['DOWN', target],
      ])
      assert.deepEqual(named, [undefined])
    })
  }

  test('frees its name before any watcher is told, in whatever order they were set', () => {
    const self = createProcess()
    const found: unknown[] = []
    watch(self, () => found.push(whereis('freed')))
    register('freed', self)
    self.signal.addEventListener('abort', () => found.push(whereis('freed')))
    self.exit()
    assert.deepEqual(found, [undefined, undefined])
  })

  test('reaches all its monitors before the ends that it brings about', async () => {
    const watcher = createProcess()
    const [first, second, third] = linkedInARow(3) as [Process, Process, Process]
    for (const process of [third, second, first]) watcher.monitor(process)
    first.exit('shutdown')
    assert.deepEqual(await takeAll(watcher), [
      ['DOWN', first],
      ['DOWN', second],
      ['DOWN', third],
    ])
  })

  test('is told before an end that its abort listener brings about', async () => {
    const [watcher, first, second] = [createProcess(), createProcess(), createProcess()]
    first.signal.addEventListener('abort', () => second.exit('shutdown'))
    for (const process of [second, first]) watcher.monitor(process)
    first.exit('shutdown')
    assert.deepEqual(await takeAll(watcher), [
      ['DOWN', first],
      ['DOWN', second],
    ])
  })

  test('is known at once to code that runs while ends are being told', () => {
    const [first, second, other] = [createProcess(), createProcess(), createProcess()]
    const seen: unknown[] = []
    watch(first, () => {
      second.exit('shutdown')
      seen.push(second.isAlive, second.signal.aborted)
      other.monitor(second)
    })
    first.exit('shutdown')
    assert.deepEqual(seen, [false, true])
    assert.equal(other.messageQueueLength, 1)
  })

  test('gives noproc to a late monitor, after the monitors that were set in time', async () => {
    const [self, first, second] = [createProcess(), createProcess(), createProcess()]
    const early = self.monitor(second)
    let late: MonitorRef | undefined
    watch(first, () => {
      second.exit('shutdown')
      late = self.monitor(second)
    })
    first.exit('shutdown')
    const downs = [
      await self.receive([{ type: 'DOWN', ref: P.instanceOf(MonitorRef), reason: P._ }], 0),
      await self.receive([{ type: 'DOWN', ref: P.instanceOf(MonitorRef), reason: P._ }], 0),
    ]
    assert.deepEqual(
      downs.map(({ ref, reason }) => [ref, reason]),
      [
        [early, 'shutdown'],
        [late, 'noproc'],
      ],
    )
  })

  test('does not reach a process that takes its link or monitor back while ends are being told', t => {
    collectExits(t)
    const [self, first, second] = [createProcess(), createProcess(), createProcess()]
    const refs = [self.monitor(second)]
    self.link(second)
    const answers: boolean[] = []
    watch(first, () => {
      second.exit('crash')
      refs.push(self.monitor(second))
      for (const ref of refs) answers.push(self.demonitor(ref))
      self.unlink(second)
    })
    exit(first, 'shutdown')
    assert.deepEqual(answers, [true, true])
    assert.equal(self.isAlive, true)
    assert.equal(self.messageQueueLength, 0)
  })

  test('reaches all watchers, also those after a target whose exitSignal throws', t => {
    const exits = collectExits(t)
    const broken = {
      [onExit]: () => () => undefined,
      [exitSignal]: () => {
        throw new Error('broken')
      },
    }
    const [self, other, watcher] = [createProcess(), createProcess(), createProcess()]
    self.link(broken)
    self.link(other)
    watcher.monitor(self)
    self.exit('shutdown')
    assert.equal(other.isAlive, false)
    assert.equal(watcher.messageQueueLength, 1)
    assert.equal(exits[0]?.pid, broken)
  })
})

describe('a change by a guard while its process is being told of an end', () => {
  test('holds at once: a monitor that it takes back, of a process that it ended, gives no DOWN', async () => {
    const [self, other] = [createProcess<{ n: number }>(), createProcess()]
    const ref = self.monitor(other)
    let wasSet: boolean | undefined
    const guard = P.when((n: unknown) => {
      other.exit('shutdown')
      wasSet = self.demonitor(ref)
      return n === 1
    })
    const received = self.receive([{ n: guard }])
    self.send({ n: 1 })
    await received
    assert.equal(wasSet, true)
    assert.equal(self.messageQueueLength, 0)
  })

  test('holds at once: a link that it undoes, with a process that it ended, gives no signal', async t => {
    collectExits(t)
    for (const trapExit of [true, false]) {
      const [self, other] = [createProcess<{ n: number }>({ trapExit }), createProcess()]
      self.link(other)
      const guard = P.when((n: unknown) => {
        other.exit('crash')
        self.unlink(other)
        return n === 1
      })
      const received = self.receive([{ n: guard }])
      self.send({ n: 1 })
      assert.deepEqual(await received, { n: 1 })
      assert.equal(self.messageQueueLength, 0)
      assert.equal(self.isAlive, true)
    }
  })

  test('holds from then on: a monitor or link that it leaves is told once the guard has run', async () => {
    const [self, one, two] = [createProcess({ trapExit: true }), createProcess(), createProcess()]
    self.monitor(one)
    self.link(two)
    const counts: number[] = []
    const guard = P.when((n: unknown) => {
      one.exit('shutdown')
      two.exit('shutdown')
      counts.push(self.messageQueueLength)
      return n === 1
    })
    const received = self.receive([{ n: guard }])
    self.send({ n: 1 })
    await received
    assert.deepEqual(counts, [0])
    assert.deepEqual(await takeAll(self), [
      ['DOWN', one],
      ['EXIT', two],
    ])
  })
})

describe('an error during an end', () => {
  const boom = new Error('boom')

  test('thrown by a target when it is no longer watched, keeps this end and later ones from no watcher', t => {
    const exits = collectExits(t)
    const target: Monitorable = {
      [onExit]: () => () => {
        throw boom
      },
      [exitSignal]() {},
    }
    const [self, other, watcher] = [createProcess(), createProcess(), createProcess()]
    self.link(target)
    for (const process of [self, other]) watcher.monitor(process)
    self.exit('shutdown')
    other.exit('shutdown')
    assert.equal(watcher.messageQueueLength, 2)
    assert.deepEqual(
      exits.map(({ reason }) => reason),
      [boom],
    )
  })

  test('for lack of room on the stack, delays the news, and later ends are told', async () => {
    const watcher = createProcess()
    const processes = Array.from({ length: 200 }, () => createProcess())
    for (const process of processes) watcher.monitor(process)
    let next = 0
    // Each frame on the way back tries once more, with a little more room.
    const dig = (): void => {
      try {
        dig()
      } finally {
        processes[next++]?.exit('shutdown')
      }
    }
    assert.throws(dig, RangeError)
    for (const process of processes) process.exit('shutdown')
    const [last, lastWatcher] = [createProcess(), createProcess()]
    lastWatcher.monitor(last)
    last.exit('shutdown')
    await turn()
    assert.equal(lastWatcher.messageQueueLength, 1)
  })
})
