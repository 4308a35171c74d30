/** A server ends in order: terminate runs, a report tells of a crash, and all who wait hear of it. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CallError, createProcess, exit, type Process, processInfo } from '@holster/process'
import { genServer } from '../../src/index.ts'
import { collectReports } from '../support/reports.ts'

const turn = () => new Promise(resolve => setImmediate(resolve))

/** Makes a server that logs how it ends, and crashes as it is told. */
function ending(onTerminate?: (reason: unknown, self: Process) => unknown) {
  const log: unknown[] = []
  const server = genServer.define({
    init: (trapExit: boolean, self) => {
      self.trapExit = trapExit
      return ['ok', 'state']
    },
    handleCall: {
      crash: ({ error }: { error: unknown }) => {
        throw error
      },
      crashLater: async ({ error }: { error: unknown }) => {
        await null
        throw error
      },
    },
    handleCast: {
      crash: ({ error }: { error: unknown }) => {
        throw error
      },
      stop: ({ reason }: { reason: unknown }, state) => ['stop', reason, state],
    },
    handleInfo: (message: { type: 'EXIT'; reason: unknown } | { type: 'crash'; error: unknown }, state) => {
      if (message.type === 'crash') throw message.error
      log.push(['EXIT', message.reason])
      return ['noreply', state]
    },
    terminate: async (reason, state, self) => {
      await null
      log.push(['terminate', reason, state])
      return onTerminate?.(reason, self)
    },
  })
  return { log, server }
}

describe('an error in a callback', () => {
  test('ends the server with it, tells the caller, and is reported once', async t => {
    for (const type of ['crash', 'crashLater'] as const) {
      const { reports, exits } = collectReports(t)
      const { log, server } = ending()
      const pid = await genServer.start(server, false)
      const error = new Error('broken')
      const rejection = await genServer.call(pid, { type, error }).catch((reason: unknown) => reason)
      assert.ok(rejection instanceof CallError)
      assert.equal(rejection.reason, error)
      assert.equal(rejection.cause, error)
      assert.equal(await pid.exited, error)
      assert.deepEqual(log, [['terminate', error, 'state']])
      assert.deepEqual(exits, [error])
      const [report, ...others] = reports
      assert.deepEqual(others, [])
      assert.ok(report?.type === 'crash')
      assert.equal(report.pid, pid)
      assert.equal(report.reason, error)
      assert.equal(report.state, 'state')
      assert.deepEqual((report.lastMessage as { request: unknown }).request, { type, error })
    }
  })

  test('that is no Error becomes the cause of one', async t => {
    collectReports(t)
    const { server } = ending()
    const pid = await genServer.start(server, false)
    genServer.cast(pid, { type: 'crash', error: 'normal' })
    const reason = await pid.exited
    assert.ok(reason instanceof Error)
    assert.equal(reason.cause, 'normal')
  })

  test('of handleInfo ends the server as well, and those who wait behind it hear of it', async t => {
    const { reports } = collectReports(t)
    const { server } = ending()
    const pid = await genServer.start(server, false)
    const error = new Error('broken')
    pid.send({ type: 'crash', error })
    const behind = genServer.call(pid, { type: 'crash', error: new Error('never seen') })
    await assert.rejects(behind, ({ reason }: CallError) => reason === error)
    assert.deepEqual(
      reports.map(report => report.type === 'crash' && report.lastMessage),
      [{ type: 'crash', error }],
    )
  })

  test('of terminate takes the place of the reason', async t => {
    const { reports, exits } = collectReports(t)
    const error = new Error('terminate is broken')
    const { server } = ending(() => {
      throw error
    })
    const pid = await genServer.start(server, false)
    await assert.rejects(genServer.stop(pid), ({ reason }: CallError) => reason === error)
    assert.equal(await pid.exited, error)
    assert.deepEqual(exits, [error])
    assert.equal(reports.length, 1)
  })
})

describe('an orderly stop', () => {
  for (const reason of ['normal', 'shutdown', ['shutdown', 'done']]) {
    test(`with ${JSON.stringify(reason)} is not reported`, async t => {
      const { reports, exits } = collectReports(t)
      const { log, server } = ending()
      const pid = await genServer.start(server, false)
      genServer.cast(pid, { type: 'stop', reason })
      assert.equal(await pid.exited, reason)
      assert.deepEqual(log, [['terminate', reason, 'state']])
      assert.deepEqual(reports, [])
      assert.deepEqual(exits, [])
    })
  }
})

