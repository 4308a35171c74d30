/** Collects what is reported while a test runs, so that none of it is printed. */

import type { TestContext } from 'node:test'
import { setExitHook } from '@holster/process'
import { type Report, setReportHook } from '../../src/index.ts'

/** Collects the reports, and the exit reasons that nobody handled. */
export function collectReports(t: TestContext): { readonly reports: Report[]; readonly exits: unknown[] } {
  const reports: Report[] = []
  const exits: unknown[] = []
  const reportHook = setReportHook(report => {
    reports.push(report)
  })
  const exitHook = setExitHook((_pid, reason) => {
    exits.push(reason)
  })
  t.after(() => {
    setReportHook(reportHook)
    setExitHook(exitHook)
  })
  return { reports, exits }
}
