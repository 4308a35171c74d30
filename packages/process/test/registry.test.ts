// A name stands for one process until that exits.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createActor, createMachine } from 'xstate'
import { createProcess, type Registrable, register, spawn, unregister, whereis } from '../src/index.ts'

test('a registered process is found under its name until the name is taken back', () => {
  const self = createProcess()
  register('one', self)
  assert.equal(whereis('one'), self)
  unregister('one')
  assert.equal(whereis('one'), undefined)
})

test('a name goes when its process exits', () => {
  const self = createProcess()
  register('one', self)
  self.exit()
  assert.equal(whereis('one'), undefined)
})

test('the name option registers a process, and one that is taken makes no process', async () => {
  const self = spawn(process => process.receive([{ type: 'stop' }]), { name: 'named' })
  assert.equal(whereis('named'), self)
  assert.throws(() => createProcess({ name: 'named' }), { message: /^name 'named' is taken by #Process</ })
  whereis('named')?.send({ type: 'stop' })
  assert.equal(await self.exited, 'normal')
  assert.equal(whereis('named'), undefined)
  createProcess({ name: 'named' }).exit()
})

test('a process has at most one name', () => {
  const self = createProcess({ name: 'first' })
  assert.throws(() => register('second', self), { message: /is registered already, as 'first'$/ })
  self.exit()
})

test('a process that has exited gets no name', () => {
  const self = createProcess()
  self.exit()
  assert.throws(() => register('late', self), { message: /has exited$/ })
  assert.equal(whereis('late'), undefined)
})

test('a name that was given to another since stays with that one when the first process exits', () => {
  const [one, two] = [createProcess({ name: 'shared' }), createProcess()]
  unregister('shared')
  register('shared', two)
  one.exit()
  assert.equal(whereis('shared'), two)
  two.exit()
})

test('an xstate actor can have a name, which goes when it stops', () => {
  const actor = createActor(createMachine({})).start()
  register('actor', actor)
  assert.equal(whereis('actor'), actor)
  actor.stop()
  assert.equal(whereis('actor'), undefined)
})

test('errors name an xstate actor by its id', () => {
  const actor = createActor(createMachine({}), { id: 'shop' }).start()
  register('actor', actor)
  const self = createProcess()
  assert.throws(() => register('actor', self), { message: "name 'actor' is taken by the actor 'shop'" })
  assert.throws(() => register('other', actor), {
    message: "the actor 'shop' is registered already, as 'actor'",
  })
  actor.stop()
  assert.throws(() => register('late', actor), { message: "the actor 'shop' has exited" })
})

test('twenty thousand processes have names, each of which is found and goes', () => {
  const processes = Array.from({ length: 20_000 }, (_, n) => createProcess({ name: `many ${n}` }))
  assert.ok(processes.every((self, n) => whereis(`many ${n}`) === self))
  for (const self of processes) self.exit()
  assert.ok(processes.every((_, n) => whereis(`many ${n}`) === undefined))
})

test('misuse throws at once and names the argument', () => {
  const self = createProcess()
  for (const name of ['', 5, undefined]) {
    assert.throws(() => register(name as string, self), { message: /^name must be/ })
  }
  assert.throws(() => register('x', {} as unknown as Registrable), { message: /^pid must be/ })
  assert.throws(() => unregister('nobody'), { message: "no process is registered as 'nobody'" })
  assert.throws(() => createProcess({ name: '' }), { message: /^name must be/ })
})
