// Bodies of processes that tests spawn on other nodes.

import { nodes, registerCodec } from '@holster/node'
import { pg } from '@holster/otp'
import {
  type Call,
  exit,
  type MonitorTarget,
  P,
  type Pid,
  type Process,
  register,
  reply,
  unregister,
} from '@holster/process'

/** Stands for the classes of users, which travel by a codec. */
export class Money {
  readonly amount: number
  constructor(amount: number) {
    this.amount = amount
  }
}

registerCodec({
  name: 'money',
  class: Money,
  encode: ({ amount }) => amount,
  decode: amount => new Money(amount),
})

/** Stands for classes of users that extend Array. */
export class Row extends Array<number> {}

registerCodec({
  name: 'row',
  class: Row,
  encode: row => [...row],
  decode: numbers => Row.from(numbers) as Row,
})

export interface Echo {
  readonly type: 'echo'
  readonly from: Pid<unknown>
  readonly body: unknown
}

/** Sends each body back with its own pid. */
export async function echo(self: Process<Echo>): Promise<void> {
  for (;;) {
    const { from, body } = await self.receive([{ type: 'echo' }])
    from.send({ type: 'echoed', body, self })
  }
}

export type Order =
  | { readonly type: 'throw'; readonly message: string }
  | { readonly type: 'exit'; readonly reason: unknown }
  | { readonly type: 'return' }
  | { readonly type: 'trap' }
  | {
      readonly type: 'link' | 'unlink' | 'monitor' | 'kill'
      readonly pid: MonitorTarget
      readonly reason?: unknown
    }
  | { readonly type: 'register' | 'unregister'; readonly name: string }
  | { readonly type: 'ping'; readonly from: Pid<unknown> }
  | { readonly type: 'count'; readonly from: Pid<unknown>; readonly to: number }
  | { readonly type: 'flow'; readonly to: Pid<unknown>; readonly messages: number }

/** Does what it is told, and sends all else that it gets to `boss`. */
export async function servant(self: Process<Order>, boss: Pid<unknown>): Promise<void> {
  for (;;) {
    const order = (await self.receive([P._])) as Order
    switch (order.type) {
      case 'throw':
        throw new TypeError(order.message)
      case 'exit':
        return self.exit(order.reason)
      case 'return':
        return
      case 'trap':
        self.trapExit = true
        break
      case 'link':
        self.link(order.pid)
        break
      case 'unlink':
        self.unlink(order.pid)
        break
      case 'monitor':
        self.monitor(order.pid)
        break
      case 'kill':
        exit(order.pid, order.reason)
        break
      case 'register':
        register(order.name, self)
        break
      case 'unregister':
        unregister(order.name)
        break
      case 'ping':
        order.from.send({ type: 'pong', from: self })
        break
      case 'flow':
        for (let number = 0; number < order.messages; number++) order.to.send({ type: 'number', number })
        break
      case 'count': {
        for (let number = 0; number < order.to; number++) {
          const got = (await self.receive([{ type: 'number' }] as never)) as { number: number }
          if (got.number !== number) throw new Error(`${got.number} came in place of ${number}`)
        }
        order.from.send({ type: 'counted' })
        break
      }
      default:
        boss.send({ type: 'got', message: order })
    }
  }
}

export type Counter =
  | Call<{ readonly type: 'add'; readonly n: number }, number>
  | Call<{ readonly type: 'crash' }, never>
  | Call<{ readonly type: 'ignore' }, never>
  | Call<{ readonly type: 'late' }, string>
  | { readonly type: 'now' }

/** Answers calls. */
export async function counter(self: Process<Counter>, start: number): Promise<void> {
  let sum = start
  for (;;) {
    const message = await self.receive([{ type: 'call' }])
    const { from, request } = message
    if (request.type === 'add') {
      sum += request.n
      reply(from as never, sum as never)
    }
    if (request.type === 'crash') throw new Error('crashed')
    if (request.type === 'late') {
      await self.receive([{ type: 'now' }])
      reply(from as never, 'late' as never)
    }
  }
}

/** Fills its mailbox and never looks into it. */
export async function sleeper(self: Process<unknown>): Promise<void> {
  await self.receive([{ type: 'wake' }])
}

export type Death = 'an error' | 'an exit of the program' | 'want of memory' | 'a busy loop'

/** Ends its thread, or keeps it busy. */
export async function reaper(self: Process<unknown>, how: Death): Promise<void> {
  if (how === 'an error') {
    setTimeout(() => {
      throw new Error('thrown where nothing catches it')
    })
  }
  if (how === 'an exit of the program') process.exit(3)
  if (how === 'want of memory')
    for (const all: unknown[] = []; ; ) all.push(Array.from({ length: 1000 }, () => ({})))
  // Nothing else can run meanwhile.
  if (how === 'a busy loop') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2000)
  await self.receive([{ type: 'never' }])
}

/** Tells which nodes it sees, and what comes and goes. */
export async function observer(self: Process<unknown>, boss: Pid<unknown>, name: string): Promise<void> {
  self.monitorNode(name)
  boss.send({ type: 'sees', nodes: nodes() })
  for (;;) boss.send(await self.receive([{ type: 'nodeup' }, { type: 'nodedown' }]))
}

/** Sends what it gets on to `boss`, with how many bytes that holds. */
export async function weigher(
  self: Process<{ readonly bytes: Uint8Array }>,
  boss: Pid<unknown>,
): Promise<void> {
  for (;;) {
    const { bytes } = await self.receive([{ bytes: P._ }])
    boss.send({ type: 'weighed', length: bytes.length, sum: bytes.reduce((sum, byte) => sum + byte, 0) })
  }
}

export type GroupOrder =
  | { readonly type: 'join' | 'leave'; readonly group: unknown; readonly times?: number }
  | { readonly type: 'members'; readonly group: unknown; readonly from: Pid<unknown> }
  | { readonly type: 'watch'; readonly group: unknown; readonly from: Pid<unknown> }
  | { readonly type: 'end' }

/** Joins and leaves groups as it is told, and tells who is there. */
export async function member(self: Process<GroupOrder>): Promise<void> {
  for (;;) {
    const order = await self.receive([{ type: P.union('join', 'leave', 'members', 'watch', 'end') }])
    if (order.type === 'end') return
    if (order.type === 'join') for (let i = 0; i < (order.times ?? 1); i++) pg.join(order.group, self)
    if (order.type === 'leave') pg.leave(order.group, self)
    if (order.type === 'members') {
      const [all, local] = [pg.members(order.group), pg.localMembers(order.group)]
      order.from.send({ type: 'members', all, local })
    }
  }
}

/** Ends for a reason that does not let itself be looked at. */
export async function shy(self: Process<{ readonly type: 'end' }>): Promise<void> {
  await self.receive([{ type: 'end' }])
  const reason = {
    get secret() {
      throw () => 'a function'
    },
  }
  self.exit(reason)
}
