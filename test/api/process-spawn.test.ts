/** Examples of the life of a process: how it starts, how it ends, and who hears of a crash. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as passed } from 'node:timers/promises'
import {
  createProcess,
  exit,
  isAlive,
  isOrderly,
  P,
  type Pid,
  ProcessExit,
  setExitHook,
  spawn,
} from '@holster/process'

test('spawn starts a process that takes messages, and exits normally when its body returns', async () => {
  // #region process/spawn
  type Sum = { type: 'sum'; value: number }
  type Add = { type: 'add'; a: number; b: number; replyTo: Pid<Sum> }

  const adder = spawn<Add>(async me => {
    const { a, b, replyTo } = await me.receive([{ type: 'add' }])
    replyTo.send({ type: 'sum', value: a + b })
  })
  await using self = createProcess<Sum>()
  adder.send({ type: 'add', a: 2, b: 3, replyTo: self })
  const { value } = await self.receive([{ type: 'sum' }]) // 5
  const reason = await adder.exited // 'normal'
  // #endregion
  assert.equal(value, 5)
  assert.equal(reason, 'normal')
})

test('a body that throws ends its process with the error', async t => {
  const before = setExitHook(() => {})
  t.after(() => setExitHook(before))
  // #region process/spawn, process/Process#exited
  const worker = spawn(() => {
    throw new Error('no space on disk')
  })
  const reason = await worker.exited // Error: no space on disk
  // #endregion
  assert.match(String(reason), /no space on disk/)
})

test('createProcess makes a process whose mailbox the code around it reads', async () => {
  // #region process/createProcess
  await using self = createProcess<string>() // exits at the end of the block
  const shouter = spawn<string>(async me => {
    self.send((await me.receive([P.string])).toUpperCase())
  })
  shouter.send('hello')
  const answer = await self.receive([P.string]) // 'HELLO'
  // #endregion
  assert.equal(answer, 'HELLO')
})

test('a process is a loop of receives', async () => {
  const printed: string[] = []
  const print = (line: string) => printed.push(line)
  // #region process/Process
  type Message = { type: 'print'; text: string } | { type: 'stop' }

  const printer = spawn<Message>(async self => {
    for (;;) {
      const message = await self.receive([{ type: 'print' }, { type: 'stop' }])
      if (message.type === 'stop') return
      print(message.text)
    }
  })
  printer.send({ type: 'print', text: 'one' })
  printer.send({ type: 'print', text: 'two' })
  printer.send({ type: 'stop' })
  await printer.exited
  // #endregion
  assert.deepEqual(printed, ['one', 'two'])
})

test('the options of a process give it a name, and end it when a signal aborts', async () => {
  // #region process/types/ProcessOptions
  const controller = new AbortController()
  const worker = spawn<string>(self => self.receive([P.string]), {
    name: 'worker', // `register` done at birth
    signal: controller.signal,
    highWaterMark: { messages: 1000 }, // connections that send more are paused
  })
  controller.abort('out of time')
  const reason = await worker.exited // ['shutdown', 'out of time']
  // #endregion
  assert.deepEqual(reason, ['shutdown', 'out of time'])
})

test('exit ends another process for a reason', async () => {
  // #region process/exit
  const worker = spawn(self => self.receive([P._]))
  exit(worker, 'shutdown')
  const reason = await worker.exited // 'shutdown'
  // #endregion
  assert.equal(reason, 'shutdown')
})

test('a kill cannot be trapped', async t => {
  const before = setExitHook(() => {})
  t.after(() => setExitHook(before))
  // #region process/exit
  const stubborn = createProcess({ trapExit: true })
  exit(stubborn, 'shutdown') // becomes a message: { type: 'EXIT', from: undefined, reason: 'shutdown' }
  exit(stubborn, 'kill')
  const killed = await stubborn.exited // 'killed'
  // #endregion
  assert.equal(killed, 'killed')
})

test('a process ends itself by its own exit, and its body goes on to the next receive', async () => {
  const steps: string[] = []
  // #region process/Process#exit
  const worker = spawn(async self => {
    self.exit(['shutdown', 'nothing to do'])
    steps.push('still here') // `exit` has returned
    await self.receive([P._]) // rejects with ProcessExit
    steps.push('never here')
  })
  const reason = await worker.exited // ['shutdown', 'nothing to do']
  // #endregion
  await passed(0)
  assert.deepEqual(steps, ['still here'])
  assert.deepEqual(reason, ['shutdown', 'nothing to do'])
})

test('a signal of self.exit names its sender', async () => {
  await using self = createProcess()
  // #region process/Process#exit, process/Process#trapExit
  const child = createProcess({ trapExit: true })
  self.exit(child, 'shutdown')
  const { from, reason } = await child.receive([{ type: 'EXIT' }]) // from: self, reason: 'shutdown'
  // #endregion
  assert.equal(from, self)
  assert.equal(reason, 'shutdown')
  child.exit()
})

test('a process that has ended is not alive', () => {
  // #region process/isAlive
  const worker = spawn(self => self.receive([P._]))
  const before = isAlive(worker) // true
  worker.exit()
  const after = isAlive(worker) // false, at once
  // #endregion
  assert.deepEqual([before, after], [true, false])
})

test('a body looks whether its process is alive after it has awaited something else', async () => {
  const saved: string[] = []
  const fetchReport = async () => passed(0, 'report')
  // #region process/Process#isAlive
  const worker = spawn(async self => {
    const report = await fetchReport() // an exit cannot interrupt this
    if (!self.isAlive) return
    saved.push(report)
  })
  // #endregion
  worker.exit('shutdown')
  await passed(1)
  assert.deepEqual(saved, [])
})

test('the signal of a process aborts what its body waits for', async () => {
  // #region process/Process#signal
  const sleeper = spawn(async self => {
    await passed(60_000, undefined, { signal: self.signal }) // or fetch(url, { signal: self.signal })
  })
  await passed(0)
  sleeper.exit('shutdown') // the timer is gone, too
  // #endregion
  assert.equal(await sleeper.exited, 'shutdown')
})

test('isOrderly tells crashes from ends that were asked for', async () => {
  const main = spawn(() => {})
  // #region process/isOrderly
  const reason = await main.exited
  const exitCode = isOrderly(reason) ? 0 : 1

  isOrderly('normal') // true
  isOrderly(['shutdown', 'idle']) // true
  isOrderly(new Error('crash')) // false
  // #endregion
  assert.equal(exitCode, 0)
  assert.ok(isOrderly(['shutdown', 'idle']))
  assert.ok(!isOrderly(new Error('crash')))
})

test('the exit hook gets each crash once', async () => {
  const log: string[] = []
  // #region process/setExitHook
  const before = setExitHook((pid, reason) => {
    log.push(`${pid} has crashed: ${reason}`)
  })
  await spawn(() => Promise.reject(new Error('bad input')), { name: 'parser' }).exited
  // log: ['#Process<7 parser> has crashed: Error: bad input']
  setExitHook(before)
  // #endregion
  assert.equal(log.length, 1)
  assert.match(log[0] ?? '', /^#Process<\d+ parser> has crashed: Error: bad input$/)
})

test('a receive rejects with ProcessExit when its process exits, so that a body can clean up', async () => {
  const closed: unknown[] = []
  const file = { close: () => closed.push('file') }
  // #region process/errors/ProcessExit
  const worker = spawn(async self => {
    try {
      await self.receive([P._])
    } catch (error) {
      if (error instanceof ProcessExit) closed.push(error.reason) // 'shutdown'
      throw error
    } finally {
      file.close()
    }
  })
  // #endregion
  await passed(0)
  worker.exit('shutdown')
  await passed(0)
  assert.deepEqual(closed, ['shutdown', 'file'])
})
