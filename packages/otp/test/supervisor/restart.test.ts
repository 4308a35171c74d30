/** The steps that a supervisor takes when a child ends by itself. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { createProcess, exit } from '@holster/process'
import { supervisor } from '../../src/index.ts'
import { failsWith, running, settled, tree } from '../support/tree.ts'

test('restart types: each reason, each type', async t => {
  const it = tree(t)
  const sup = await it.start({ intensity: 100 })
  for (const restart of ['permanent', 'transient', 'temporary'] as const) {
    for (const reason of ['normal', 'shutdown', ['shutdown', 'why'], 'boom', 'killed']) {
      await supervisor.startChild(sup, it.child('a', { restart }))
      it.pid('a').exit(reason)
      const isRestarted =
        restart === 'permanent' || (restart === 'transient' && ['boom', 'killed'].includes(reason as string))
      assert.deepEqual(await running(sup), isRestarted ? ['a'] : [], `${restart} ${reason}`)
      const { specs } = await supervisor.countChildren(sup)
      assert.equal(specs, restart === 'temporary' ? 0 : 1)
      if (restart === 'temporary') continue
      await supervisor.terminateChild(sup, 'a')
      await supervisor.deleteChild(sup, 'a')
    }
  }
})

test('rest_for_one ends and starts those behind the child', async t => {
  const it = tree(t)
  const children = ['a', 'b', 'c', 'd'].map(id => it.child(id))
  const sup = await it.start({ strategy: 'rest_for_one', children })
  it.taken()
  it.pid('b').exit('boom')
  await settled(sup)
  assert.deepEqual(it.log, ['-b boom', '-d shutdown', '-c shutdown', '+b', '+c', '+d'])
})

test('one_for_all ends and starts all, but for temporary ones', async t => {
  const it = tree(t)
  const children = [it.child('a'), it.child('b', { restart: 'temporary' }), it.child('c')]
  const sup = await it.start({ strategy: 'one_for_all', children })
  it.taken()
  it.pid('c').exit('boom')
  await settled(sup)
  assert.deepEqual(it.log, ['-c boom', '-b shutdown', '-a shutdown', '+a', '+c'])
})

test('a restart that fails is tried again, and each try counts', async t => {
  const it = tree(t)
  const before = (attempt: number) => {
    if (attempt === 2 || attempt === 3) throw new Error('not yet')
  }
  const sup = await it.start({ intensity: 3, children: [it.child('a', { before })] })
  it.pid('a').exit('boom')
  await settled(sup)
  assert.deepEqual(await running(sup), ['a'])
  it.pid('a').exit('boom')
  const { reason } = await it.self.receive([{ type: 'EXIT', from: sup }])
  assert.equal(reason, 'shutdown')
  assert.deepEqual(
    it.reports.map(({ type }) => type),
    ['child_terminated', 'start_error', 'start_error', 'child_terminated', 'shutdown'],
  )
})

test('as many restarts as the intensity within a period are made, and one more is not', async t => {
  const it = tree(t)
  let now = 1_000_000
  t.mock.method(performance, 'now', () => now)
  const sup = await it.start({ intensity: 2, period: 100, children: [it.child('a')] })
  const crash = async () => {
    it.pid('a').exit('boom')
    await turn()
    return sup.isAlive
  }
  assert.equal(await crash(), true)
  now += 50
  assert.equal(await crash(), true)
  // The first one lies one period and a moment back.
  now += 50.5
  assert.equal(await crash(), true)
  // The second one lies exactly one period back.
  now += 49.5
  assert.equal(await crash(), false)
  assert.equal(await sup.exited, 'shutdown')
})

test('intensity 0 allows no restart', async t => {
  const it = tree(t)
  const sup = await it.start({ intensity: 0, children: [it.child('a'), it.child('b')] })
  it.pid('b').exit('boom')
  assert.equal(await sup.exited, 'shutdown')
  assert.deepEqual(it.log, ['+a', '+b', '-b boom', '-a shutdown'])
})

test('a significant child that ends in order ends its supervisor', async t => {
  const it = tree(t)
  const children = [it.child('a'), it.child('b', { restart: 'transient', significant: true })]
  const sup = await it.start({ autoShutdown: 'any_significant', children })
  it.pid('b').exit('normal')
  assert.equal(await sup.exited, 'shutdown')
  assert.deepEqual(
    it.reports.map(report => 'reason' in report && report.reason),
    ['significant_child'],
  )
})

test('all_significant waits for the last significant child', async t => {
  const it = tree(t)
  const significant = { restart: 'temporary', significant: true } as const
  const children = [it.child('a'), it.child('b', significant), it.child('c', significant)]
  const sup = await it.start({ autoShutdown: 'all_significant', children })
  it.pid('b').exit('boom')
  assert.deepEqual(await running(sup), ['a', 'c'])
  it.pid('c').exit('boom')
  assert.equal(await sup.exited, 'shutdown')
})

test('a significant child that the supervisor was asked to end does not end it', async t => {
  const it = tree(t)
  const children = [it.child('a', { restart: 'transient', significant: true })]
  const sup = await it.start({ autoShutdown: 'any_significant', children })
  await supervisor.terminateChild(sup, 'a')
  assert.deepEqual(await running(sup), [])
})

test('the exits of others are ignored, and unknown messages are reported', async t => {
  const it = tree(t)
  const sup = await it.start({ children: [it.child('a')] })
  const other = createProcess()
  other.exit(sup, 'shutdown')
  other.link(sup)
  other.exit('boom')
  ;(sup as { send(message: unknown): void }).send('hello')
  assert.deepEqual(await running(sup), ['a'])
  assert.deepEqual(it.reports, [{ type: 'unexpected', pid: sup, message: 'hello' }])
})

test('a simple_one_for_one takes children that differ, up to maxChildren', async t => {
  const it = tree(t)
  const sup = await it.start({ strategy: 'simple_one_for_one', maxChildren: 2 })
  const a = await supervisor.startChild(sup, it.child('a', { restart: 'temporary' }))
  await supervisor.startChild(sup, it.child('b'))
  await assert.rejects(supervisor.startChild(sup, it.child('c')), failsWith('max_children'))
  assert.ok(a !== undefined)
  exit(a, 'shutdown')
  await supervisor.startChild(sup, it.child('b'))
  assert.deepEqual(await running(sup), ['b', 'b'])
})

test('functions that take an id are refused by a simple_one_for_one', async t => {
  const it = tree(t)
  const sup = await it.start({ strategy: 'simple_one_for_one' })
  const a = (await supervisor.startChild(sup, it.child('a'))) ?? assert.fail()
  for (const ask of [
    supervisor.terminateChild,
    supervisor.restartChild,
    supervisor.deleteChild,
    supervisor.getChildspec,
  ]) {
    await assert.rejects(ask(sup, 'a'), failsWith('simple_one_for_one'))
  }
  assert.equal((await supervisor.getChildspec(sup, a)).id, 'a')
  await assert.rejects(supervisor.terminateChild(sup, it.self), failsWith('not_found'))
  await supervisor.terminateChild(sup, a)
  await supervisor.terminateChild(sup, a)
  assert.deepEqual(await supervisor.whichChildren(sup), [])
})
