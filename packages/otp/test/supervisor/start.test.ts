/** How a supervisor starts its children, and what becomes of a start that fails or never settles. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { createProcess, exit, type Process, processes, whereis } from '@holster/process'
import { createActor, createMachine } from 'xstate'
import { supervisor } from '../../src/index.ts'
import { failsWith, running, tree } from '../support/tree.ts'

test('children start in order, each once the one before it has started', async t => {
  const it = tree(t)
  const sup = await it.start({ children: [it.child('a', { before: () => turn() }), it.child('b')] })
  assert.deepEqual(it.log, ['+a', '+b'])
  assert.deepEqual(await running(sup), ['a', 'b'])
})

test('a child that cannot be started fails the supervisor, after the others have ended in reverse', async t => {
  const it = tree(t)
  const broken = new Error('no port')
  const failing = it.child('c', { before: () => Promise.reject(broken) })
  await assert.rejects(
    it.start({ children: [it.child('a'), it.child('b'), failing, it.child('d')] }),
    error => {
      assert.ok(failsWith('failed_to_start_child')(error))
      assert.deepEqual((error as { reason: unknown }).reason, [
        'shutdown',
        ['failed_to_start_child', 'c', broken],
      ])
      assert.equal((error as Error).cause, broken)
      return true
    },
  )
  assert.deepEqual(it.log, ['+a', '+b', '-b shutdown', '-a shutdown'])
  assert.deepEqual(
    it.reports.map(({ type }) => type),
    ['start_error'],
  )
  assert.equal(it.self.messageQueueLength, 0)
})

test('the reason of a nested supervisor that cannot start has that of its child', async t => {
  const it = tree(t)
  const children = [it.child('leaf', { before: () => Promise.reject('no') })]
  await assert.rejects(it.start({ children: [supervisor.childSpec({ id: 'inner', children })] }), {
    reason: [
      'shutdown',
      ['failed_to_start_child', 'inner', ['shutdown', ['failed_to_start_child', 'leaf', 'no']]],
    ],
  })
})

test("a child that gives 'ignore' does not run, and a temporary one is not kept", async t => {
  const it = tree(t)
  const sup = await it.start({
    children: [
      { id: 'kept', start: () => 'ignore' },
      { id: 'gone', restart: 'temporary', start: () => 'ignore' },
    ],
  })
  assert.deepEqual(await supervisor.whichChildren(sup), [{ id: 'kept', pid: undefined, type: 'worker' }])
  assert.equal(await supervisor.startChild(sup, { id: 'late', start: () => 'ignore' }), undefined)
  await assert.rejects(
    supervisor.startChild(sup, { id: 'late', start: () => 'ignore' }),
    failsWith('already_present'),
  )
})

test('a name that is taken is told with its process', async t => {
  const it = tree(t)
  const first = await supervisor.startLink(it.self, {}, { name: 'the tree' })
  assert.equal(whereis('the tree'), first)
  await assert.rejects(supervisor.startLink(it.self, {}, { name: 'the tree' }), {
    code: 'already_started',
    pid: first,
    reason: ['already_started', first],
  })
  assert.deepEqual(await supervisor.whichChildren('the tree'), [])
})

test('a supervisor that is killed while a start is pending ends at once, and the late child is killed', async t => {
  const it = tree(t)
  let open = () => {}
  const gate = new Promise<void>(resolve => {
    open = resolve
  })
  const late = createProcess<never>()
  const pending = supervisor.start({
    children: [it.child('a'), { id: 'late', start: () => gate.then(() => late) }],
  })
  const sup = processes().find(({ label }) => label === 'supervisor') as Process<never>
  for (; it.log.length === 0; ) await turn()
  exit(sup, 'kill')
  await assert.rejects(pending, { code: 'ended', reason: 'killed' })
  assert.deepEqual(it.log, ['+a', '-a killed'])
  open()
  assert.equal(await late.exited, 'killed')
})

test('the end of the parent does not wait for a start that is pending', async t => {
  const it = tree(t)
  const never = new Promise<never>(() => {})
  const parent = createProcess()
  const pending = supervisor.startLink(parent, { children: [it.child('a'), { id: 'b', start: () => never }] })
  for (; it.log.length === 0; ) await turn()
  parent.exit('shutdown')
  await assert.rejects(pending, { code: 'ended', reason: 'shutdown' })
  assert.deepEqual(it.log, ['+a', '-a shutdown'])
})

test('a nested supervisor whose start is pending ends its children before those of the one above', async t => {
  const it = tree(t)
  const never = new Promise<never>(() => {})
  const slow = { id: 'slow', start: () => never }
  const inner = supervisor.childSpec({
    id: 'inner',
    children: [it.child('b', { trapExit: true, body: linger }), slow],
  })
  const parent = createProcess()
  const pending = supervisor.startLink(parent, { children: [it.child('a'), inner] })
  for (; it.log.length < 2; ) await turn()
  parent.exit('shutdown')
  await assert.rejects(pending, { code: 'ended' })
  assert.deepEqual(it.log, ['+a', '+b', '-b shutdown', '-a shutdown'])
})

async function linger(self: Process<never>): Promise<void> {
  await self.receive([{ type: 'EXIT' }])
  await turn()
  self.exit('shutdown')
}

test('stop does not wait for a start that is pending', async t => {
  const it = tree(t)
  const sup = await it.start({ children: [it.child('a')] })
  const never = new Promise<never>(() => {})
  const started = supervisor.startChild(sup, { id: 'b', start: () => never })
  const stopped = supervisor.stop(sup)
  await assert.rejects(started, { name: 'CallError', reason: 'normal' })
  await stopped
  assert.deepEqual(it.log, ['+a', '-a shutdown'])
})

test('what start gives must be something that can be ended', async t => {
  const it = tree(t)
  const sup = await it.start({})
  const give = (given: unknown) => supervisor.startChild(sup, { id: 'a', start: () => given as never })
  await assert.rejects(
    give(undefined),
    /start must give a process, a connection, an xstate actor or 'ignore'/,
  )
  await assert.rejects(give({ pid: 1 }), { code: 'failed_to_start_child' })
})

test('a machine of xstate is a child as a process is', async t => {
  const it = tree(t)
  const machine = createMachine({
    initial: 'on',
    states: { on: { on: { END: 'off' } }, off: { type: 'final' } },
  })
  let starts = 0
  const start = () => {
    starts++
    return createActor(machine).start()
  }
  const sup = await it.start({ children: [{ id: 'machine', start }] })
  const [child] = await supervisor.whichChildren(sup)
  const actor = child?.pid as unknown as { send(event: { type: 'END' }): void }
  actor.send({ type: 'END' })
  await supervisor.whichChildren(sup)
  assert.equal(starts, 2)
  await supervisor.terminateChild(sup, 'machine')
  assert.deepEqual(await running(sup), [])
})

test('a child that has ended before its start has given it is started anew', async t => {
  const it = tree(t)
  let starts = 0
  const start = async () => {
    const pid = createProcess<never>()
    if (++starts === 1) pid.exit('boom')
    t.after(() => pid.exit())
    return pid
  }
  const sup = await it.start({ children: [{ id: 'a', start }] })
  assert.deepEqual(await running(sup), ['a'])
  assert.equal(starts, 2)
})
