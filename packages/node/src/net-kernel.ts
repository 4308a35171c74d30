/** The process that answers other nodes: who has a name, and what is to be spawned. Erlang's `net_kernel` and `erpc` in one. */

import {
  type Call,
  type MonitorTarget,
  P,
  type Pid,
  type Process,
  registered,
  reply,
  spawn,
  whereis,
} from '@holster/process'
import { describeReason, needHome, offeredBody, reportThrown } from '@holster/process/internal'
import type { NodeChange } from './watch-nodes.js'

/** The name under which the process is registered. */
export const NET_KERNEL = 'net_kernel'

/** Asks for a process that runs an exported body. */
export interface SpawnRequest {
  readonly type: 'spawn'
  readonly url: string
  readonly name: string
  readonly args: readonly unknown[]
  /** The process to which the new one is linked before its body begins. */
  readonly link: MonitorTarget | undefined
}

/** Says what has come of a request to spawn. */
export type Spawned =
  | { readonly ok: true; readonly value: Pid<unknown> }
  | { readonly ok: false; readonly error: unknown }

/** The questions of other nodes. */
export type NetKernelCall =
  | Call<{ readonly type: 'whereis'; readonly name: string }, Pid<unknown> | undefined>
  | Call<{ readonly type: 'registered' }, string[]>
  | Call<SpawnRequest, Spawned>
  | Call<{ readonly type: 'meet'; readonly nodes: readonly string[] }, void>

/** The messages to `net_kernel`. */
export type NetKernelMessage = NetKernelCall | { readonly type: 'stop' }

/** Runs the process; `stop` ends the node. */
export async function netKernel(self: Process<NetKernelMessage>, stop: () => void): Promise<void> {
  self.label = 'answers other nodes'
  for (;;) {
    const message = (await self.receive([P._])) as NetKernelMessage
    try {
      if (message.type === 'stop') return stop()
      if (message.type === 'call') answer(message)
    } catch (error) {
      // A message of another node must not end the process that all others ask.
      reportThrown(self, error)
    }
  }
}

function answer({ from, request }: NetKernelCall): void {
  const answered = (value: unknown) => reply(from as never, value as never)
  if (request.type === 'whereis') answered(whereis(request.name))
  if (request.type === 'registered') answered(registered())
  if (request.type === 'meet') spawn<NodeChange>(async self => answered(await meet(self, request.nodes)))
  // A module may take long to load.
  if (request.type === 'spawn') spawn(async () => answerSpawned(answered, await begin(request)))
}

/** Answers a request to spawn. Whoever asks waits without limit, so that what cannot be sent must not keep the answer. */
function answerSpawned(answered: (value: Spawned) => void, spawned: Spawned): void {
  try {
    answered(spawned)
  } catch (error) {
    answered({
      ok: false,
      error: new Error(`what the module has thrown cannot be sent: ${describeReason(error)}`),
    })
  }
}

/** Resolves once all of `nodes` are connected. */
async function meet(self: Process<NodeChange>, nodes: readonly string[]): Promise<void> {
  for (const node of nodes) {
    self.monitorNode(node)
    if (!needHome().nodes.includes(node)) await self.receive([{ type: 'nodeup', node }])
  }
}

async function begin({ url, name, args, link }: SpawnRequest): Promise<Spawned> {
  try {
    const body = await load(url, name)
    const pid = spawn(self => {
      if (link !== undefined) self.link(link)
      // The other side of the link may have ended meanwhile, and this process with it.
      return self.isAlive ? body(self, ...args) : undefined
    })
    return { ok: true, value: pid }
  } catch (error) {
    return { ok: false, error }
  }
}

type Body = (self: Process, ...args: readonly unknown[]) => unknown

/** Gives an exported body, or one that a package offers by that name. Throws an Error that says what the module has if it is no function. */
async function load(url: string, name: string): Promise<Body> {
  const known = offeredBody(name)
  if (known !== undefined) return known as Body
  checkCode(url)
  const module = (await import(url)) as Record<string, unknown>
  const body = offeredBody(name) ?? module[name]
  if (typeof body === 'function') return body as Body
  const exported = Object.keys(module).filter(key => typeof module[key] === 'function')
  throw new Error(`the module ${url} exports no function '${name}', but ${exported.join(', ') || 'none'}`)
}

/** Throws a TypeError unless the URL is that of a file: a `data:` URL would be code that another node has written. */
export function checkCode(url: string): void {
  if (url.startsWith('file:')) return
  throw new TypeError(
    `code must be the URL of a file, such as new URL('./worker.js', import.meta.url), not ${url}`,
  )
}
