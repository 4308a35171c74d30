/** Examples of supervisors: they start children, start them anew, and end them before themselves. */

import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { type ChildSpec, genServer, type RunningChild, SupervisorError, supervisor } from '@holster/otp'
import { createProcess, P, setExitHook, whereis } from '@holster/process'

// #region otp/supervisor/start, otp/supervisor/startLink, otp/supervisor/stop, otp/supervisor/childSpec, otp/supervisor/startChild, otp/supervisor/terminateChild, otp/supervisor/restartChild, otp/supervisor/deleteChild, otp/supervisor/whichChildren, otp/supervisor/countChildren, otp/supervisor/getChildspec, otp/supervisor/checkChildspecs, otp/types/NestedOptions, otp/supervisor/types/StartOptions, otp/errors/SupervisorError
const worker = (name: string): ChildSpec => ({
  id: name,
  start: parent => parent.spawnLink(self => self.receive([P._]), { name }),
})
// #endregion

// The crashes of these examples are what they show.
beforeEach(() => void setExitHook(() => {}))
afterEach(() => void setExitHook(undefined))

test('start starts the children in order, and a process may be found by its name then', async () => {
  // #region otp/supervisor/start
  const sup = await supervisor.start({ children: [worker('reader'), worker('writer')] })
  const reader = whereis('reader') // runs
  await supervisor.stop(sup)
  // #endregion
  assert.notEqual(reader, undefined)
  assert.equal(whereis('reader'), undefined)
})

test('a child that crashes is started anew, with its state as it was at first', async () => {
  // #region otp/types/SupervisorOptions, otp/types/ChildSpec
  const counter = genServer.define({
    init: (n: number) => ['ok', n],
    handleCall: {
      next: (_request, _from, n) => ['reply', n, n + 1],
      crash: () => {
        throw new Error('crash')
      },
    },
  })
  const sup = await supervisor.start({
    strategy: 'one_for_one',
    intensity: 3, // the fourth restart within 5 seconds would end the supervisor
    period: 5000,
    children: [genServer.childSpec(counter, 1, { name: 'counter' })],
  })
  const first = await genServer.call('counter', { type: 'next' }) // 1
  await genServer.call('counter', { type: 'crash' }).catch(() => {})
  const next = await genServer.call('counter', { type: 'next' }) // 1 again
  // #endregion
  await supervisor.stop(sup)
  assert.deepEqual([first, next], [1, 1])
})

test('startLink ties the supervisor to its parent', async () => {
  // #region otp/supervisor/startLink
  const self = createProcess()
  const sup = await supervisor.startLink(self, { children: [worker('reader')] }, { name: 'sup' })
  self.exit('shutdown')
  const reason = await sup.exited // 'shutdown', after its children
  // #endregion
  assert.equal(reason, 'shutdown')
})

test('a supervisor has a name', async () => {
  // #region otp/supervisor/types/StartOptions
  await supervisor.start({ children: [worker('reader')] }, { name: 'sup' })
  const { active } = await supervisor.countChildren('sup') // 1
  await supervisor.stop('sup')
  // #endregion
  assert.equal(active, 1)
})

test('stop ends the children, the last one first, and then the supervisor', async () => {
  // #region otp/supervisor/stop
  const sup = await supervisor.start({ children: [worker('reader'), worker('writer')] })
  await supervisor.stop(sup, 'shutdown', 10_000) // first the writer, then the reader, then sup
  const reason = await sup.exited // 'shutdown'
  // #endregion
  assert.equal(reason, 'shutdown')
})

test('childSpec puts a supervisor below another one', async () => {
  // #region otp/supervisor/childSpec, otp/types/NestedOptions
  const pair = supervisor.childSpec({
    id: 'pair',
    name: 'pair',
    strategy: 'one_for_all', // the end of one ends the other, and both are started anew
    children: [worker('reader'), worker('writer')],
  })
  const root = await supervisor.start({ strategy: 'rest_for_one', children: [worker('log'), pair] })
  const { workers } = await supervisor.countChildren('pair') // 2
  await supervisor.stop(root)
  // #endregion
  assert.equal(workers, 2)
})

test('startChild starts one more child', async () => {
  const sup = await supervisor.start({})
  // #region otp/supervisor/startChild
  const pid = await supervisor.startChild(sup, worker('reader'))
  const again = await supervisor.startChild(sup, worker('reader')).catch(error => error)
  // again.code: 'already_started', again.pid: pid
  // #endregion
  assert.equal(again.code, 'already_started')
  assert.equal(again.pid, pid)
  await supervisor.stop(sup)
})

test('a function that gives a spec is the template of a simple_one_for_one', async () => {
  // #region otp/supervisor/startChild
  const session = (user: string): ChildSpec => ({
    id: user, // ids need not differ: these children are named by their pids
    restart: 'temporary',
    start: parent => parent.spawnLink(self => self.receive([P._], 60_000)),
  })
  const sessions = await supervisor.start({ strategy: 'simple_one_for_one', maxChildren: 1000 })
  const joe = await supervisor.startChild(sessions, session('joe'))
  const robert = await supervisor.startChild(sessions, session('robert'))
  if (joe !== undefined) await supervisor.terminateChild(sessions, joe)
  const children = await supervisor.whichChildren(sessions) // [{ id: 'robert', pid: robert, type: 'worker' }]
  // #endregion
  assert.deepEqual(
    children.map(({ pid }) => pid),
    [robert],
  )
  await supervisor.stop(sessions)
})

