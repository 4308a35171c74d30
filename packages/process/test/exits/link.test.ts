// A link ties two lives together by exit signals.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createActor, createMachine } from 'xstate'
import { createProcess, type ExitReason, exit, type MonitorTarget } from '../../src/index.ts'
import { type ExitRoute, exitSignal, onExit, Watchers } from '../../src/internal.ts'
import { collectExits } from '../support/exits.ts'

const idle = createMachine({})

describe('linked processes', () => {
  for (const [name, which] of [
    ['the one that linked', 0],
    ['the other one', 1],
  ] as const) {
    test(`end together, with the same reason, when ${name} ends`, async t => {
      collectExits(t)
      const pair = [createProcess(), createProcess()] as const
      pair[0].link(pair[1])
      const error = new Error('boom')
      pair[which].exit(error)
      for (const process of pair) assert.equal(await process.exited, error)
    })
  }

  test('report the reason once, where it arose', t => {
    const exits = collectExits(t)
    const [one, two] = [createProcess(), createProcess()]
    one.link(two)
    two.exit('crash')
    assert.deepEqual(exits, [{ pid: two, reason: 'crash' }])
  })

  test('do not end each other with normal', () => {
    const [one, two] = [createProcess(), createProcess()]
    one.link(two)
    two.exit()
    assert.equal(one.isAlive, true)
  })

  test('are linked once, however often link is called, from either side', async () => {
    const [one, two] = [createProcess({ trapExit: true }), createProcess()]
    one.link(two)
    one.link(two)
    two.link(one)
    two.exit('shutdown')
    assert.equal(one.messageQueueLength, 1)
  })

  test('end in cycles of any length', () => {
    const ring = Array.from({ length: 5 }, () => createProcess())
    for (const [i, process] of ring.entries()) process.link(ring[(i + 1) % 5] as MonitorTarget)
    ring[2]?.exit('shutdown')
    assert.deepEqual(
      ring.map(process => process.isAlive),
      [false, false, false, false, false],
    )
  })

  test('are free of each other after unlink, from either side', () => {
    for (const which of [0, 1] as const) {
      const pair = [createProcess(), createProcess()] as const
      pair[0].link(pair[1])
      pair[which].unlink(pair[1 - which] as MonitorTarget)
      pair[0].exit('shutdown')
      assert.equal(pair[1].isAlive, true)
    }
  })

  test('a link to oneself does nothing', () => {
    const self = createProcess({ trapExit: true })
    self.link(self)
    self.exit('shutdown')
    assert.equal(self.messageQueueLength, 0)
  })

  test('kill as the reason of a linked process is an ordinary reason', async t => {
    collectExits(t)
    const [one, two] = [createProcess({ trapExit: true }), createProcess()]
    one.link(two)
    two.exit('kill')
    assert.deepEqual(await one.receive([{ type: 'EXIT' }], 0), { type: 'EXIT', from: two, reason: 'kill' })
  })
})

describe('a link to a target that has ended', () => {
  test('ends the process with noproc, which is reported', async t => {
    const exits = collectExits(t)
    const [self, gone] = [createProcess(), createProcess()]
    gone.exit()
    self.link(gone)
    assert.equal(await self.exited, 'noproc')
    assert.deepEqual(exits, [{ pid: self, reason: 'noproc' }])
  })

  test('is an EXIT message for one that traps exits', async t => {
    const exits = collectExits(t)
    const [self, gone] = [createProcess({ trapExit: true }), createProcess()]
    gone.exit()
    self.link(gone)
    assert.deepEqual(await self.receive([{ type: 'EXIT' }], 0), {
      type: 'EXIT',
      from: gone,
      reason: 'noproc',
    })
    assert.deepEqual(exits, [])
  })

  test('does nothing on a process that has itself ended', () => {
    const [self, other] = [createProcess(), createProcess()]
    self.exit()
    self.link(other)
    assert.equal(other.isAlive, true)
  })
})

