/** The supervisors that live, and their children, looked at from outside. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createProcess, exit, type Process } from '@holster/process'
import { supervisor } from '../../src/index.ts'
import { type ChildInsight, type SupervisorInsight, supervisors } from '../../src/internal.ts'
import { settled, tree } from '../support/tree.ts'

/** A promise that is resolved from outside. */
function signal(): { readonly promise: Promise<void>; resolve(): void } {
  let resolve = (): void => undefined
  const promise = new Promise<void>(fulfil => {
    resolve = fulfil
  })
  return { promise, resolve: () => resolve() }
}

function lookAt(pid: Process<never>): SupervisorInsight {
  const found = supervisors().find(each => each.pid === pid)
  assert.ok(found !== undefined, 'the supervisor is not listed')
  return found
}

function childrenOf(pid: Process<never>): ChildInsight[] {
  return [...lookAt(pid).children]
}

function childOf(pid: Process<never>, id: string): ChildInsight {
  return childrenOf(pid).find(child => child.id === id) ?? assert.fail(`there is no ${id}`)
}

test('a supervisor is listed with its parent, its strategy and its children in the order of their starts', async t => {
  const it = tree(t)
  const nested = supervisor.childSpec({ id: 'nested', strategy: 'simple_one_for_one' })
  const pid = await it.start({ strategy: 'rest_for_one', children: [it.child('a'), nested] })
  const { parent, strategy, isDynamic, size, children } = lookAt(pid)
  assert.equal(parent, it.self)
  assert.deepEqual({ strategy, isDynamic, size }, { strategy: 'rest_for_one', isDynamic: false, size: 2 })
  const [a, below] = [...children]
  assert.deepEqual(a, {
    id: 'a',
    pid: it.pid('a'),
    type: 'worker',
    isStarting: false,
    isRestarting: false,
    restarts: 0,
    restartedAt: undefined,
    lastReason: undefined,
  })
  assert.equal(below?.type, 'supervisor')
  const inner = lookAt(below?.pid as Process<never>)
  assert.equal(inner.parent, pid)
  assert.equal(inner.isDynamic, true)
})

test('a supervisor without a parent has none, and is listed until it has ended', async () => {
  const pid = await supervisor.start({})
  assert.equal(lookAt(pid).parent, undefined)
  await supervisor.stop(pid)
  assert.equal(
    supervisors().some(each => each.pid === pid),
    false,
  )
})

test('a supervisor that was killed is not listed any more at once', async () => {
  const pid = await supervisor.start({})
  exit(pid, 'kill')
  assert.equal(
    supervisors().some(each => each.pid === pid),
    false,
  )
  await pid.exited
})

test('a child tells how often it was started anew, when, and why it ended last', async t => {
  const it = tree(t)
  const pid = await it.start({ intensity: 10, children: [it.child('a'), it.child('b')] })
  const before = Date.now()
  it.pid('a').exit(new RangeError('too far'))
  await settled(pid)
  it.pid('a').exit('boom')
  await settled(pid)
  const a = childOf(pid, 'a')
  assert.equal(a.pid, it.pid('a'))
  assert.equal(a.restarts, 2)
  assert.equal(a.lastReason, 'boom')
  assert.ok((a.restartedAt ?? 0) >= before)
  assert.equal(childOf(pid, 'b').restarts, 0)
})

test('children that are ended and started anew with another one count as well', async t => {
  const it = tree(t)
  const pid = await it.start({ strategy: 'one_for_all', children: [it.child('a'), it.child('b')] })
  it.pid('b').exit(new Error('boom'))
  await settled(pid)
  const shown = childrenOf(pid).map(({ id, restarts, lastReason }) => ({ id, restarts, lastReason }))
  assert.deepEqual(shown, [
    { id: 'a', restarts: 1, lastReason: 'shutdown' },
    { id: 'b', restarts: 1, lastReason: 'Error: boom' },
  ])
})

