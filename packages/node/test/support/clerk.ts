// A body that keeps registries on another node as it is told.

import { registry } from '@holster/otp'
import { exit, type MonitorTarget, P, type Pid, type Process, setExitHook, spawn } from '@holster/process'

export type Order =
  | { readonly type: 'open'; readonly keys: 'unique' | 'duplicate' }
  | { readonly type: 'close' }
  | { readonly type: 'register'; readonly key: unknown; readonly value?: unknown }
  | { readonly type: 'unregister'; readonly key: unknown; readonly pid: MonitorTarget & Pid<never> }
  | {
      readonly type: 'update'
      readonly key: unknown
      readonly pid: MonitorTarget & Pid<never>
      readonly value: unknown
    }
  | { readonly type: 'exit'; readonly pid: MonitorTarget }
  | { readonly type: 'ask'; readonly key: unknown }

export type Reply =
  | { readonly type: 'opened' }
  | { readonly type: 'registered'; readonly key: unknown; readonly pid: Process }
  | { readonly type: 'refused'; readonly key: unknown; readonly pid: Process }
  | { readonly type: 'lost'; readonly key: unknown; readonly pid: Process; readonly winner: Process }
  | { readonly type: 'entries'; readonly entries: readonly registry.Entry<unknown>[]; readonly count: number }

/** Keeps the registry `name`, and answers `boss`. */
export async function clerk(self: Process<Order>, name: string, boss: Pid<Reply>): Promise<void> {
  setExitHook(() => {})
  const wait = { type: P.union('open', 'close', 'register', 'unregister', 'update', 'exit', 'ask') }
  for (;;) {
    const order = (await self.receive([wait as never])) as Order
    if (order.type === 'open') open(name, order.keys, boss)
    else if (order.type === 'close') exit(registryOf(name), 'shutdown')
    else if (order.type === 'register') register(name, order.key, order.value, boss)
    else if (order.type === 'unregister') registry.unregister(name, order.key, order.pid)
    else if (order.type === 'update') registry.updateValue(name, order.key, order.pid, () => order.value)
    else if (order.type === 'exit') exit(order.pid, 'shutdown')
    else
      boss.send({ type: 'entries', entries: registry.lookup(name, order.key), count: registry.count(name) })
  }
}

const registries = new Map<string, registry.Registry<unknown, unknown>>()

function registryOf(name: string): registry.Registry<unknown, unknown> {
  return registries.get(name) as registry.Registry<unknown, unknown>
}

function open(name: string, keys: 'unique' | 'duplicate', boss: Pid<Reply>): void {
  const onConflict = ({ key, pid, winner }: registry.Conflict) =>
    boss.send({ type: 'lost', key, pid: pid as Process, winner: winner as Process })
  const own = keys === 'unique' ? { onConflict } : {}
  registries.set(name, registry.start({ keys, name, nodes: 'all', ...own }))
  boss.send({ type: 'opened' })
}

/** Registers a new process. */
function register(name: string, key: unknown, value: unknown, boss: Pid<Reply>): void {
  const pid = spawn(async self => void (await self.receive([{ type: 'end' }])))
  try {
    registry.register(name, key, pid, value)
    boss.send({ type: 'registered', key, pid })
  } catch (error) {
    pid.exit()
    boss.send({ type: 'refused', key, pid: (error as registry.AlreadyRegistered).pid as Process })
  }
}
