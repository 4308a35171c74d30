/** The start of a server takes until its `init` is done, and gives the process, or says why there is none. */

import { inspect } from 'node:util'
import {
  exit,
  type MonitorRef,
  type MonitorTarget,
  Process,
  type ProcessOptions,
  spawn,
  whereis,
} from '@holster/process'
import { checkDuration, checkNames, onExit } from '@holster/process/internal'
import { StartError } from './errors.js'
import { Running } from './running.js'
import { type AnyServer, Server } from './server.js'

/**
 * Options of `start`, `startLink` and `startMonitor`, which throw a TypeError or RangeError that names a wrong one. The options
 * of the process are `name`, `highWaterMark`, `waitingHighWaterMark`, `trapExit` and `signal`.
 */
export interface StartOptions extends ProcessOptions {
  /** The longest time in milliseconds that `init` may take. Default `Infinity`. */
  readonly timeout?: number
}

/** The arguments behind the server: `args` may be left out where `init` takes none. */
export type StartArgs<Args> = undefined extends Args
  ? [args?: Args, options?: StartOptions]
  : [args: Args, options?: StartOptions]

/** The result of `startMonitor`: the process, and the reference that its `DOWN` will have. */
export interface Monitored<Messages> {
  /** The process of the server. */
  readonly pid: Process<Messages>
  /** The reference of the monitor. */
  readonly ref: MonitorRef
}

const OPTIONS = ['name', 'timeout', 'highWaterMark', 'waitingHighWaterMark', 'trapExit', 'signal']
const SYNONYMS = { starttimeout: ['timeout'], registeredname: ['name'], id: ['name'] }

/** Throws a TypeError unless `server` is what `define` gave. */
export function checkServer(server: unknown): asserts server is AnyServer {
  if (server instanceof Server) return
  throw new TypeError(`server must be what define gave, not ${inspect(server, { depth: 0 })}`)
}

/** Gives the options of the process. Throws a TypeError or RangeError that names the first wrong one. */
export function checkStartOptions(options: StartOptions): ProcessOptions {
  checkNames(options, OPTIONS, 'a server', SYNONYMS)
  const { timeout, ...others } = options
  if (timeout !== undefined) checkDuration('options.timeout', timeout, true)
  return others
}

type Body = (self: Process) => Promise<void>

/** How a start concerns its starter. */
interface Starter {
  /** Spawns the process. */
  readonly spawn: (body: Body, options: ProcessOptions) => Process
  /** The process whose exit ends a server that traps exits. */
  readonly parent?: MonitorTarget
  /** Takes back the link or the monitor, and what has come of it: the starter hears of a failure in another way. */
  readonly forget: (pid: Process) => void
}

/** Starts a server, and resolves when its `init` is done. */
function startBy(
  { spawn, parent, forget }: Starter,
  server: AnyServer,
  args: unknown,
  options: StartOptions = {},
): Promise<Process | 'ignore'> {
  checkServer(server)
  const { timeout = Number.POSITIVE_INFINITY, name } = options ?? {}
  const processOptions = checkStartOptions(options)
  const title = server.label ?? name ?? 'the server'
  const other = name === undefined ? undefined : whereis(name)
  if (other !== undefined) return Promise.reject(new StartError(title, ['already_started', other]))
  let resolve!: (pid: Process | 'ignore') => void
  let reject!: (error: StartError) => void
  const started = new Promise<Process | 'ignore'>((...functions) => {
    ;[resolve, reject] = functions
  })
  let isIgnored = false
  let timer: NodeJS.Timeout | undefined
  const fail = (reason: unknown) => {
    clearTimeout(timer)
    forget(pid)
    if (isIgnored) resolve('ignore')
    else reject(new StartError(title, reason))
  }
  const body = async (self: Process) => {
    if (server.label !== undefined) self.label = server.label
    const running = new Running(server, self, parent)
    const begun = await running.init(args)
    isIgnored = begun === 'ignore'
    if (begun !== 'ok') return
    clearTimeout(timer)
    unwatch?.()
    resolve(self)
    await running.run()
  }
  const pid = spawn(body, processOptions)
  const unwatch = pid[onExit](fail)
  if (unwatch === undefined) {
    // The signal of the options, or a parent that has exited, has ended the process already.
    void pid.exited.then(fail)
  } else if (timeout !== Number.POSITIVE_INFINITY) {
    timer = setTimeout(() => {
      unwatch()
      fail('timeout')
      exit(pid, 'kill')
    }, timeout)
  }
  return started
}

