// An alias stands for its process for a while; what is sent to it later is dropped.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Alias, createProcess, makeRef, P, type Pid } from '../../src/index.ts'

describe('an alias', () => {
  test('takes messages for its process until it is taken back', () => {
    const self = createProcess<string>()
    const alias: Pid<string> = self.alias()
    alias.send('one')
    alias.send('two')
    assert.equal(self.messageQueueLength, 2)
    assert.equal(self.unalias(alias as Alias<string>), true)
    alias.send('three')
    assert.equal(self.messageQueueLength, 2)
    assert.equal(self.unalias(alias as Alias<string>), false)
  })

  test("with 'reply' takes one message", async () => {
    const self = createProcess<string>()
    const alias = self.alias('reply')
    alias.send('one')
    alias.send('two')
    assert.equal(await self.receive([P.string]), 'one')
    assert.equal(self.messageQueueLength, 0)
    assert.equal(self.unalias(alias), false)
  })

  test('is taken back by its own process alone', () => {
    const self = createProcess<string>()
    const alias = self.alias()
    assert.equal(createProcess().unalias(alias), false)
    alias.send('still there')
    assert.equal(self.messageQueueLength, 1)
  })

  test('of a process that has exited is not active', () => {
    const self = createProcess<string>()
    const before = self.alias()
    self.exit()
    before.send('x')
    self.alias().send('x')
    assert.equal(self.unalias(self.alias()), false)
    assert.equal(self.messageQueueLength, 0)
  })

  test('prints as one, and differs from any other', () => {
    const self = createProcess()
    const [one, other] = [self.alias(), self.alias()]
    assert.match(String(one), /^#Alias<\d+>$/)
    assert.notDeepEqual(one, other)
  })

  test('of an unknown mode throws and names the argument', () => {
    assert.throws(() => createProcess().alias('once' as 'reply'), {
      name: 'TypeError',
      message: "mode must be 'explicit_unalias' or 'reply', not 'once'",
    })
    assert.throws(() => createProcess().unalias(makeRef() as Alias), {
      message: /^alias must be what alias gave/,
    })
  })
})

describe('a monitor with an alias', () => {
  const pair = () => [createProcess<string>(), createProcess()] as const

  test('is both: its DOWN carries it, and messages come through it', async () => {
    const [self, target] = pair()
    const ref = self.monitor(target, { alias: 'explicit_unalias' })
    ref.send('hello')
    target.exit()
    assert.equal(await self.receive([P.string]), 'hello')
    assert.deepEqual(await self.receive([{ type: 'DOWN' }]), {
      type: 'DOWN',
      ref,
      pid: target,
      reason: 'normal',
    })
  })

  for (const [mode, isActiveAfterwards] of [
    ['explicit_unalias', true],
    ['demonitor', false],
    ['reply_demonitor', false],
  ] as const) {
    const is = isActiveAfterwards ? 'is still' : 'is no longer'

    test(`with '${mode}' ${is} an alias after demonitor`, () => {
      const [self, target] = pair()
      const ref = self.monitor(target, { alias: mode })
      assert.equal(self.demonitor(ref), true)
      ref.send('x')
      assert.equal(self.messageQueueLength, isActiveAfterwards ? 1 : 0)
    })

    test(`with '${mode}' ${is} an alias after the DOWN`, () => {
      const [self, target] = pair()
      const ref = self.monitor(target, { alias: mode })
      target.exit()
      ref.send('x')
      assert.equal(self.messageQueueLength, isActiveAfterwards ? 2 : 1)
    })

    test(`with '${mode}' goes on monitoring after unalias`, () => {
      const [self, target] = pair()
      const ref = self.monitor(target, { alias: mode })
      assert.equal(self.unalias(ref), true)
      ref.send('x')
      assert.equal(self.messageQueueLength, 0)
      target.exit()
      assert.equal(self.messageQueueLength, 1)
    })
  }

  test("with 'reply_demonitor' takes one message, which takes the monitor back", async () => {
    const [self, target] = pair()
    const ref = self.monitor(target, { alias: 'reply_demonitor' })
    ref.send('one')
    ref.send('two')
    target.exit()
    assert.equal(await self.receive([P._]), 'one')
    assert.equal(self.messageQueueLength, 0)
    assert.equal(self.demonitor(ref), false)
  })

  test('of a target that has ended gets its DOWN, and is no alias then', () => {
    const [self, target] = pair()
    target.exit()
    const ref = self.monitor(target, { alias: 'demonitor' })
    ref.send('x')
    assert.equal(self.messageQueueLength, 1)
  })

  test('of an unknown mode throws and names the option', () => {
    const [self, target] = pair()
    assert.throws(() => self.monitor(target, { alias: 'once' as 'demonitor' }), {
      name: 'TypeError',
      message: "options.alias must be 'explicit_unalias', 'demonitor' or 'reply_demonitor', not 'once'",
    })
    assert.throws(() => self.monitor(target, { alas: 'demonitor' } as unknown as { alias: 'demonitor' }), {
      message: "options.alas is not an option of monitor: did you mean 'alias'?",
    })
  })
})
