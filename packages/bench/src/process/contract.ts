/** The jobs of the benchmark of processes, which every side does in its own way. */

/**
 * - `spawn`: so many processes begin at once, and each returns.
 * - `live`: so many processes live at the same time, each waits for a message, and returns with it.
 * - `monitor`: so many processes that wait are monitored, are ended, and their DOWNs are received by their references.
 * - `backlog`: so many messages are sent and received by their tag behind 100,000 of another tag.
 * - `numbers`: the same by their tag and a number, which is another each time.
 * - `turns`: so many times a message goes to another process, and one comes back.
 * - `call`: so many calls, one after the other, each with a timeout and a monitor.
 * - `server`: the same to a server, whose handler answers each.
 * - `restart`: so many times a child of a supervisor crashes, and is started anew; the next crash waits for that.
 * - `info`: so many processes that wait are described.
 * - `idle`: so many processes wait, and stay.
 */
export type JobName =
  | 'spawn'
  | 'live'
  | 'monitor'
  | 'backlog'
  | 'numbers'
  | 'turns'
  | 'call'
  | 'server'
  | 'restart'
  | 'info'
  | 'idle'

export type Job = readonly [name: JobName, units: number]

/** How many messages wait in front of the one that is asked for. */
export const BACKLOG = 100_000

/** One side's way to do the jobs. */
export interface Client {
  /** Does what the clock need not see, and gives what it sees; what that gives stays until its memory is known. */
  readonly jobs: Readonly<Partial<Record<JobName, (units: number) => () => Promise<unknown>>>>
}
