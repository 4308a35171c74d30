/** An application is a tree of processes that begins with the program and ends it. */

import { constants } from 'node:os'
import { inspect } from 'node:util'
import { createProcess, isOrderly, processInfo, setExitHook } from '@holster/process'
import {
  checkDuration,
  checkNames,
  hasExitHook,
  MAX_DURATION,
  nodesImmediate,
  type Synonyms,
} from '@holster/process/internal'
import { hasReportHook, type Report, setReportHook } from '../reports.js'
import { checkOptions, type SupervisorOptions } from '../supervisor/options.js'
import { startLink } from '../supervisor/supervisor.js'
import { format, formatExit } from './log.js'

export { format } from './log.js'

/**
 * How an application ended, as the exit code of its program.
 *
 * | code | meaning |
 * | --- | --- |
 * | 0 | the tree has ended in order: a signal asked for it, or a significant child has ended |
 * | 1 | the tree could not be started, or has ended because of an error, such as too many restarts |
 * | 2 | the tree was still ending when its time was over, and was cut off |
 * | 128 + n | a second signal, whose number is n, came before the tree had ended, and cut it off |
 */
export type ExitCode = number

/** Options of `run`. */
export interface RunOptions {
  /** The milliseconds that the tree has to end after a signal. Default 30000; `Infinity` for no limit. */
  readonly shutdownTimeout?: number
  /** The signals that end the tree in order. Default `['SIGTERM', 'SIGINT']`. */
  readonly signals?: readonly NodeJS.Signals[]
  /** Gets what is logged, one report a call. Default: `console.error`, with the time before it. */
  readonly log?: (text: string) => void
  /** Ends the program. Default: `process.exit`; a test hands in something else. */
  readonly exit?: (code: ExitCode) => void
}

const SYNONYMS: Synonyms = {
  deadline: ['shutdownTimeout'],
  logger: ['log'],
  shutdown: ['shutdownTimeout'],
  timeout: ['shutdownTimeout'],
}
const OF_RUN = ['shutdownTimeout', 'signals', 'log', 'exit']
const DEFAULT_TIMEOUT = 30_000
const DEFAULT_SIGNALS: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT']

/** Sets the signals' listeners and both hooks, and takes them back when it is disposed of. */
class Surroundings implements Disposable {
  readonly #undo: (() => void)[] = []

  stayAlive(): void {
    // Processes that only wait for each other keep no program alive.
    const timer = setInterval(() => undefined, MAX_DURATION)
    this.#undo.push(() => clearInterval(timer))
  }

  [Symbol.dispose](): void {
    for (const undo of this.#undo.reverse()) undo()
  }

  /** Calls `run` after `ms` milliseconds, unless the application has ended by then; never if that is `Infinity`. */
  after(ms: number, run: () => void): void {
    if (ms === Number.POSITIVE_INFINITY) return
    const timer = setTimeout(run, ms)
    this.#undo.push(() => clearTimeout(timer))
  }

  listen(signals: readonly NodeJS.Signals[], listener: (signal: NodeJS.Signals) => void): void {
    for (const signal of signals) {
      process.on(signal, listener)
      this.#undo.push(() => process.off(signal, listener))
    }
  }

  /** Logs reports unless the program has a hook of its own, and what `note` makes of them. */
  logReports(log: (text: string) => void, note: (report: Report) => void): void {
    const ours = !hasReportHook()
    const told = new WeakSet<object>()
    const hook = (report: Report) => {
      note(report)
      if ('pid' in report && typeof report.pid === 'object' && report.pid !== null) told.add(report.pid)
      if (!ours) return previous?.(report)
      const text = format(report)
      if (text !== undefined) log(text)
    }
    const previous = setReportHook(hook)
    this.#undo.push(() => restore(setReportHook, hook, previous))
    if (!ours || hasExitHook()) return
    const exits: { readonly pid: unknown; readonly reason: unknown }[] = []
    const logExits = () => {
      for (const { pid, reason } of exits.splice(0)) {
        if (typeof pid !== 'object' || pid === null || !told.has(pid)) log(formatExit(pid, reason))
      }
    }
    const onExit = (pid: unknown, reason: unknown) => {
      // A supervisor reports the end of its child within this turn of the event loop, and says more.
      if (exits.push({ pid, reason }) === 1) nodesImmediate(logExits)
    }
    setExitHook(onExit)
    this.#undo.push(() => {
      restore(setExitHook, onExit, undefined)
      logExits()
    })
  }
}

