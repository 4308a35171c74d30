// Numbered messages from one node to another, in runs that begin whenever the nodes connect, and what must hold of them.

import { setImmediate as turn } from 'node:timers/promises'
import { named, nodes } from '@holster/node'
import { P, type Pid, type Process } from '@holster/process'

/** How many are sent between two looks into the mailbox, within which nothing can happen. */
const AT_ONCE = 100
/** How many may be sent ahead of what the sink has got, which it tells now and then. */
const AHEAD = 20_000
const NOW_AND_THEN = 1000

type Change = { readonly type: 'nodeup' | 'nodedown'; readonly node: string }
type Got = { readonly type: 'got'; readonly run: number }
type Numbered = {
  readonly type: 'number'
  readonly run: number
  readonly number: number
  readonly load: string
  /** The sender; absent if nobody wants to know what has come. */
  readonly from?: Pid<Got>
}

/** The messages that have come so far. */
export interface Tally {
  readonly messages: number
  readonly runs: number
  /** The faults that were seen, in words. */
  readonly violations: readonly string[]
}

/** Asks for the tally once so many messages have come in all. */
export type TallyRequest = {
  readonly type: 'tally'
  readonly least: number
  readonly tell: (tally: Tally) => void
}

/** Sends numbers to the sink of a node, from 0 in each run, for as long as the node is connected. Never ends. */
export async function source(self: Process<Change | Got>, node: string, bytes: number): Promise<void> {
  const isConnected = nodes().includes(node)
  self.monitorNode(node)
  const load = 'x'.repeat(bytes)
  const to = named<Numbered>({ name: 'sink', node })
  // A node that is not connected is told to be gone at once.
  if (!isConnected) await self.receive([{ type: 'nodedown' }])
  for (let run = 1; ; run++) {
    if (run > 1 || !isConnected) await self.receive([{ type: 'nodeup' }])
    let [number, got] = [0, 0]
    for (;;) {
      const news = await heard(self, number - got >= AHEAD)
      if (news?.type === 'nodedown') break
      if (news?.type === 'got' && news.run === run) got += NOW_AND_THEN
      if (news !== undefined) continue
      const end = number + AT_ONCE
      for (; number < end; number++) to.send({ type: 'number', run, number, load, from: self })
      // A look into the mailbox alone does not let the event loop turn.
      await turn()
    }
  }
}

/** Resolves to the oldest news, or to `undefined` if there are none and they need not be awaited. */
function heard(self: Process<Change | Got>, isToWait: boolean): Promise<Change | Got | undefined> {
  const patterns = [{ type: 'nodedown' }, { type: 'got' }] as const
  if (isToWait) return self.receive(patterns)
  return self.receive(patterns, { timeout: 0, onTimeout: () => undefined })
}

/** Takes the numbers from a node. */
export async function sink(self: Process<Change | Numbered | TallyRequest>, from: string): Promise<void> {
  self.monitorNode(from)
  const violations: string[] = []
  const requests: TallyRequest[] = []
  let [messages, runs] = [0, 0]
  let run: number | undefined
  let next = 0
  for (;;) {
    const message = (await self.receive([P._])) as Change | Numbered | TallyRequest
    if (message.type === 'nodedown') run = undefined
    if (message.type === 'number') {
      messages++
      if (message.run !== run) {
        if (run !== undefined) violations.push(`run ${message.run} began within run ${run}, at ${next}`)
        run = message.run
        runs++
        next = 0
      }
      if (message.number !== next) violations.push(`${message.number} came in place of ${next} of run ${run}`)
      next = message.number + 1
      if (next % NOW_AND_THEN === 0) message.from?.send({ type: 'got', run: message.run })
    }
    if (message.type === 'tally') requests.push(message)
    for (const request of [...requests]) {
      if (messages < request.least) continue
      requests.splice(requests.indexOf(request), 1)
      request.tell({ messages, runs, violations })
    }
  }
}