test('a child that is ended by hand and started again has one restart; one that could not be started says why', async t => {
  const it = tree(t)
  const before = (attempt: number) => {
    if (attempt === 2) throw new Error('not yet')
  }
  const pid = await it.start({ children: [it.child('a', { before })] })
  await supervisor.terminateChild(pid, 'a')
  assert.equal(childOf(pid, 'a').pid, undefined)
  assert.equal(childOf(pid, 'a').lastReason, 'shutdown')
  await assert.rejects(supervisor.restartChild(pid, 'a'))
  assert.equal(childOf(pid, 'a').lastReason, 'Error: not yet')
  assert.equal(childOf(pid, 'a').restarts, 0)
  await supervisor.restartChild(pid, 'a')
  assert.equal(childOf(pid, 'a').restarts, 1)
})

test('a child waits for its delayed restart, and says for how long', async t => {
  const it = tree(t)
  const backoff = { initial: 3_600_000, max: 3_600_000, jitter: 0 }
  const pid = await it.start({ children: [it.child('a', { backoff })] })
  it.pid('a').exit('boom')
  await supervisor.whichChildren(pid)
  const { pid: none, isRestarting, delayLeft, restarts } = childOf(pid, 'a')
  assert.deepEqual({ none, isRestarting, restarts }, { none: undefined, isRestarting: true, restarts: 0 })
  assert.ok(delayLeft !== undefined && delayLeft > 0 && delayLeft <= 3_600_000)
})

test('a supervisor that waits for the start of a child is shown with that child', async t => {
  const it = tree(t)
  const gate = signal()
  const reached = signal()
  const before = (attempt: number) => {
    if (attempt === 1) return
    reached.resolve()
    return gate.promise
  }
  const pid = await it.start({ children: [it.child('a', { before }), it.child('b')] })
  it.pid('a').exit('boom')
  await reached.promise
  const { pid: none, isStarting, isRestarting, lastReason } = childOf(pid, 'a')
  assert.deepEqual(
    { none, isStarting, isRestarting, lastReason },
    { none: undefined, isStarting: true, isRestarting: true, lastReason: 'boom' },
  )
  assert.equal(childOf(pid, 'b').isStarting, false)
  gate.resolve()
  await settled(pid)
  assert.equal(childOf(pid, 'a').isStarting, false)
  assert.equal(childOf(pid, 'a').restarts, 1)
})

test('a first start that is pending is no restart', async t => {
  const it = tree(t)
  const gate = signal()
  const reached = signal()
  const before = () => {
    reached.resolve()
    return gate.promise
  }
  const started = it.start({ children: [it.child('a', { before })] })
  await reached.promise
  const [found] = supervisors().filter(each => each.parent === it.self)
  assert.ok(found !== undefined)
  const { isStarting, isRestarting } = childOf(found.pid, 'a')
  assert.deepEqual({ isStarting, isRestarting }, { isStarting: true, isRestarting: false })
  gate.resolve()
  await started
})

test('the children of a dynamic supervisor are counted without a walk, and looked at one by one', async t => {
  const it = tree(t)
  const pid = await it.start({ strategy: 'simple_one_for_one' })
  for (const id of ['x', 'y', 'z']) {
    await supervisor.startChild(pid, it.child(id, { restart: 'temporary' }))
  }
  assert.equal(lookAt(pid).size, 3)
  for (const child of lookAt(pid).children) {
    assert.equal(child.id, 'x')
    break
  }
  it.pid('y').exit('boom')
  await settled(pid)
  assert.deepEqual(
    childrenOf(pid).map(({ id }) => id),
    ['x', 'z'],
  )
})

test('a reason that takes very much text is cut', async t => {
  const it = tree(t)
  const pid = await it.start({ children: [it.child('a')] })
  it.pid('a').exit('x'.repeat(5000))
  await settled(pid)
  assert.equal(childOf(pid, 'a').lastReason, `${'x'.repeat(1000)}…`)
})

test('being listed keeps no supervisor alive', async () => {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  const lost = async () => {
    const parent = createProcess<{ type: 'never' }>()
    const pid = await supervisor.startLink(parent, {})
    return new WeakRef(pid)
  }
  const reference = await lost()
  for (let turns = 0; turns < 1000 && reference.deref() !== undefined; turns++) {
    await new Promise(resolve => setImmediate(resolve))
    gc()
  }
  assert.equal(reference.deref(), undefined)
  assert.equal(supervisors().length, 0)
})
