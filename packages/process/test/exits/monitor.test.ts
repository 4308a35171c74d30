// The end of a target sends one DOWN for each monitor.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createActor, createMachine, fromPromise } from 'xstate'
import {
  createProcess,
  type ExitReason,
  MonitorRef,
  type MonitorTarget,
  makeRef,
  P,
  type Process,
  unregister,
} from '../../src/index.ts'
import { exitSignal, onExit, Watchers, watch } from '../../src/internal.ts'
import { collectExits, collectUncaught } from '../support/exits.ts'
import { reported, turn } from '../support/turns.ts'

/** Takes the only DOWN in the mailbox. */
function down(self: Process) {
  return self.receive([{ type: 'DOWN', ref: P.instanceOf(MonitorRef), reason: P._ }], 0)
}

describe('a monitored process', () => {
  test('sends DOWN with the ref, the pid and the reason when it ends', async () => {
    const [self, other] = [createProcess(), createProcess()]
    const ref = self.monitor(other)
    assert.ok(ref instanceof MonitorRef)
    assert.equal(self.messageQueueLength, 0)
    other.exit('shutdown')
    assert.deepEqual(await down(self), { type: 'DOWN', ref, pid: other, reason: 'shutdown' })
  })

  test('that has ended already gives DOWN with noproc at once', async () => {
    const [self, other] = [createProcess(), createProcess()]
    other.exit('shutdown')
    const ref = self.monitor(other)
    assert.deepEqual(await down(self), { type: 'DOWN', ref, pid: other, reason: 'noproc' })
  })

  test('is monitored once for each call', async () => {
    const [self, other] = [createProcess(), createProcess()]
    const refs = [self.monitor(other), self.monitor(other)]
    other.exit()
    assert.deepEqual([(await down(self)).ref, (await down(self)).ref], refs)
    assert.equal(self.messageQueueLength, 0)
  })

  test('is not ended by the end of the one that monitors it', () => {
    const [self, other] = [createProcess(), createProcess()]
    self.monitor(other)
    self.exit('shutdown')
    assert.equal(other.isAlive, true)
  })

  test('may be the process itself, which has exited before the DOWN', () => {
    const self = createProcess()
    self.monitor(self)
    self.exit()
    assert.equal(self.messageQueueLength, 0)
  })
})

describe('a listener of watch that throws', () => {
  const boom = new Error('boom')
  const fail = () => {
    throw boom
  }
  const targets: [what: string, start: () => { target: MonitorTarget; end: () => void }][] = [
    [
      'a process',
      () => {
        const target = createProcess()
        return { target, end: () => target.exit('shutdown') }
      },
    ],
    [
      'an actor',
      () => {
        const target = createActor(createMachine({})).start()
        return { target, end: () => target.stop() }
      },
    ],
  ]
  for (const [what, start] of targets) {
    test(`keeps the end of ${what} from no other watcher: its error goes to the exit hook`, async t => {
      const exits = collectExits(t)
      const uncaught = collectUncaught(t)
      const { target, end } = start()
      const [before, after] = [createProcess(), createProcess()]
      const first = before.monitor(target)
      watch(target, fail)
      const second = after.monitor(target)
      end()
      assert.deepEqual(await down(before), { type: 'DOWN', ref: first, pid: target, reason: 'shutdown' })
      assert.deepEqual(await down(after), { type: 'DOWN', ref: second, pid: target, reason: 'shutdown' })
      await turn()
      assert.deepEqual(
        exits.map(({ reason }) => reason),
        [boom],
      )
      assert.deepEqual(uncaught, [])
    })
  }
})

describe('demonitor', () => {
  test('ends one monitor, and leaves another of the same target', async () => {
    const [self, other] = [createProcess(), createProcess()]
    const [one, two] = [self.monitor(other), self.monitor(other)]
    assert.equal(self.demonitor(one), true)
    other.exit()
    assert.equal((await down(self)).ref, two)
    assert.equal(self.messageQueueLength, 0)
  })

  test('drops a DOWN that has arrived, and that one only', async () => {
    const [self, other] = [createProcess(), createProcess()]
    const [one, two] = [self.monitor(other), self.monitor(other)]
    other.exit()
    assert.equal(self.demonitor(one), false)
    assert.equal(self.messageQueueLength, 1)
    assert.equal((await down(self)).ref, two)
    assert.equal(self.demonitor(one), false)
  })
})

