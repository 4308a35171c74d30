/** Worker nodes: threads of this program that are nodes of its cluster, under a supervisor that starts one anew when it dies. */

import { inspect } from 'node:util'
import { MessageChannel, Worker, type WorkerOptions } from 'node:worker_threads'
import { type ChildSpec, supervisor } from '@holster/otp'
import { call, type Process } from '@holster/process'
import { checkNames, watch } from '@holster/process/internal'
import { checkNodeName } from './identity.js'
import { NET_KERNEL } from './net-kernel.js'
import { kernelOf, type Membership, needNode, nodes, send } from './node.js'

/** The options of `workers`. */
export interface WorkersOptions {
  /** The text before the number in the name of each node. Default: the name of this node and a dot, as in `'main.1'`. */
  readonly prefix?: string
  /**
   * How often workers may die within `period`, all of them together, before all are given up: `supervisor` then ends with the reason
   * `'shutdown'`. Default: as often as there are workers.
   */
  readonly intensity?: number
  /** How long in milliseconds a death counts towards `intensity`. Default: 5000. */
  readonly period?: number
  /** The limits of each thread's memory. Source: `resourceLimits` of `node:worker_threads`. */
  readonly resourceLimits?: WorkerOptions['resourceLimits']
  /**
   * The modules that each thread imports before it joins, such as those that register codecs: URLs, or names of packages that this package
   * can find. A path needs a URL: `new URL('./codecs.js', import.meta.url)`. Default: none.
   */
  readonly preload?: readonly (URL | string)[]
  /** The arguments of Node for each thread. Default: those of this program. */
  readonly execArgv?: readonly string[]
}

/** The workers that `workers` has started. */
export interface Workers {
  /** The names of the nodes, which stay the same when one is started anew. */
  readonly nodes: readonly string[]
  /** The supervisor, which can be linked and monitored: it ends when a worker dies too often. */
  readonly supervisor: Process<never>
  /** Ends all workers in order, and resolves once their threads have ended. Does nothing if they have ended before. */
  stop(): Promise<void>
}

const KNOWN = ['prefix', 'intensity', 'period', 'resourceLimits', 'preload', 'execArgv']
/** How long in milliseconds a thread may take to say goodbye before it is ended. */
const GOODBYE = 2000

/**
 * Starts `count` threads, each a node by the name of `prefix` and its number from 1, and resolves once all are connected with this node and with
 * each other. A thread that dies, be it of an error, for want of memory or by `process.exit`, is started anew under the same name; what was
 * linked to its processes hears `noconnection`. Rejects with a `SupervisorError` if one cannot start, with a TypeError or RangeError for a
 * wrong argument, and with an Error if this program is no node or a name is taken: call this again only with another `prefix`, or after `stop`.
 *
 * ```ts
 * await startNode({ name: 'main' })
 * const { nodes } = await workers(availableParallelism())
 * ```
 */
export async function workers(count: number, options: WorkersOptions = {}): Promise<Workers> {
  if (!(Number.isInteger(count) && count >= 1)) {
    throw new RangeError(`count must be a whole number of at least 1, not ${inspect(count)}`)
  }
  checkNames(options, KNOWN, 'workers')
  checkLists(options)
  const { crew } = needNode()
  const { prefix, intensity = count, period = 5000 } = options
  const names = namesOf(count, prefix)
  const children = names.map(
    (name): ChildSpec => ({
      id: name,
      start: parent => startWorker(parent, name, options),
      shutdown: 2 * GOODBYE,
    }),
  )
  crew.reserve(names)
  const release = () => crew.release(names)
  try {
    const pid = await supervisor.start({ intensity, period, children })
    if (watch(pid, release) === undefined) release()
    await Promise.all(names.map(name => meet(name, names)))
    let stopped: Promise<void> | undefined
    const stop = () => {
      stopped ??= pid.isAlive ? supervisor.stop(pid) : Promise.resolve()
      return stopped
    }
    return { nodes: names, supervisor: pid, stop }
  } catch (error) {
    release()
    throw error
  }
}

/** Throws a TypeError that names an option which is no array. */
function checkLists({ preload, execArgv }: WorkersOptions): void {
  for (const [name, list] of Object.entries({ preload, execArgv })) {
    if (list !== undefined && !Array.isArray(list)) {
      throw new TypeError(`options.${name} must be an array, not ${inspect(list, { depth: 0 })}`)
    }
  }
}