describe('trapExit', () => {
  test('turns exit signals into messages, normal included', async () => {
    const self = createProcess({ trapExit: true })
    const others = [createProcess(), createProcess()] as const
    for (const other of others) self.link(other)
    others[0].exit()
    others[1].exit('shutdown')
    assert.deepEqual(await self.receive([{ type: 'EXIT' }], 0), {
      type: 'EXIT',
      from: others[0],
      reason: 'normal',
    })
    assert.deepEqual(await self.receive([{ type: 'EXIT' }], 0), {
      type: 'EXIT',
      from: others[1],
      reason: 'shutdown',
    })
    assert.equal(self.isAlive, true)
  })

  test('can be set and taken back', () => {
    const self = createProcess()
    assert.equal(self.trapExit, false)
    self.trapExit = true
    exit(self, 'shutdown')
    assert.equal(self.messageQueueLength, 1)
    self.trapExit = false
    exit(self, 'shutdown')
    assert.equal(self.isAlive, false)
  })

  test('does not keep a process from ending itself', () => {
    const self = createProcess({ trapExit: true })
    self.exit('shutdown')
    assert.equal(self.isAlive, false)
  })

  test('throws and names itself for a value that is no boolean', () => {
    const self = createProcess()
    assert.throws(() => Reflect.set(self, 'trapExit', 1), { message: /^trapExit must be/ })
    assert.throws(() => createProcess({ trapExit: 1 as unknown as boolean }), {
      message: /^options\.trapExit must be/,
    })
  })
})

describe('exit(pid, reason)', () => {
  test('ends the process with that reason, and reports it', async t => {
    const exits = collectExits(t)
    const self = createProcess()
    exit(self, 'crash')
    assert.equal(await self.exited, 'crash')
    assert.deepEqual(exits, [{ pid: self, reason: 'crash' }])
  })

  test('with normal does nothing', () => {
    const self = createProcess()
    exit(self, 'normal')
    assert.equal(self.isAlive, true)
  })

  test('with normal is a message for one that traps exits, and comes from nobody', async () => {
    const self = createProcess({ trapExit: true })
    exit(self, 'normal')
    assert.deepEqual(await self.receive([{ type: 'EXIT' }], 0), {
      type: 'EXIT',
      from: undefined,
      reason: 'normal',
    })
  })

  test('with kill ends any process with killed, also one that traps exits', async t => {
    collectExits(t)
    const [self, other] = [createProcess({ trapExit: true }), createProcess({ trapExit: true })]
    other.link(self)
    exit(self, 'kill')
    assert.equal(await self.exited, 'killed')
    assert.deepEqual(await other.receive([{ type: 'EXIT' }], 0), {
      type: 'EXIT',
      from: self,
      reason: 'killed',
    })
  })

  test('to a process that has ended does nothing', async t => {
    const exits = collectExits(t)
    const self = createProcess()
    self.exit()
    exit(self, 'crash')
    exit(self, 'kill')
    assert.equal(await self.exited, 'normal')
    assert.deepEqual(exits, [])
  })

  test('stops a root xstate actor, but not with normal', () => {
    const actor = createActor(idle).start()
    exit(actor, 'normal')
    assert.equal(actor.getSnapshot().status, 'active')
    exit(actor, 'shutdown')
    assert.equal(actor.getSnapshot().status, 'stopped')
  })
})