describe('monitors of an exited process', () => {
  test('are gone', () => {
    const self = createProcess()
    const target = new Ending()
    self.monitor(target)
    assert.equal(target.watched, 1)
    self.exit()
    assert.equal(target.watched, 0)
  })

  test('cannot be set', () => {
    const self = createProcess()
    const target = new Ending()
    self.exit()
    assert.ok(self.monitor(target) instanceof MonitorRef)
    assert.equal(target.watched, 0)
  })
})

/** A target from another package, as a connection is. */
class Ending {
  readonly watchers = new Watchers()
  watched = 0
  ended = false
  readonly signals: unknown[] = [];

  [onExit](listener: (reason: ExitReason) => void): (() => void) | undefined {
    if (this.ended) return undefined
    this.watched++
    const stop = this.watchers.add(listener)
    return () => {
      this.watched--
      stop()
    }
  }

  [exitSignal](from: unknown, reason: ExitReason): void {
    this.signals.push([from, reason])
  }

  end(reason: ExitReason): void {
    this.ended = true
    this.watchers.tell(reason)
  }
}

test('anything that carries onExit can be monitored', async () => {
  const self = createProcess()
  const target = new Ending()
  const ref = self.monitor(target)
  target.end(['shutdown', 'closed'])
  assert.deepEqual(await down(self), { type: 'DOWN', ref, pid: target, reason: ['shutdown', 'closed'] })
  self.monitor(target)
  assert.equal((await down(self)).reason, 'noproc')
})

describe('a monitored xstate actor', () => {
  const done = createMachine({
    initial: 'on',
    states: { on: { on: { END: 'off' } }, off: { type: 'final' } },
  })
  const failing = createMachine({
    on: {
      FAIL: {
        actions: () => {
          throw new Error('boom')
        },
      },
    },
  })

  test('that is done gives DOWN with normal', async () => {
    const self = createProcess()
    const actor = createActor(done).start()
    const ref = self.monitor(actor)
    actor.send({ type: 'END' })
    assert.deepEqual(await down(self), { type: 'DOWN', ref, pid: actor, reason: 'normal' })
  })

  test('that is stopped gives DOWN with shutdown', async () => {
    const self = createProcess()
    const actor = createActor(done).start()
    self.monitor(actor)
    actor.stop()
    assert.equal((await down(self)).reason, 'shutdown')
  })

  test('that was done, stopped or failed before gives noproc at once', async t => {
    const uncaught = collectUncaught(t)
    const self = createProcess()
    const actors = [createActor(done).start(), createActor(done).start(), createActor(failing).start()]
    actors[0]?.send({ type: 'END' })
    actors[1]?.stop()
    actors[2]?.send({ type: 'FAIL' })
    for (const actor of actors) {
      self.monitor(actor as MonitorTarget)
      assert.equal((await down(self)).reason, 'noproc')
    }
    await reported()
    assert.equal(uncaught.length, 1)
  })

  test('that fails with nobody else watching gives DOWN, and the error goes to the exit hook once', async t => {
    const exits = collectExits(t)
    const uncaught = collectUncaught(t)
    const [self, other] = [createProcess(), createProcess()]
    const actor = createActor(failing).start()
    self.monitor(actor)
    other.monitor(actor)
    actor.send({ type: 'FAIL' })
    for (const watcher of [self, other]) assert.match(String((await down(watcher)).reason), /boom/)
    await reported()
    assert.equal(exits.length, 1)
    assert.equal(exits[0]?.pid, actor)
    assert.deepEqual(uncaught, [])
  })

  test('that fails with an error observer of the user is not reported by us', async t => {
    const exits = collectExits(t)
    const self = createProcess()
    const actor = createActor(failing).start()
    const seen: unknown[] = []
    actor.subscribe({ error: error => seen.push(error) })
    self.monitor(actor)
    actor.send({ type: 'FAIL' })
    assert.match(String((await down(self)).reason), /boom/)
    assert.equal(seen.length, 1)
    assert.deepEqual(exits, [])
  })

  test('that fails with an observer that has no error listener is reported by xstate, not by us', async t => {
    const exits = collectExits(t)
    const uncaught = collectUncaught(t)
    const actor = createActor(failing).start()
    actor.subscribe(() => undefined)
    createProcess().monitor(actor)
    actor.send({ type: 'FAIL' })
    await reported()
    assert.deepEqual(exits, [])
    assert.equal(uncaught.length, 1)
  })

  test('reports its own error again once it is no longer monitored', async t => {
    const exits = collectExits(t)
    const uncaught = collectUncaught(t)
    const self = createProcess()
    const actor = createActor(failing).start()
    const refs = [self.monitor(actor), self.monitor(actor)]
    for (const ref of refs) assert.equal(self.demonitor(ref), true)
    actor.send({ type: 'FAIL' })
    await reported()
    assert.equal(self.messageQueueLength, 0)
    assert.deepEqual(exits, [])
    assert.equal(uncaught.length, 1)
  })

  test('may be a child, whose error goes to its parent', async t => {
    const exits = collectExits(t)
    const self = createProcess()
    const parent = createMachine({
      initial: 'working',
      states: {
        working: {
          invoke: {
            id: 'child',
            src: fromPromise(() => Promise.reject(new Error('boom'))),
            onError: 'failed',
          },
        },
        failed: {},
      },
    })
    const actor = createActor(parent).start()
    self.monitor(actor.getSnapshot().children.child as MonitorTarget)
    const { reason } = await self.receive([{ type: 'DOWN', reason: P._ }])
    assert.match(String(reason), /boom/)
    await turn()
    assert.equal(actor.getSnapshot().value, 'failed')
    assert.deepEqual(exits, [])
  })
})

