/** Examples of what goes wrong with servers, and who is told. */

import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { genServer, type Report, setReportHook } from '@holster/otp'
import { CallError, setExitHook } from '@holster/process'

// The crashes of these examples are what they show.
beforeEach(() => void setExitHook(() => {}))
afterEach(() => {
  setExitHook(undefined)
  setReportHook(undefined)
})

test('a start that fails rejects with a StartError', async () => {
  const reasons: unknown[] = []
  // #region otp/errors/StartError
  const store = genServer.define({
    init: (path: string) => (path === '' ? ['stop', 'no_path'] : ['ok', { path }]),
  })
  try {
    await genServer.start(store, '')
  } catch (error) {
    if (!(error instanceof genServer.StartError)) throw error
    reasons.push(error.reason) // 'no_path', as init has answered
  }
  // #endregion
  assert.deepEqual(reasons, ['no_path'])
})

test('the name of a server that runs already is told by a StartError', async () => {
  const server = genServer.define({ init: () => ['ok', 0] })
  // #region otp/errors/StartError
  const first = await genServer.start(server, undefined, { name: 'store' })
  const error = await genServer.start(server, undefined, { name: 'store' }).catch(error => error)
  const { reason } = error // ['already_started', first]
  // #endregion
  assert.deepEqual(reason, ['already_started', first])
  await genServer.stop(first)
})

test('a request without a clause ends the server with a FunctionClauseError', async () => {
  // #region otp/errors/FunctionClauseError
  const counter = genServer.define({
    init: () => ['ok', 0],
    handleCall: { next: (_request, _from, n) => ['reply', n, n + 1] },
  })
  await genServer.start(counter, undefined, { name: 'counter' })
  const error = await genServer.call('counter', { type: 'nxt' }).catch(error => error)
  // error.reason: FunctionClauseError: handleCall has no clause for { type: "nxt" } …
  // #endregion
  assert.ok(error instanceof CallError)
  assert.ok(error.reason instanceof genServer.FunctionClauseError)
  assert.deepEqual(error.reason.request, { type: 'nxt' })
})

test('an answer that is none ends the server with a BadReturnValueError', async () => {
  // #region otp/errors/BadReturnValueError
  const answer: unknown = 'ok' // should be ['noreply', state]
  const server = genServer.define({
    init: () => ['ok', 0],
    handleCast: { touch: () => answer as ['noreply', number] },
  })
  const pid = await genServer.start(server)
  genServer.cast(pid, { type: 'touch' })
  const reason = await pid.exited // a BadReturnValueError, whose value is 'ok'
  // #endregion
  assert.ok(reason instanceof genServer.BadReturnValueError)
  assert.equal(reason.value, 'ok')
})

test('the report hook is told of the crash of a server, with its last message and its state', async () => {
  const reports: Report[] = []
  // #region otp/setReportHook
  setReportHook(report => {
    if (report.type === 'crash') reports.push(report)
  })
  const divider = genServer.define({
    init: (n: bigint) => ['ok', n],
    handleCall: { by: ({ d }: { d: bigint }, _from, n) => ['reply', n / d, n] },
  })
  const pid = await genServer.start(divider, 6n)
  await genServer.call(pid, { type: 'by', d: 0n }).catch(() => {})
  // reports: [{ type: 'crash', pid, reason: RangeError: Division by zero, state: 6n, lastMessage: … }]
  // #endregion
  const [report] = reports
  assert.ok(report?.type === 'crash')
  assert.equal(report.pid, pid)
  assert.equal(report.state, 6n)
  assert.ok(report.reason instanceof RangeError)
})
