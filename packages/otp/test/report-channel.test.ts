/** The channel that gets the reports, with or without a hook. */

import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { type TestContext, test } from 'node:test'
import { type Report, setReportHook, supervisor } from '../src/index.ts'
import { settled, tree } from './support/tree.ts'

function heard(t: TestContext): Report[] {
  const reports: Report[] = []
  const listener = (report: unknown) => void reports.push(report as Report)
  subscribe('holster:otp:report', listener)
  t.after(() => unsubscribe('holster:otp:report', listener))
  return reports
}

test('subscribers get all reports while no hook is set', async t => {
  const it = tree(t)
  const hook = setReportHook(undefined)
  t.after(() => void setReportHook(hook))
  const reports = heard(t)
  const pid = await it.start({ children: [it.child('a')] })
  const child = it.pid('a')
  child.exit('boom')
  await settled(pid)
  assert.deepEqual(reports, [
    { type: 'progress', supervisor: pid, id: 'a', pid: child },
    { type: 'child_terminated', supervisor: pid, id: 'a', pid: child, reason: 'boom' },
    { type: 'progress', supervisor: pid, id: 'a', pid: it.pid('a') },
  ])
})

test('subscribers and the hook get the same reports, the subscribers first', async t => {
  const it = tree(t)
  const told: string[] = []
  const hook = setReportHook(({ type }) => void told.push(`hook ${type}`))
  t.after(() => void setReportHook(hook))
  const listener = (report: unknown) => void told.push(`channel ${(report as Report).type}`)
  subscribe('holster:otp:report', listener)
  t.after(() => unsubscribe('holster:otp:report', listener))
  const pid = await it.start({ children: [it.child('a')] })
  assert.deepEqual(told, ['channel progress', 'hook progress'])
  await supervisor.stop(pid)
})
