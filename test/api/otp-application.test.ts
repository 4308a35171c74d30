/** Examples of programs: an application that runs until a signal, its log, and a machine that runs as a process. */

import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { application, type ChildSpec, setReportHook, supervisor } from '@holster/otp'
import { fromMachine } from '@holster/otp/xstate'
import { type Call, call, type Down, P, type Process, reply, setExitHook, spawn } from '@holster/process'
import { setup } from 'xstate'

// The crashes of these examples are what they show.
beforeEach(() => void setExitHook(() => {}))
afterEach(() => {
  setExitHook(undefined)
  setReportHook(undefined)
})

test('run ends the program by a code, after its children, when a signal comes', async t => {
  const exit = t.mock.method(process, 'exit', () => undefined as never)
  t.mock.method(console, 'error', () => {})
  let hasStarted = () => {}
  const started = new Promise<void>(resolve => {
    hasStarted = resolve
  })
  const running = (async () => {
    const database: ChildSpec = {
      id: 'database',
      start: parent => parent.spawnLink(self => self.receive([P._])),
    }
    const opened = () => hasStarted()
    // #region otp/application/run
    const server: ChildSpec = {
      id: 'server',
      shutdown: 5000, // milliseconds to end in order
      start: parent =>
        parent.spawnLink(
          async (self: Process<never>) => {
            opened()
            await self.receive([{ type: 'EXIT' }]) // time to go: SIGTERM or SIGINT has come
          },
          { trapExit: true },
        ),
    }
    await application.run({ strategy: 'rest_for_one', children: [database, server] })
    // #endregion
  })()
  await started
  process.kill(process.pid, 'SIGTERM')
  await running
  assert.deepEqual(
    exit.mock.calls.map(call => call.arguments),
    [[0]],
  )
})

test('an application is run in a test by options that neither exit nor listen to signals', async () => {
  const work = async () => {}
  // #region otp/application/types/RunOptions
  const lines: string[] = []
  const job: ChildSpec = {
    id: 'job',
    restart: 'transient',
    significant: true, // its end is that of the application
    start: parent => parent.spawnLink(work),
  }
  const code = await application.run(
    { autoShutdown: 'any_significant', children: [job] },
    {
      shutdownTimeout: 10_000,
      signals: [],
      log: text => lines.push(text),
      exit: () => {}, // instead of process.exit
    },
  )
  // code: 0
  // #endregion
  assert.equal(code, 0)
})

test('format gives the lines of a report that run would log', async () => {
  // #region otp/application/format
  const lines: string[] = []
  setReportHook(report => {
    const text = application.format(report)
    if (text !== undefined) lines.push(JSON.stringify({ type: report.type, text }))
  })
  // #endregion
  const broken: ChildSpec = {
    id: 'broken',
    restart: 'temporary',
    start: parent => parent.spawnLink(() => Promise.reject(new Error('no disk'))),
  }
  const sup = await supervisor.start({ children: [broken] })
  while ((await supervisor.countChildren(sup)).specs > 0) await new Promise(setImmediate)
  assert.match(lines[0] ?? '', /child_terminated.*no disk/)
  await supervisor.stop(sup)
})

test('a machine of xstate runs as a process', async () => {
  // #region otp/xstate/fromMachine
  type DoorEvent = { type: 'open' } | { type: 'close' } | Call<'isOpen', boolean>

  const door = setup({ types: {} as { events: DoorEvent } }).createMachine({
    initial: 'closed',
    states: {
      closed: { on: { open: 'open', call: { actions: ({ event }) => reply(event.from, false) } } },
      open: {
        on: { close: 'closed', call: { actions: ({ event }) => reply(event.from, true) } },
        after: { 60000: 'closed' },
      },
    },
  })
  const pid = spawn(fromMachine(door), { name: 'door' })
  pid.send({ type: 'open' })
  const isOpen = await call(pid, 'isOpen') // true
  // #endregion
  assert.equal(isOpen, true)
  pid.exit()
})

test('the options of a machine may be made from its process, which can monitor others', async () => {
  const job = spawn(() => {})
  // #region otp/xstate/types/MachineOptions
  const watcher = setup({ types: {} as { events: Down; input: { patience: number } } }).createMachine({
    initial: 'watching',
    states: { watching: { on: { DOWN: 'over' } }, over: { type: 'final' } },
  })
  const pid = spawn(
    fromMachine(watcher, self => {
      self.monitor(job) // its DOWN is an event of the machine
      return { input: { patience: 3 } }
    }),
  )
  const reason = await pid.exited // 'normal': the machine is done
  // #endregion
  assert.equal(reason, 'normal')
})