describe('an exit signal', () => {
  test('ends a server that traps no exits without terminate', async t => {
    const { reports } = collectReports(t)
    const { log, server } = ending()
    const pid = await genServer.start(server, false)
    exit(pid, 'shutdown')
    assert.equal(await pid.exited, 'shutdown')
    await turn()
    assert.deepEqual(log, [])
    assert.deepEqual(reports, [])
  })

  test('of the parent ends a server that traps exits, after terminate', async t => {
    const { reports } = collectReports(t)
    for (const reason of ['normal', 'shutdown', 'boom']) {
      const { log, server } = ending()
      const parent = createProcess()
      const pid = await genServer.startLink(parent, server, true)
      parent.exit(reason)
      assert.equal(await pid.exited, reason)
      assert.deepEqual(log, [['terminate', reason, 'state']])
    }
    assert.deepEqual(
      reports.map(report => report.type === 'crash' && report.reason),
      ['boom'],
    )
  })

  test('of the parent is one as well if the parent lives on', async t => {
    collectReports(t)
    const { log, server } = ending()
    const parent = createProcess({ trapExit: true })
    const pid = await genServer.startLink(parent, server, true)
    parent.exit(pid, 'shutdown')
    assert.equal(await pid.exited, 'shutdown')
    assert.deepEqual(log, [['terminate', 'shutdown', 'state']])
    assert.deepEqual(await parent.receive([{ type: 'EXIT' }]), {
      type: 'EXIT',
      from: pid,
      reason: 'shutdown',
    })
  })

  test('of the process that called startMonitor is one of the parent, though no link sends any', async t => {
    collectReports(t)
    const { log, server } = ending()
    const self = createProcess()
    const { pid, ref } = await genServer.startMonitor(self, server, true)
    exit(pid, 'boom')
    assert.equal(await genServer.getState(pid), 'state')
    self.exit(pid, 'shutdown')
    assert.equal((await self.receive([{ type: 'DOWN', ref }])).reason, 'shutdown')
    assert.deepEqual(log, [
      ['EXIT', 'boom'],
      ['terminate', 'shutdown', 'state'],
    ])
    const other = await genServer.startMonitor(self, server, true)
    self.exit()
    assert.equal(await genServer.getState(other.pid), 'state')
    await genServer.stop(other.pid)
  })

  test("of the parent with 'normal' does not end a server that traps no exits", async () => {
    const { server } = ending()
    const parent = createProcess()
    const pid = await genServer.startLink(parent, server, false)
    parent.exit()
    assert.equal(await genServer.getState(pid), 'state')
    await genServer.stop(pid)
  })

  test('of anybody else is a message to a server that traps exits', async () => {
    const { log, server } = ending()
    const parent = createProcess()
    const pid = await genServer.startLink(parent, server, true)
    const other = createProcess()
    other.exit(pid, 'boom')
    exit(pid, 'boom')
    assert.equal(await genServer.getState(pid), 'state')
    assert.deepEqual(log, [
      ['EXIT', 'boom'],
      ['EXIT', 'boom'],
    ])
    await genServer.stop(pid)
    const orphan = await genServer.start(server, true)
    exit(orphan, 'boom')
    assert.equal(await genServer.getState(orphan), 'state')
    await genServer.stop(orphan)
  })

  test("'kill' ends any server without terminate", async t => {
    collectReports(t)
    const { log, server } = ending()
    const pid = await genServer.start(server, true)
    exit(pid, 'kill')
    assert.equal(await pid.exited, 'killed')
    await turn()
    assert.deepEqual(log, [])
  })

  test("'kill' ends a server also while terminate runs", async t => {
    const { reports } = collectReports(t)
    const { server } = ending((_reason, self) => self.receive([{ type: 'never' }]))
    const pid = await genServer.start(server, true)
    const stopped = genServer.stop(pid)
    await turn()
    exit(pid, 'kill')
    await assert.rejects(stopped, ({ reason }: CallError) => reason === 'killed')
    assert.deepEqual(reports, [])
  })
})