/** Sets the hook that was set before `ours`, unless the program has set one of its own meanwhile. */
function restore<H>(set: (hook: H | undefined) => H | undefined, ours: H, previous: H | undefined): void {
  const present = set(previous)
  if (present !== ours) set(present)
}

/**
 * Starts a supervisor with its children, keeps the program alive while it lives, and then ends the program with a code that says how it
 * went (`ExitCode`). SIGTERM and SIGINT end the tree in order, the last child first; a second signal ends the program at once.
 *
 * Crashes, failed starts and shutdowns are logged through the hook of `setReportHook`; if the program has set one, that gets the reports
 * and nothing is logged. Exits that no supervisor tells of are logged too, unless `setExitHook` of `@holster/process` was used.
 *
 * Resolves to the code after `options.exit` has returned, which `process.exit` does not. Throws a TypeError or RangeError at once if an option is
 * wrong. Source: `application:start/2`, `init:stop/0`.
 *
 * ```ts
 * await application.run({ strategy: 'rest_for_one', children: [database, server] }, { shutdownTimeout: 10_000 })
 * ```
 */
export async function run(tree: SupervisorOptions, options: RunOptions = {}): Promise<ExitCode> {
  const checked = checkRunOptions(options)
  checkOptions(tree)
  const code = await live(tree, checked)
  checked.exit(code)
  return code
}

async function live(tree: SupervisorOptions, options: Required<RunOptions>): Promise<ExitCode> {
  const { shutdownTimeout, signals, log } = options
  using surroundings = new Surroundings()
  surroundings.stayAlive()
  const root = createProcess<never>({ trapExit: true })
  root.label = 'application'
  /** Whether somebody has asked for the end. */
  let isAskedFor = false
  surroundings.logReports(log, report => {
    const isOfRoot =
      report.type === 'shutdown' && processInfo(root).links.some(pid => pid === report.supervisor)
    if (isOfRoot && report.reason === 'significant_child') isAskedFor = true
  })
  const cutOff = new Promise<ExitCode>(cut => {
    surroundings.listen(signals, signal => {
      if (!root.isAlive) return cut(128 + constants.signals[signal])
      log(`${signal}: ending in order`)
      isAskedFor = true
      // The supervisor ends, in order, when its parent does.
      root.exit('shutdown')
      surroundings.after(shutdownTimeout, () => cut(2))
    })
  })
  const run = async (): Promise<ExitCode> => {
    try {
      const supervisor = await startLink(root, tree)
      const reason = await supervisor.exited
      return reason === 'normal' || (isAskedFor && isOrderly(reason)) ? 0 : 1
    } catch (error) {
      if (isAskedFor) return 0
      log(`the application could not be started: ${inspect(error)}`)
      return 1
    }
  }
  try {
    return await Promise.race([run(), cutOff])
  } finally {
    root.exit('shutdown')
  }
}

function checkRunOptions(options: RunOptions): Required<RunOptions> {
  checkNames(options, OF_RUN, 'run', SYNONYMS)
  const {
    shutdownTimeout = DEFAULT_TIMEOUT,
    signals = DEFAULT_SIGNALS,
    log = logToStderr,
    exit = code => process.exit(code),
  } = options
  checkDuration('options.shutdownTimeout', shutdownTimeout, true)
  if (!Array.isArray(signals)) throw new TypeError('options.signals must be an array of names of signals')
  for (const signal of signals) {
    if (!Object.hasOwn(constants.signals, signal)) {
      throw new TypeError(`options.signals must be names of signals, not ${inspect(signal)}`)
    }
  }
  if (typeof log !== 'function') throw new TypeError('options.log must be a function')
  if (typeof exit !== 'function') throw new TypeError('options.exit must be a function')
  return { shutdownTimeout, signals, log, exit }
}

function logToStderr(text: string): void {
  console.error(`${new Date().toISOString()} ${text}`)
}