describe('misuse', () => {
  test('monitor of something that does not end throws and names the argument', () => {
    const self = createProcess()
    for (const target of [undefined, null, 5, {}, () => 0]) {
      assert.throws(() => self.monitor(target as unknown as MonitorTarget), { message: /^target must be/ })
    }
    self.exit()
    assert.throws(() => self.monitor({} as unknown as MonitorTarget), { message: /^target must be/ })
  })

  test('demonitor of something that is no monitor ref throws and names the argument', () => {
    assert.throws(() => createProcess().demonitor(makeRef() as MonitorRef), { message: /^ref must be/ })
  })
})

describe('a monitor by name', () => {
  test('watches the process that has the name, and its DOWN names it', async () => {
    const self = createProcess()
    const target = createProcess({ name: 'watched' })
    const ref = self.monitor('watched')
    target.exit('shutdown')
    assert.deepEqual(await self.receive([{ type: 'DOWN', ref }]), {
      type: 'DOWN',
      ref,
      pid: 'watched',
      reason: 'shutdown',
    })
  })

  test('goes on watching that process after another one has taken the name', () => {
    const self = createProcess()
    const target = createProcess({ name: 'moved' })
    self.monitor('moved')
    unregister('moved')
    const other = createProcess({ name: 'moved' })
    other.exit()
    assert.equal(self.messageQueueLength, 0)
    target.exit()
    assert.equal(self.messageQueueLength, 1)
  })

  test("tells 'noproc' at once if no process has the name", async () => {
    const self = createProcess()
    const ref = self.monitor('nobody')
    assert.deepEqual(await self.receive([{ type: 'DOWN' }]), {
      type: 'DOWN',
      ref,
      pid: 'nobody',
      reason: 'noproc',
    })
  })

  test('can be taken back', () => {
    const self = createProcess()
    const target = createProcess({ name: 'let go' })
    assert.equal(self.demonitor(self.monitor('let go')), true)
    target.exit()
    assert.equal(self.messageQueueLength, 0)
  })
})
