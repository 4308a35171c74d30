/** What a piece of work costs the process that does it. */

import { createInterface } from 'node:readline'

/** Microseconds of CPU of the whole process, seconds on the clock, bytes that stayed. */
export interface Cost {
  readonly cpu: number
  readonly seconds: number
  readonly rss: number
  readonly heap: number
}

function collect(): void {
  const { Bun, gc } = globalThis as { Bun?: { gc(force: boolean): void }; gc?: () => void }
  if (Bun !== undefined) Bun.gc(true)
  else gc?.()
}

/**
 * `isMemory`: what stays is looked at. Else nothing is collected, since that makes the young generation small, and each
 * client would be measured while its own grows again.
 */
export async function costOf(work: () => Promise<void>, isMemory = false): Promise<Cost> {
  if (isMemory) collect()
  const memory = process.memoryUsage()
  const cpu = process.cpuUsage()
  const start = performance.now()
  await work()
  const seconds = (performance.now() - start) / 1000
  const { user, system } = process.cpuUsage(cpu)
  if (isMemory) collect()
  const now = process.memoryUsage()
  return { cpu: user + system, seconds, rss: now.rss - memory.rss, heap: now.heapUsed - memory.heapUsed }
}

/** Takes jobs, one a line, answers with what each cost, and ends the process after the last. */
export async function answerJobs<Job>(run: (job: Job) => Promise<Cost>): Promise<never> {
  for await (const line of createInterface({ input: process.stdin })) {
    console.log(JSON.stringify(await run(JSON.parse(line))))
  }
  process.exit()
}
