/** How a supervisor ends its children, and itself. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { CallError, createProcess, exit, type Process, processInfo, setExitHook } from '@holster/process'
import { mockTimeouts } from '../../../../test/support/clock.ts'
import { supervisor } from '../../src/index.ts'
import { failsWith, ignoreExits, running, settled, tree } from '../support/tree.ts'

const stubborn = { trapExit: true, body: ignoreExits }

test('the end of the parent ends the children in reverse, and then the supervisor', async t => {
  const it = tree(t)
  const parent = createProcess()
  const inner = supervisor.childSpec({ id: 'inner', children: [it.child('b'), it.child('c')] })
  const sup = await supervisor.startLink(parent, { children: [it.child('a'), inner, it.child('d')] })
  it.taken()
  parent.exit('shutdown')
  assert.equal(await sup.exited, 'shutdown')
  assert.deepEqual(it.log, ['-d shutdown', '-c shutdown', '-b shutdown', '-a shutdown'])
})

test('a supervisor without a parent is ended in order by exit', async t => {
  const it = tree(t)
  const sup = await supervisor.start({ children: [it.child('a'), it.child('b')] })
  exit(sup, 'shutdown')
  assert.equal(await sup.exited, 'shutdown')
  assert.deepEqual(it.log, ['+a', '+b', '-b shutdown', '-a shutdown'])
})

test('stop ends a supervisor in order, and says if it had ended', async t => {
  const it = tree(t)
  const sup = await supervisor.start({ children: [it.child('a')] })
  await supervisor.stop(sup)
  assert.equal(await sup.exited, 'normal')
  assert.deepEqual(it.log, ['+a', '-a shutdown'])
  await assert.rejects(supervisor.stop(sup), { name: 'CallError', reason: 'noproc' })
})

test('the error of a parent is the reason of the supervisor, and is reported once', async t => {
  const it = tree(t)
  const reported: unknown[] = []
  setExitHook((_, reason) => {
    reported.push(reason)
  })
  const parent = createProcess()
  const sup = await supervisor.startLink(parent, { children: [it.child('a')] })
  const broken = new Error('broken')
  parent.exit(broken)
  assert.equal(await sup.exited, broken)
  assert.deepEqual(reported, [broken])
})

test('a child that does not end in time is killed, which is reported', async t => {
  const it = tree(t)
  const sup = await it.start({ children: [it.child('a', { ...stubborn, shutdown: 1000 })] })
  const pass = mockTimeouts(t)
  const terminated = supervisor.terminateChild(sup, 'a')
  await turn()
  await pass(999)
  assert.deepEqual(it.log, ['+a'])
  await pass(1)
  await terminated
  assert.deepEqual(it.log, ['+a', '-a killed'])
  assert.deepEqual(it.reports, [
    { type: 'shutdown_error', supervisor: sup, id: 'a', pid: it.pid('a'), reason: 'killed' },
  ])
  assert.deepEqual(processInfo(sup).timers, [])
})

test('brutal_kill kills at once, and is no error', async t => {
  const it = tree(t)
  const sup = await it.start({ children: [it.child('a', { ...stubborn, shutdown: 'brutal_kill' })] })
  await supervisor.terminateChild(sup, 'a')
  assert.deepEqual(it.log, ['+a', '-a killed'])
  assert.deepEqual(it.reports, [])
})

test('a child that has unlinked itself is ended all the same', async t => {
  const it = tree(t)
  const sup = await it.start({ children: [it.child('a')] })
  it.pid('a').unlink(sup)
  await supervisor.terminateChild(sup, 'a')
  assert.deepEqual(it.log, ['+a', '-a shutdown'])
})

test('a child that has ended for a reason of its own before it was told to is an error of the shutdown', async t => {
  const it = tree(t)
  const sup = await it.start({ children: [it.child('a')] })
  const terminated = supervisor.terminateChild(sup, 'a')
  it.pid('a').exit('boom')
  await terminated
  assert.deepEqual(
    it.reports.map(report => 'reason' in report && [report.type, report.reason]),
    [['shutdown_error', 'boom']],
  )
  assert.deepEqual(await running(sup), [])
})

test('the children of a simple_one_for_one end at the same time, each within its own time', async t => {
  const it = tree(t)
  const sup = await supervisor.start({ strategy: 'simple_one_for_one' })
  for (const [id, shutdown] of [
    ['a', 2000],
    ['b', 1000],
    ['c', 2000],
  ] as const) {
    await supervisor.startChild(sup, it.child(id, { ...stubborn, shutdown }))
  }
  await supervisor.startChild(sup, it.child('d'))
  it.taken()
  const pass = mockTimeouts(t)
  exit(sup, 'shutdown')
  await turn()
  assert.deepEqual(it.taken(), ['-d shutdown'])
  await pass(1000)
  assert.deepEqual(it.taken(), ['-b killed'])
  await pass(1000)
  assert.deepEqual(it.taken(), ['-a killed', '-c killed'])
  assert.equal(await sup.exited, 'shutdown')
})

test('a supervisor that is killed takes its children with it', async t => {
  const it = tree(t)
  const sup = await supervisor.start({ children: [it.child('a'), it.child('b')] })
  exit(sup, 'kill')
  assert.equal(await sup.exited, 'killed')
  assert.deepEqual(it.log, ['+a', '+b', '-a killed', '-b killed'])
})

test('a supervisor that is killed while a child takes long to end is dead at once', async t => {
  const it = tree(t)
  const shutdown = Number.POSITIVE_INFINITY
  const sup = await supervisor.start({ children: [it.child('a', { ...stubborn, shutdown })] })
  const terminated = supervisor.terminateChild(sup, 'a')
  await turn()
  exit(sup, 'kill')
  await assert.rejects(terminated, error => error instanceof CallError && error.reason === 'killed')
  exit(it.pid('a'), 'kill')
})

test('terminated children are kept, started anew on demand, and deleted', async t => {
  const it = tree(t)
  const sup = await it.start({ children: [it.child('a'), it.child('b')] })
  await assert.rejects(supervisor.restartChild(sup, 'a'), failsWith('running'))
  await assert.rejects(supervisor.deleteChild(sup, 'a'), failsWith('running'))
  await supervisor.terminateChild(sup, 'a')
  assert.deepEqual(await running(sup), ['b'])
  await assert.rejects(supervisor.startChild(sup, it.child('a')), failsWith('already_present'))
  assert.equal(await supervisor.restartChild(sup, 'a'), it.pid('a'))
  await assert.rejects(supervisor.startChild(sup, it.child('a')), {
    code: 'already_started',
    pid: it.pid('a'),
  })
  assert.deepEqual(await running(sup), ['a', 'b'])
  await supervisor.terminateChild(sup, 'a')
  await supervisor.deleteChild(sup, 'a')
  await assert.rejects(supervisor.restartChild(sup, 'a'), failsWith('not_found'))
  assert.deepEqual(await supervisor.countChildren(sup), { specs: 1, active: 1, supervisors: 0, workers: 1 })
})

test('a child that is about to be started anew can be ended', async t => {
  const it = tree(t)
  const backoff = { initial: 1000, max: 1000, jitter: 0 }
  const sup = await it.start({ backoff, children: [it.child('a')] })
  const pass = mockTimeouts(t)
  it.pid('a').exit('boom')
  assert.deepEqual(await supervisor.whichChildren(sup), [{ id: 'a', pid: 'restarting', type: 'worker' }])
  await assert.rejects(supervisor.restartChild(sup, 'a'), failsWith('restarting'))
  await assert.rejects(supervisor.deleteChild(sup, 'a'), failsWith('restarting'))
  await supervisor.terminateChild(sup, 'a')
  await pass(1000)
  assert.deepEqual(await supervisor.whichChildren(sup), [{ id: 'a', pid: undefined, type: 'worker' }])
  assert.deepEqual(processInfo(sup).timers, [])
})

test('a delayed restart waits longer each time, and from the beginning after a long life', async t => {
  const it = tree(t)
  let now = 1_000_000
  t.mock.method(performance, 'now', () => now)
  const backoff = { initial: 100, max: 300, jitter: 0 }
  const sup = await it.start({ intensity: 100, children: [it.child('a', { backoff })] })
  const pass = mockTimeouts(t)
  for (const delay of [100, 200, 300, 300]) {
    it.pid('a').exit('boom')
    await supervisor.whichChildren(sup)
    it.taken()
    await pass(delay - 1)
    assert.deepEqual(it.taken(), [])
    await pass(1)
    assert.deepEqual(it.taken(), ['+a'])
  }
  now += 300
  it.pid('a').exit('boom')
  await supervisor.whichChildren(sup)
  await pass(100)
  assert.deepEqual(it.log, ['-a boom', '+a'])
})

test('a delayed restart ends the others at once, and counts when it is made', async t => {
  const it = tree(t)
  const backoff = { initial: 100, max: 100, jitter: 0 }
  const children = [it.child('a'), it.child('b')]
  const sup = await it.start({ strategy: 'one_for_all', intensity: 1, backoff, children })
  const pass = mockTimeouts(t)
  it.taken()
  it.pid('a').exit('boom')
  await turn()
  assert.deepEqual(it.taken(), ['-a boom', '-b shutdown'])
  await pass(100)
  assert.deepEqual(it.taken(), ['+a', '+b'])
  it.pid('b').exit('boom')
  await turn()
  assert.equal(sup.isAlive, true)
  await pass(100)
  assert.equal(await sup.exited, 'shutdown')
})

test('a start that fails is tried again after a delay', async t => {
  const it = tree(t)
  const backoff = { initial: 100, max: 1000, jitter: 0 }
  const before = (attempt: number) => {
    if (attempt === 2) throw new Error('not yet')
  }
  const sup = await it.start({ intensity: 2, backoff, children: [it.child('a', { before })] })
  const pass = mockTimeouts(t)
  it.pid('a').exit('boom')
  await turn()
  await pass(100)
  assert.deepEqual(await running(sup), [])
  await pass(200)
  assert.deepEqual(await running(sup), ['a'])
})

test('a shutdown calls delayed restarts off', async t => {
  const it = tree(t)
  const backoff = { initial: 1000, max: 1000 }
  const sup = await supervisor.start({ backoff, children: [it.child('a')] })
  const pass = mockTimeouts(t)
  it.pid('a').exit('boom')
  await settledRestart(sup)
  await supervisor.stop(sup)
  await pass(1000)
  assert.deepEqual(it.log, ['+a', '-a boom'])
})

async function settledRestart(sup: Process<never>): Promise<void> {
  const [child] = await supervisor.whichChildren(sup)
  assert.equal(child?.pid, 'restarting')
}

test('a supervisor that has served many restarts holds no timer, no monitor and no message', async t => {
  const it = tree(t)
  const sup = await it.start({
    intensity: 1000,
    strategy: 'one_for_all',
    children: [it.child('a'), it.child('b')],
  })
  for (let i = 0; i < 100; i++) {
    it.pid('a').exit('boom')
    await settled(sup)
  }
  const { timers, monitors, messageQueueLength, links } = processInfo(sup)
  assert.deepEqual(
    { timers, monitors, messageQueueLength },
    { timers: [], monitors: [], messageQueueLength: 0 },
  )
  assert.equal(links.length, 3)
})