test('a child that was ended is kept, started again, and deleted', async () => {
  // #region otp/supervisor/terminateChild, otp/supervisor/restartChild, otp/supervisor/deleteChild
  const sup = await supervisor.start({ children: [worker('reader')] })
  await supervisor.terminateChild(sup, 'reader') // ends it; the spec stays
  const pid = await supervisor.restartChild(sup, 'reader') // runs again
  await supervisor.terminateChild(sup, 'reader')
  await supervisor.deleteChild(sup, 'reader') // now the spec is gone, too
  const { specs } = await supervisor.countChildren(sup) // 0
  // #endregion
  assert.notEqual(pid, undefined)
  assert.equal(specs, 0)
  await supervisor.stop(sup)
})

test('whichChildren gives the children, the last one first', async () => {
  // #region otp/supervisor/whichChildren
  const sup = await supervisor.start({ children: [worker('reader'), worker('writer')] })
  await supervisor.terminateChild(sup, 'reader')
  const children: readonly RunningChild[] = await supervisor.whichChildren(sup)
  // [{ id: 'writer', pid: …, type: 'worker' }, { id: 'reader', pid: undefined, type: 'worker' }]
  // #endregion
  assert.deepEqual(
    children.map(({ id, pid, type }) => [id, pid === whereis(id), type]),
    [
      ['writer', true, 'worker'],
      ['reader', true, 'worker'],
    ],
  )
  await supervisor.stop(sup)
})

test('countChildren counts the children', async () => {
  // #region otp/supervisor/countChildren
  const sup = await supervisor.start({ children: [worker('reader'), worker('writer')] })
  await supervisor.terminateChild(sup, 'reader')
  const counts = await supervisor.countChildren(sup) // { specs: 2, active: 1, supervisors: 0, workers: 2 }
  // #endregion
  assert.deepEqual(counts, { specs: 2, active: 1, supervisors: 0, workers: 2 })
  await supervisor.stop(sup)
})

test('getChildspec gives a spec with its defaults', async () => {
  // #region otp/supervisor/getChildspec
  const sup = await supervisor.start({ children: [worker('reader')] })
  const { restart, shutdown, type } = await supervisor.getChildspec(sup, 'reader')
  // 'permanent', 5000, 'worker'
  // #endregion
  assert.deepEqual([restart, shutdown, type], ['permanent', 5000, 'worker'])
  await supervisor.stop(sup)
})

test('checkChildspecs throws for a wrong spec', () => {
  let message = ''
  // #region otp/supervisor/checkChildspecs
  try {
    supervisor.checkChildspecs([worker('reader'), { ...worker('writer'), shutdown: -1 }])
  } catch (error) {
    message = String(error) // names specs[1].shutdown
  }
  // #endregion
  assert.match(message, /specs\[1\]\.shutdown/)
})

test('a SupervisorError has a code', async () => {
  const codes: unknown[] = []
  // #region otp/errors/SupervisorError
  const sup = await supervisor.start({ children: [worker('reader')] })
  try {
    await supervisor.deleteChild(sup, 'reader')
  } catch (error) {
    if (!(error instanceof SupervisorError)) throw error
    codes.push(error.code, error.id) // 'running', 'reader'
  }
  // #endregion
  assert.deepEqual(codes, ['running', 'reader'])
  await supervisor.stop(sup)
})

test('a start that fails says which child has failed, and why', async () => {
  // #region otp/errors/SupervisorError
  const broken: ChildSpec = {
    id: 'broken',
    start: () => {
      throw new Error('no license')
    },
  }
  const error = await supervisor.start({ children: [worker('reader'), broken] }).catch(error => error)
  // error.code: 'failed_to_start_child', error.id: 'broken'; the reader has been ended
  // #endregion
  assert.ok(error instanceof SupervisorError)
  assert.deepEqual([error.code, error.id], ['failed_to_start_child', 'broken'])
  assert.equal(whereis('reader'), undefined)
})

test('a backoff lets a child that cannot run wait before it tries again', async () => {
  let tries = 0
  let connected = () => {}
  const up = new Promise<void>(resolve => {
    connected = resolve
  })
  const connect = () => {
    if (++tries < 3) throw new Error('refused')
    connected()
  }
  // #region otp/types/SupervisorOptions, otp/types/Backoff
  const uplink: ChildSpec = {
    id: 'uplink',
    restart: 'transient', // started anew only after a crash
    start: parent => parent.spawnLink(() => connect()),
  }
  const sup = await supervisor.start({
    intensity: 10,
    backoff: { initial: 5, max: 1000, jitter: 0 }, // waits for 5 ms, 10 ms, 20 ms, …
    children: [uplink],
  })
  // #endregion
  await up
  await supervisor.stop(sup)
  assert.equal(tries, 3)
})