describe('stop', () => {
  test('ends a server in its turn, and resolves when terminate has run', async t => {
    const { reports } = collectReports(t)
    const { log, server } = ending()
    const pid = await genServer.start(server, false, { name: 'to_be_stopped' })
    await genServer.stop('to_be_stopped')
    assert.deepEqual(log, [['terminate', 'normal', 'state']])
    assert.equal(pid.isAlive, false)
    assert.deepEqual(reports, [])
  })

  test('reports a reason that is not orderly, and resolves all the same', async t => {
    const { reports } = collectReports(t)
    const { server } = ending()
    const pid = await genServer.start(server, false)
    await genServer.stop(pid, 'boom')
    assert.equal(await pid.exited, 'boom')
    assert.deepEqual(reports, [
      { type: 'crash', pid, reason: 'boom', lastMessage: undefined, state: 'state' },
    ])
  })

  test("rejects with 'noproc' where there is no server", async () => {
    const { server } = ending()
    const pid = await genServer.start(server, false)
    await genServer.stop(pid)
    for (const target of [pid, 'nobody_has_this']) {
      await assert.rejects(genServer.stop(target), ({ reason }: CallError) => reason === 'noproc')
    }
  })

  test('rejects with the reason for which the server ends before', async t => {
    collectReports(t)
    const { server } = ending()
    const pid = await genServer.start(server, false)
    genServer.cast(pid, { type: 'stop', reason: 'shutdown' })
    await assert.rejects(genServer.stop(pid), ({ reason }: CallError) => reason === 'shutdown')
  })

  test("rejects with 'timeout' if the server takes longer, and the server goes on to end", async () => {
    let go: (() => void) | undefined
    const { server } = ending(
      () =>
        new Promise<void>(resolve => {
          go = resolve
        }),
    )
    const pid = await genServer.start(server, false)
    await assert.rejects(genServer.stop(pid, 'normal', 1), ({ reason }: CallError) => reason === 'timeout')
    assert.equal(pid.isAlive, true)
    go?.()
    assert.equal(await pid.exited, 'normal')
  })
})

describe('the state', () => {
  const counter = genServer.define({
    init: (n: number) => ['ok', n],
    handleCall: { add: ({ n }: { n: number }, _from, state) => ['reply', state + n, state + n] },
    terminate: () => undefined,
  })

  test('is looked at and replaced in its turn', async () => {
    const pid = await genServer.start(counter, 1)
    const added = genServer.call(pid, { type: 'add', n: 1 })
    assert.equal(await genServer.getState(pid), 2)
    assert.equal(await added, 2)
    assert.equal(await genServer.replaceState(pid, n => n * 10), 20)
    assert.equal(await genServer.call(pid, { type: 'add', n: 1 }), 21)
    await genServer.stop(pid)
  })

  test('stays as it is if the replacement throws', async () => {
    const pid = await genServer.start(counter, 1)
    const error = new Error('no')
    const replaced = genServer.replaceState(pid, () => {
      throw error
    })
    await assert.rejects(replaced, rejection => rejection === error)
    assert.equal(await genServer.getState(pid), 1)
    assert.throws(() => genServer.replaceState(pid, 3 as never), /replace must be a function/)
    await genServer.stop(pid)
  })

  test('can be seen while the server is suspended, and nothing else is done', async () => {
    const pid = await genServer.start(counter, 1)
    await genServer.suspend(pid)
    const added = genServer.call(pid, { type: 'add', n: 1 }, Number.POSITIVE_INFINITY)
    assert.equal(await genServer.getState(pid), 1)
    assert.equal(await genServer.replaceState(pid, () => 5), 5)
    assert.equal(processInfo(pid).messageQueueLength, 1)
    await genServer.resume(pid)
    assert.equal(await added, 6)
    await genServer.suspend(pid)
    await genServer.stop(pid)
    assert.equal(pid.isAlive, false)
  })

  test('is lost with a suspended server whose parent ends', async () => {
    const parent = createProcess()
    const pid = await genServer.startLink(parent, counter, 1, { trapExit: true })
    await genServer.suspend(pid)
    parent.exit('shutdown')
    assert.equal(await pid.exited, 'shutdown')
  })
})