describe('self.exit(pid, reason)', () => {
  test('names the process that sends the signal', async () => {
    const [self, other] = [createProcess(), createProcess({ trapExit: true })]
    self.exit(other, 'normal')
    self.exit(other, 'crash')
    for (const reason of ['normal', 'crash']) {
      assert.deepEqual(await other.receive([{ type: 'EXIT', from: self }], 0), {
        type: 'EXIT',
        from: self,
        reason,
      })
    }
    assert.equal(self.isAlive, true)
  })

  test('ends another process, unless the reason is normal, and is reported', async t => {
    const exits = collectExits(t)
    const [self, other] = [createProcess(), createProcess()]
    self.exit(other, 'normal')
    assert.equal(other.isAlive, true)
    self.exit(other, 'crash')
    assert.equal(await other.exited, 'crash')
    assert.deepEqual(exits, [{ pid: other, reason: 'crash' }])
  })

  test('with kill ends a process that traps exits with killed, linked or not', async t => {
    collectExits(t)
    const [self, other] = [createProcess({ trapExit: true }), createProcess({ trapExit: true })]
    self.link(other)
    self.exit(other, 'kill')
    assert.equal(await other.exited, 'killed')
    assert.deepEqual(await self.receive([{ type: 'EXIT' }], 0), {
      type: 'EXIT',
      from: other,
      reason: 'killed',
    })
  })

  test('to itself ends it with normal too, unless it traps exits', async () => {
    const [self, trapping] = [createProcess(), createProcess({ trapExit: true })]
    self.exit(self, 'normal')
    assert.equal(await self.exited, 'normal')
    trapping.exit(trapping, 'normal')
    assert.deepEqual(await trapping.receive([{ type: 'EXIT' }], 0), {
      type: 'EXIT',
      from: trapping,
      reason: 'normal',
    })
  })

  test('does nothing once the process has exited, but names a wrong argument all the same', () => {
    const [self, other] = [createProcess(), createProcess()]
    self.exit()
    self.exit(other, 'crash')
    assert.equal(other.isAlive, true)
    assert.throws(() => self.exit({} as unknown as MonitorTarget, 'crash'), { message: /^pid must be/ })
  })
})

describe('links to other things', () => {
  test('an xstate actor that ends signals the process, and is stopped with it', async () => {
    const self = createProcess({ trapExit: true })
    const [one, two] = [createActor(idle).start(), createActor(idle).start()]
    self.link(one)
    self.link(two)
    one.stop()
    assert.deepEqual(await self.receive([{ type: 'EXIT' }], 0), {
      type: 'EXIT',
      from: one,
      reason: 'shutdown',
    })
    self.exit('shutdown')
    assert.equal(two.getSnapshot().status, 'stopped')
  })

  test('an actor that was unlinked is left alone', () => {
    const self = createProcess()
    const actor = createActor(idle).start()
    self.link(actor)
    self.unlink(actor)
    self.exit('shutdown')
    assert.equal(actor.getSnapshot().status, 'active')
  })

  test('something that carries onExit and exitSignal gets the reason, and gives its own', async () => {
    const watchers = new Watchers()
    const signals: unknown[] = []
    const connection = {
      [onExit]: (listener: (reason: ExitReason) => void) => watchers.add(listener),
      [exitSignal]: (...signal: [from: unknown, reason: ExitReason, route: ExitRoute]) =>
        signals.push(signal),
    }
    const [one, two] = [createProcess(), createProcess({ trapExit: true })]
    one.link(connection)
    two.link(connection)
    one.exit('shutdown')
    one.unlink(connection)
    two.exit(connection, 'crash')
    exit(connection, 'kill')
    assert.deepEqual(signals, [
      [one, 'shutdown', 'link'],
      [two, 'crash', 'exit'],
      [undefined, 'kill', 'exit'],
    ])
    watchers.tell(['shutdown', 'gone'])
    const message = await two.receive([{ type: 'EXIT' }], 0)
    assert.deepEqual(message, { type: 'EXIT', from: connection, reason: ['shutdown', 'gone'] })
  })
})

test('link, unlink and exit of something that does not end throw and name the argument', () => {
  const self = createProcess()
  const wrong = {} as unknown as MonitorTarget
  assert.throws(() => self.link(wrong), { message: /^target must be/ })
  assert.throws(() => self.unlink(wrong), { message: /^target must be/ })
  assert.throws(() => exit(wrong, 'x'), { message: /^pid must be/ })
  self.exit()
  assert.throws(() => self.link(wrong), { message: /^target must be/ })
})
