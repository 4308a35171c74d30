// A process that does jobs of `agent.ts` for the tests of other nodes.

import { type Process, reply } from '@holster/process'
import * as agent from './agent.ts'

type Job = (...args: readonly never[]) => unknown

const jobs: ReadonlyMap<string, unknown> = new Map(Object.entries(agent))

/** Answers calls until it is told to end. */
export async function serve(self: Process<agent.Request>): Promise<void> {
  for (;;) {
    const { from, request } = await self.receive([{ type: 'call' }])
    const job = jobs.get(request.job) as Job
    // Not awaited, so that a job may wait while others are done.
    void Promise.resolve()
      .then(() => job(...(request.args as never[])))
      .then(
        value => reply(from as never, { value } as never),
        error => reply(from as never, { error } as never),
      )
  }
}
