/** The process that answers other nodes: who has a name, and what is to be spawned. Erlang's `net_kernel` and `erpc` in one. */

import { type Call, P, type Pid, type Process, registered, reply, spawn, whereis } from '@holster/process'
import { offeredBody } from '@holster/process/internal'

/** The name under which the process is registered. */
export const NET_KERNEL = 'net_kernel'

/** How busy a node is. */
export interface Load {
  /** The part of the time since the last question in which the event loop was busy, from 0 to 1. */
  readonly utilization: number
}

type Answered<R> = { readonly ok: true; readonly value: R } | { readonly ok: false; readonly error: unknown }

/** What other nodes may ask. */
export type NetKernelCall =
  | Call<{ readonly type: 'whereis'; readonly name: string }, Pid<unknown> | undefined>
  | Call<{ readonly type: 'registered' }, string[]>
  | Call<{ readonly type: 'load' }, Load>
  | Call<
      {
        readonly type: 'spawn'
        readonly url: string
        readonly name: string
        readonly args: readonly unknown[]
        readonly link: unknown
      },
      Answered<Pid<unknown>>
    >

/** What `net_kernel` is sent. */
export type NetKernelMessage = NetKernelCall | { readonly type: 'stop' }

/** Runs the process; `stop` ends the node. */
export async function netKernel(self: Process<NetKernelMessage>, stop: () => void): Promise<void> {
  self.label = 'answers other nodes'
  let before = performance.eventLoopUtilization()
  for (;;) {
    const message = await self.receive([{ type: 'call' }, { type: 'stop' }, P._])
    if (message.type === 'stop') return stop()
    if (message.type !== 'call') continue
    const { from, request } = message
    switch (request.type) {
      case 'whereis':
        reply(from as never, whereis(request.name))
        break
      case 'registered':
        reply(from as never, registered())
        break
      case 'load': {
        const { utilization } = performance.eventLoopUtilization(before)
        before = performance.eventLoopUtilization()
        reply(from as never, { utilization })
        break
      }
      case 'spawn':
        // A module may take long to load.
        spawn(async () => reply(from as never, await answer(request)))
        break
    }
  }
}

async function answer({
  url,
  name,
  args,
  link,
}: {
  url: string
  name: string
  args: readonly unknown[]
  link: unknown
}) {
  try {
    const body = await load(url, name)
    const start = (self: Process<unknown>) => {
      // Before the body begins, so that its end cannot come first.
      return body(self, ...args)
    }
    const pid = spawn(self => {
      if (link !== undefined) self.link(link as never)
      return start(self)
    })
    return { ok: true, value: pid }
  } catch (error) {
    return { ok: false, error }
  }
}

type Body = (self: Process<never>, ...args: unknown[]) => unknown

/** Gives an exported body, or one that a package offers by that name. Throws an Error that says what the module has if it is no function. */
async function load(
  url: string,
  name: string,
): Promise<(self: Process<unknown>, ...args: readonly unknown[]) => unknown> {
  const known = offeredBody(name)
  if (known !== undefined) return known as Body as never
  const module = (await import(url)) as Record<string, unknown>
  const body = offeredBody(name) ?? module[name]
  if (typeof body === 'function') return body as Body as never
  const exported = Object.keys(module).filter(key => typeof module[key] === 'function')
  throw new Error(`the module ${url} exports no function '${name}', but ${exported.join(', ') || 'none'}`)
}
