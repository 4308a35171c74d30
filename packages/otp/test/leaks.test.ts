// Objects that nobody can reach any more are collected, and those that have ended leave no process, timer or listener.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { createProcess, P, type Process, processes, processInfo, spawn } from '@holster/process'
import { assign, setup } from 'xstate'
import { genServer, pg, registry, supervisor, task } from '../src/index.ts'
import { fromMachine } from '../src/xstate.ts'

const MANY = 2000
/** How many of them are made at the same time. */
const TOGETHER = 50
/** Longer than any test, in milliseconds. */
const A_DAY = 86_400_000

/** Resolves once what `make` makes, many times, is collected, and no timer of Node is left that was not there before. */
async function leavesNothing(make: () => object | Promise<object>): Promise<void> {
  await collect()
  const [before, living] = [timers(), processes().length]
  const refs: WeakRef<object>[] = []
  while (refs.length < MANY) {
    refs.push(...(await Promise.all(Array.from({ length: TOGETHER }, () => reference(make)))))
  }
  for (let tries = 0; refs.some(ref => ref.deref() !== undefined); tries++) {
    assert.ok(tries < 20, `${refs.filter(ref => ref.deref() !== undefined).length} of ${MANY} are kept`)
    await collect()
  }
  assert.equal(timers(), before)
  assert.ok(processes().length <= living, `${processes().length - living} processes are left`)
}

async function reference(make: () => object | Promise<object>): Promise<WeakRef<object>> {
  return new WeakRef(await make())
}

async function collect(): Promise<void> {
  await turn()
  globalThis.gc?.()
}

function timers(): number {
  return process.getActiveResourcesInfo().filter(name => name === 'Timeout').length
}

const counter = genServer.define({
  init: () => ['ok', 0],
  handleCall: {
    next: (_request, _from, state) => ['reply', state, state + 1],
    idle: (_request, _from, state) => ['reply', state, state, A_DAY],
  },
})

const worker = {
  id: 'worker',
  start: (parent: Process<never>) => parent.spawnLink(self => self.receive(['never'])),
}

const machine = setup({ types: { context: {} as { n: number } } }).createMachine({
  context: { n: 0 },
  on: { '*': { actions: assign({ n: ({ context }) => context.n + 1 }) } },
})

describe('what is not reachable any more is collected:', () => {
  test('a process that has waited with a timeout, called, monitored and set timers', () =>
    leavesNothing(async () => {
      const server = await genServer.start(counter)
      const self = createProcess()
      await self.receive(['never'], { timeout: 0, onTimeout: () => undefined })
      const waiting = self.receive(['x'], A_DAY)
      self.send('x')
      await waiting
      await genServer.call(server, { type: 'next' }, Number.POSITIVE_INFINITY)
      await self.call(server, { type: 'next' }, Number.POSITIVE_INFINITY)
      self.demonitor(self.monitor(server))
      self.link(server)
      self.cancelTimer(self.sendAfter(A_DAY, 'never'))
      spawn(() => undefined)
      return self
    }))

  test('a server', () =>
    leavesNothing(async () => {
      const server = await genServer.start(counter, undefined, { timeout: A_DAY })
      await genServer.call(server, { type: 'next' }, Number.POSITIVE_INFINITY)
      await genServer.call(server, { type: 'idle' }, Number.POSITIVE_INFINITY)
      await genServer.call(server, { type: 'next' }, Number.POSITIVE_INFINITY)
      return server
    }))

  test('a supervisor with its children', () =>
    leavesNothing(async () => {
      const tree = await supervisor.start({
        children: [worker, genServer.childSpec(counter, undefined, { id: 'server' })],
      })
      await supervisor.whichChildren(tree)
      return tree
    }))

  test('a machine', () =>
    leavesNothing(async () => {
      const pid = spawn(fromMachine(machine))
      await turn()
      pid.send({ type: 'any' })
      return pid
    }))

  test('a registry, and what is registered in it', () =>
    leavesNothing(() => {
      const names = registry.start<string>({ keys: 'unique' })
      registry.register(names, 'a', createProcess())
      return names
    }))
})

describe('what has ended leaves nothing:', () => {
  test('a server, stopped', () =>
    leavesNothing(async () => {
      const self = createProcess({ trapExit: true })
      const server = (await genServer.startLink(self, counter)) as Process
      const id = genServer.sendRequest(self, server, { type: 'next' })
      await genServer.receiveResponse(self, id, A_DAY)
      await genServer.stop(server)
      await self.receive([{ type: 'EXIT', from: server }])
      assert.equal(self.messageQueueLength, 0)
      assert.deepEqual(processInfo(self).links, [])
      self.exit()
      return server
    }))

  test('a supervisor, stopped', () =>
    leavesNothing(async () => {
      const tree = await supervisor.start({
        children: [worker],
        backoff: { initial: A_DAY, max: A_DAY },
        intensity: 5,
      })
      const [child] = await supervisor.whichChildren(tree)
      assert.ok(child && typeof child.pid === 'object')
      ;(child.pid as Process).exit('shutdown')
      assert.equal((await supervisor.whichChildren(tree))[0]?.pid, 'restarting')
      await supervisor.stop(tree)
      return tree
    }))

  test('a task, awaited or given up', () =>
    leavesNothing(async () => {
      const self = createProcess<never>()
      const [done, late] = [task.async(self, () => 1), task.async(self, process => process.receive([P._]))]
      assert.equal(await task.await(done, A_DAY), 1)
      await task.shutdown(late, A_DAY)
      for await (const result of task.asyncStream(self, [1, 2, 3], n => n, { timeout: A_DAY }))
        assert.equal(result[0], 'ok')
      assert.equal(self.messageQueueLength, 0)
      assert.deepEqual(processInfo(self).monitors, [])
      self.exit()
      return late
    }))

  test('a machine, with a delay that was under way', () =>
    leavesNothing(async () => {
      const pid = spawn(fromMachine(setup({}).createMachine({ after: { 60000: {} } })))
      await turn()
      pid.exit()
      return pid
    }))

  test('a member of a group, and one that is registered', async () => {
    const names = registry.start<object>({ keys: 'duplicate' })
    const scope = pg.start('leaks')
    await leavesNothing(() => {
      const self = createProcess()
      registry.register(names, { key: 1 }, self)
      pg.join({ group: 1 }, self, 'leaks')
      pg.monitor(self, { group: 2 }, 'leaks')
      self.exit()
      return self
    })
    assert.equal(registry.count(names), 0)
    assert.deepEqual(pg.whichGroups('leaks'), [])
    scope.exit()
    names.exit()
  })
})
