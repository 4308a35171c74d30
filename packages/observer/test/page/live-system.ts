// A program that lives: processes that wait, a mailbox over its mark, a supervisor that restarts, WebSockets, and a pool.

import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import * as gun from '@holster/gun'
import { genServer, supervisor } from '@holster/otp'
import { exit, type Process, processes, setExitHook, spawn, whereis } from '@holster/process'
import { WebSocketServer } from 'ws'

/** A name that would do harm if it were markup. */
export const SCRIPT = '<script>alert(1)</script>'
/** What a label would do if it were markup. */
export const IMAGE = '<img src=x onerror=alert(2)>'
/** How many messages wait in the mailbox of the ledger, which is over its mark. */
export const ORDERS = 150

/** A process, whatever its messages are. */
export type Known = Pick<Process<never>, 'id' | 'exited'>

/** The program, to be disposed of at the end. */
export interface LiveSystem extends AsyncDisposable {
  /** The process that has lots of messages. */
  readonly ledger: Known
  /** The process that takes the messages of the live WebSocket. */
  readonly quotes: Known
  /** The connection that is up, with a WebSocket. */
  readonly live: gun.ConnPid
  /** The connection that nobody answers. */
  readonly failing: gun.ConnPid
  /** Ends the child `feed 2` of the supervisor `feeds`, and resolves once another has taken its place. */
  crash(): Promise<void>
  /** Sends a quote over the live WebSocket. */
  quote(price: number): void
  /** Sends the ledger a message. */
  order(id: number): void
}

export interface Order {
  readonly type: 'order'
  readonly id: number
  readonly password: string
}

/** Starts it. */
export async function liveSystem(): Promise<LiveSystem> {
  const ends: (() => unknown)[] = []
  const hook = setExitHook(() => {})
  ends.push(() => setExitHook(hook))

  const tree = await startTree()
  ends.push(() => supervisor.stop(tree))

  const ledger = spawn<Order | { readonly type: 'audit' }>(
    async self => void (await self.receive([{ type: 'audit' }])),
    { name: 'ledger', highWaterMark: { messages: 100 } },
  )
  for (let id = 1; id <= ORDERS; id += 1) ledger.send({ type: 'order', id, password: 'hunter2' })
  ends.push(() => endAll([ledger]))
  const named = [SCRIPT, 'clerk', 'printer'].map(name => waiting({ name }))
  const labelled = [IMAGE, 'session of Ada', 'session of Grace'].map(label => waiting({ label }))
  const clerk = named[1] as Process<unknown>
  clerk.link(ledger)
  clerk.monitor(labelled[0] as Process<unknown>)
  clerk.sendAfter(600_000, { type: 'late' })
  ends.push(() => endAll([...named, ...labelled]))

  const server = await startWebSockets()
  ends.push(() => server.close())
  const { quotes, live } = await subscribe(server.port)
  ends.push(() => endAll([quotes]))
  const failing = gun.open('127.0.0.1', await closedPort(), {
    retry: Number.POSITIVE_INFINITY,
    retryTimeout: 300,
  })
  ends.push(() => gun.close(failing))
  const closePool = await startPool()
  ends.push(closePool)

  return {
    ledger,
    quotes,
    live,
    failing,
    crash,
    quote: price => server.say(JSON.stringify({ price })),
    order: id => ledger.send({ type: 'order', id, password: 'hunter2' }),
    async [Symbol.asyncDispose]() {
      for (const end of ends.reverse()) await end()
    },
  }
}

/** Spawns many processes that wait, and gives what ends them. */
export function crowd(many: number): () => Promise<void> {
  const all = Array.from({ length: many }, (_, at) => waiting({ label: `member ${at + 1}` }))
  return () => endAll(all)
}

function waiting({ name, label }: { readonly name?: string; readonly label?: string }): Process<unknown> {
  const process = spawn<unknown>(
    async self => void (await self.receive([{ type: 'hello' }, { type: 'bye' }])),
    name === undefined ? {} : { name },
  )
  process.label = label
  return process
}

async function endAll(all: readonly Known[]): Promise<void> {
  for (const process of all) exit(process as Process<never>, 'kill')
  await Promise.all(all.map(({ exited }) => exited))
}

// The supervisors:

const gauge = genServer.define({
  init: () => ['ok', 0],
  handleCall: {
    read: (_request: { readonly type: 'read' }, _from, state: number) => ['reply', state, state],
  },
})

function startTree(): Promise<Process<never>> {
  return supervisor.start(
    {
      strategy: 'one_for_all',
      children: [
        supervisor.childSpec({
          id: 'feeds',
          name: 'feeds',
          intensity: Number.POSITIVE_INFINITY,
          children: [1, 2, 3].map(number => ({
            id: `feed ${number}`,
            start: () => waiting({ name: `feed ${number}` }),
          })),
        }),
        supervisor.childSpec({
          id: 'orders',
          strategy: 'rest_for_one',
          children: [genServer.childSpec(gauge, undefined, { name: 'gauge' })],
        }),
      ],
    },
    { name: 'shop' },
  )
}

async function crash(): Promise<void> {
  const before = whereis('feed 2') as Process<unknown>
  exit(before, 'feed lost')
  await before.exited
  await supervisor.whichChildren('feeds')
}

// The connections:

interface WebSockets {
  readonly port: number
  say(text: string): void
  close(): Promise<void>
}

async function startWebSockets(): Promise<WebSockets> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    say: text => {
      for (const socket of server.clients) socket.send(text)
    },
    close: async () => {
      for (const socket of server.clients) socket.terminate()
      server.close()
      await once(server, 'close')
    },
  }
}

async function subscribe(port: number): Promise<{ readonly quotes: Known; readonly live: gun.ConnPid }> {
  return new Promise(resolve => {
    const quotes = spawn<gun.GunMessage>(
      async self => {
        const live = gun.open('127.0.0.1', port, { owner: self })
        await self.receive([{ type: 'gun_up' }])
        gun.wsUpgrade(live, '/quotes')
        await self.receive([{ type: 'gun_upgrade' }])
        resolve({ quotes, live })
        for (;;) await self.receive([{ type: 'gun_ws' }])
      },
      { name: 'quotes' },
    )
  })
}

/** Gives a port on which nobody listens. */
async function closedPort(): Promise<number> {
  const server = createTcpServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** Starts a pool of two connections whose server answers nobody, so that callers wait. */
async function startPool(): Promise<() => Promise<void>> {
  const held = new Set<ServerResponse>()
  const server = createServer((_request, response) => void held.add(response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const pool = gun.pool.startPool('127.0.0.1', port, { size: 2 })
  await gun.pool.awaitUp(pool)
  const headers = { host: `127.0.0.1:${port}` }
  const caller = spawn<gun.GunMessage>(async self => {
    const ask = () => gun.pool.get('/', headers, { replyTo: self })
    for (let at = 0; at < 5; at += 1) ask()
    // Whoever has waited too long asks again.
    for (;;) {
      await self.receive([{ type: 'gun_error' }])
      ask()
    }
  })
  return async () => {
    await endAll([caller])
    await gun.pool.stopPool('127.0.0.1', port)
    for (const response of held) response.destroy()
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  }
}

/** Gives how many processes there are. */
export function population(): number {
  return processes().length
}