/** Resolves once a worker is connected with the others. */
async function meet(name: string, names: readonly string[]): Promise<void> {
  const nodes = names.filter(other => other !== name)
  // A worker that dies meanwhile is started anew, and told of the others then.
  await call(kernelOf(name), { type: 'meet', nodes }, Number.POSITIVE_INFINITY).catch(() => {})
}

/** Names the nodes of so many workers. Throws a TypeError if the prefix is wrong, and an Error if a name is taken. */
function namesOf(count: number, given: string | undefined): string[] {
  const { node, crew } = needNode()
  const prefix = given ?? `${node.name}.`
  if (typeof prefix !== 'string')
    throw new TypeError(`options.prefix must be a string, not ${inspect(prefix)}`)
  checkNodeName(`${prefix}${count}`, 'options.prefix and a number')
  const names = Array.from({ length: count }, (_, index) => `${prefix}${index + 1}`)
  const taken = names.find(name => name === node.name || node.isConnected(name) || crew.isReserved(name))
  if (taken === undefined) return names
  throw new Error(`options.prefix must be another one than '${prefix}': there is a node '${taken}' already`)
}

/** Starts one thread, and resolves to the process that stands for it once the node is connected. */
async function startWorker(
  parent: Process<never>,
  name: string,
  options: WorkersOptions,
): Promise<Process<never>> {
  const { promise, resolve, reject } = withResolvers<void>()
  const pid = parent.spawnLink<WorkerMessage>(self => runWorker(self, name, options, resolve), {
    trapExit: true,
  })
  pid.label = `worker node ${name}`
  pid.exited.then(reject)
  await promise
  return pid as unknown as Process<never>
}

type WorkerMessage =
  | { readonly type: 'nodeup' | 'nodedown'; readonly node: string }
  | { readonly type: 'ended'; readonly reason: unknown }

async function runWorker(
  self: Process<WorkerMessage>,
  name: string,
  options: WorkersOptions,
  onUp: () => void,
): Promise<void> {
  const worker = startThread(name, options)
  let failure: unknown
  worker.once('error', error => {
    failure = error
  })
  worker.once('exit', code => {
    self.send({
      type: 'ended',
      reason: failure ?? new Error(`the thread of '${name}' has ended with code ${code}`),
    })
  })
  self.monitorNode(name)
  try {
    for (;;) {
      const message = await self.receive([
        { type: 'nodeup', node: name },
        { type: 'ended' },
        { type: 'EXIT' },
      ])
      if (message.type === 'ended') return self.exit(message.reason)
      if (message.type === 'nodeup') onUp()
      if (message.type === 'EXIT') return await endThread(self, worker, name, message.reason)
    }
  } finally {
    await worker.terminate()
  }
}

/** Asks a thread to end, and ends it if it does not, or cannot be asked. */
async function endThread(
  self: Process<WorkerMessage>,
  worker: Worker,
  name: string,
  reason: unknown,
): Promise<void> {
  if (nodes().includes(name)) {
    send({ name: NET_KERNEL, node: name }, { type: 'stop' })
    await self.receive([{ type: 'ended' }], { timeout: GOODBYE, onTimeout: () => undefined })
  }
  await worker.terminate()
  // The thread may be gone before its line is known to be down, until when its name is taken.
  self.flush({ type: 'nodedown' })
  if (nodes().includes(name)) {
    await self.receive([{ type: 'nodedown', node: name }], { timeout: GOODBYE, onTimeout: () => undefined })
  }
  self.exit(reason)
}

function startThread(name: string, { resourceLimits, preload = [], execArgv }: WorkersOptions): Worker {
  const { node, threads, crew } = needNode()
  const [ours, control] = [new MessageChannel(), new MessageChannel()]
  const { toNew, introduce } = crew.introductions()
  const introductions = [{ name: node.name, port: ours.port2 }, ...toNew]
  const { cookie, tickTime, window } = node.options
  const holster: Membership = {
    options: { name, cookie, tickTime, window },
    introductions,
    control: control.port2,
    preload: preload.map(String),
  }
  const worker = new Worker(new URL('./worker.js', import.meta.url), {
    workerData: { holster },
    transferList: [control.port2, ...introductions.map(({ port }) => port)],
    ...(resourceLimits === undefined ? undefined : { resourceLimits }),
    ...(execArgv === undefined ? undefined : { execArgv: [...execArgv] }),
  })
  introduce(name)
  control.port1.unref()
  crew.add(name, worker, control.port1)
  threads.add({ name, port: ours.port1 })
  return worker
}

function withResolvers<T>() {
  let resolve!: (value: T) => void
  let reject!: (reason: unknown) => void
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve
    reject = onReject
  })
  return { promise, resolve, reject }
}
