/** The overview: the measures of the last ten minutes, and what stands out. */

import { threadId } from 'node:worker_threads'
import { connections } from '@holster/gun'
import { lookInto, pools } from '@holster/gun/internal'
import { supervisors } from '@holster/otp/internal'
import { findingsOf } from '../measuring/findings.js'
import type { Journal } from '../measuring/journal.js'
import type { Sampler } from '../measuring/sampler.js'
import { nodeHere } from '../naming/refs.js'
import { keepsNothing, type Looking } from './looking.js'

/** Opens the overview of this node, which is observed since that time. */
export function lookAtOverview(sampler: Sampler, journal: Journal, since: number): Looking<'overview'> {
  let shown = 0
  return {
    show() {
      const samples = sampler.since(shown)
      shown = samples.at(-1)?.at ?? shown
      const census = sampler.censuses.last
      const all = connections()
      return {
        node: nodeHere(),
        pid: process.pid,
        nodeVersion: process.version,
        program: programHere(),
        since,
        processes: census.processes,
        waiting: census.waiting,
        connections: all.length,
        connectionsUp: all.filter(({ connPid }) => isUp(lookInto(connPid).states)).length,
        pools: pools().length,
        supervisors: supervisors().length,
        samples,
        findings: findingsOf(census, journal, sampler.since(Date.now() - 11_000)),
      }
    },
    close: keepsNothing,
  }
}

/** Names the script that runs, and the thread if it is not the first. */
export function programHere(): string {
  const script = process.argv[1] ?? 'node'
  return threadId === 0 ? script : `${script} (thread ${threadId})`
}

function isUp(states: readonly string[]): boolean {
  return states[0] === 'connected' || states[0] === 'closing'
}