/**
 * Starts a process that runs a server, and resolves to the process when `init` is done, or to `'ignore'` if that is what `init` has
 * answered. Rejects with a `StartError` if the server does not start. Throws a TypeError or RangeError at once if an argument is wrong.
 * Source: `gen_server:start/3,4`.
 */
export function start<Args, Messages, Ignored>(
  server: Server<Args, unknown, Messages, Ignored>,
  ...[args, options]: StartArgs<Args>
): Promise<Process<Messages> | Ignored> {
  const started = startBy({ spawn, forget }, server, args, options)
  return started as Promise<Process<Messages> | Ignored>
}

function forget(): void {}

/**
 * Does as `start`, and links `self` to the server before its `init` begins. `self` is then the parent of the server: its exit ends a
 * server that traps exits too, and `terminate` runs.
 *
 * If the server does not start, `self` gets its exit signal, and so ends with it, unless it traps exits; then it gets no `EXIT` message,
 * as the rejection says the same (OTP 26). Source: `gen_server:start_link/3,4`.
 */
export function startLink<Own, Args, Messages, Ignored>(
  self: Process<Own>,
  server: Server<Args, unknown, Messages, Ignored>,
  ...[args, options]: StartArgs<Args>
): Promise<Process<Messages> | Ignored> {
  const started = startLinked(self, server, args, options)
  return started as Promise<Process<Messages> | Ignored>
}

/** Does as `startLink`, for arguments whose types are not known. */
export function startLinked(
  self: unknown,
  server: AnyServer,
  args: unknown,
  options?: StartOptions,
): Promise<Process | 'ignore'> {
  const parent = checkSelf(self)
  const starter: Starter = {
    spawn: (body, processOptions) => parent.spawnLink(body, processOptions),
    parent,
    forget: pid => {
      parent.unlink(pid)
      parent.flush({ type: 'EXIT', from: pid })
    },
  }
  return startBy(starter, server, args, options)
}

/**
 * Does as `start`, and monitors the server for `self` before its `init` begins. `self` is the parent of the server also here: an exit signal
 * that it sends by `self.exit` ends a server that traps exits. If the server does not start, no `DOWN` comes. Source:
 * `gen_server:start_monitor/3,4`.
 */
export function startMonitor<Own, Args, Messages, Ignored>(
  self: Process<Own>,
  server: Server<Args, unknown, Messages, Ignored>,
  ...[args, options]: StartArgs<Args>
): Promise<Monitored<Messages> | Ignored> {
  const parent = checkSelf(self)
  let ref: MonitorRef | undefined
  const starter: Starter = {
    spawn: (body, processOptions) => {
      const spawned = self.spawnMonitor(body, processOptions)
      ref = spawned.ref
      return spawned.pid
    },
    parent,
    forget: () => {
      if (ref !== undefined) self.demonitor(ref)
    },
  }
  const started = startBy(starter, server, args, options).then(pid => (pid === 'ignore' ? pid : { pid, ref }))
  return started as Promise<Monitored<Messages> | Ignored>
}

/** Gives `self` back. Throws a TypeError unless it is a process. */
export function checkSelf(self: unknown): Process {
  if (self instanceof Process) return self
  throw new TypeError(`self must be a process, not ${inspect(self, { depth: 0 })}`)
}
