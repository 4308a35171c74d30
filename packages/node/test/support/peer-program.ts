// The program of a peer: it does what comes through the channel to its parent, and tells what its node hears.

import {
  type NodeOptions,
  named,
  nodes,
  type Refusal,
  send,
  startNode,
  stopNode,
  whereis,
} from '@holster/node'
import { type NatsOptions, nats } from '@holster/node/nats'
import {
  type Call,
  call,
  type Down,
  P,
  type Process,
  reply,
  setExitHook,
  spawn,
  whereis as whereisHere,
} from '@holster/process'
import { sink, source, type Tally, type TallyRequest } from './numbered.ts'

/** The options of a node in another program; its name is all that a test must say. */
export type PeerOptions = Omit<NodeOptions, 'carrier' | 'onRefused'> & {
  readonly nats: NatsOptions
  /** The nodes whose coming and going is told. */
  readonly watch?: readonly string[]
}

/** The news that a peer tells without being asked. */
export type News =
  | { readonly kind: 'nodeup'; readonly node: string }
  | { readonly kind: 'nodedown'; readonly node: string }
  | { readonly kind: 'DOWN'; readonly name: string; readonly reason: unknown }
  | ({ readonly kind: 'refused' } & Refusal)
  | { readonly kind: 'report'; readonly text: string }
  | { readonly kind: 'warning'; readonly text: string }

/** The answer to one command. */
export interface Answers {
  readonly id: number
  readonly value?: unknown
  readonly error?: string
}

type Asked = Call<string, string>

const tellNews = (news: News): void => {
  process.send?.({ news })
}

async function watcher(self: Process<{ type: 'nodeup' | 'nodedown'; node: string }>, node: string) {
  self.monitorNode(node)
  // A node that is not connected is told to be gone at once.
  if (!nodes().includes(node)) await self.receive([{ type: 'nodedown' }])
  for (;;) {
    const { type } = await self.receive([{ type: P.union('nodeup', 'nodedown') }])
    tellNews({ kind: type, node })
  }
}

async function echo(self: Process<Asked>): Promise<void> {
  for (;;) {
    const { from, request } = await self.receive([{ type: 'call' }])
    reply(from as never, request as never)
  }
}

const commands = {
  async start({ nats: options, watch = [], ...rest }: PeerOptions): Promise<void> {
    await startNode({ ...rest, carrier: nats(options), onRefused: tellRefusal })
    for (const node of watch) spawn(self => watcher(self as never, node))
    if (whereisHere('echo') === undefined) spawn<Asked>(echo, { name: 'echo' })
  },
  stop: () => stopNode(),
  nodes: () => nodes(),
  /** Stops what the program does, so that it ends by itself if nothing is left behind. */
  async leave(): Promise<void> {
    await stopNode()
    // Behind the answer.
    setImmediate(() => process.disconnect())
  },
  /** Has `node` send a text of so many bytes back, and gives its length and whether it was the one that was sent. */
  async echo(node: string, bytes: number): Promise<boolean> {
    const text = Array.from({ length: bytes }, (_, index) => String.fromCharCode(97 + (index % 26))).join('')
    return (await call(named({ name: 'echo', node }) as never, text as never, 120_000)) === text
  },
  /** Tells `DOWN` of a process on another node. */
  async monitor(node: string, name: string): Promise<void> {
    const pid = await whereis(name, node)
    spawn(async (self: Process<Down>) => {
      self.monitor(pid as never)
      const { reason } = await self.receive([{ type: 'DOWN' }])
      tellNews({ kind: 'DOWN', name, reason })
    })
  },
  /** Keeps the event loop busy for so many milliseconds. */
  busy(ms: number): void {
    const end = performance.now() + ms
    while (performance.now() < end);
  },
  /** Sends so many messages of so many bytes to a process that does not look at them. */
  flood(node: string, messages: number, bytes: number): void {
    const to = { name: 'net_kernel', node }
    for (let number = 0; number < messages; number++) send(to, { type: 'none', load: 'x'.repeat(bytes) })
  },
  /** Sends so many numbers to the sink of a node. */
  numbers(node: string, messages: number): void {
    for (let number = 0; number < messages; number++) {
      send({ name: 'sink', node }, { type: 'number', run: 1, number, load: '' })
    }
  },
  source(node: string, bytes: number): void {
    spawn(self => source(self as never, node, bytes))
  },
  sink(from: string): void {
    spawn(self => sink(self as never, from), { name: 'sink' })
  },
  /** Resolves once so many messages have come to the sink. */
  tally(least: number): Promise<Tally> {
    return new Promise(tell => {
      whereisHere<TallyRequest>('sink')?.send({ type: 'tally', least, tell })
    })
  },
}

export type Commands = typeof commands
export type Command = keyof Commands

function tellRefusal({ node, reason }: Refusal): void {
  tellNews({ kind: 'refused', node, reason })
}

setExitHook((_pid, reason) => tellNews({ kind: 'report', text: String(reason) }))
process.on('warning', ({ message }) => tellNews({ kind: 'warning', text: message }))
process.on('message', async ({ id, name, args }: { id: number; name: Command; args: unknown[] }) => {
  try {
    const value = await (commands[name] as (...args: unknown[]) => unknown)(...args)
    process.send?.({ id, value } satisfies Answers)
  } catch (error) {
    process.send?.({ id, error: String(error) } satisfies Answers)
  }
})
