/** An agent is a process on another node that looks there for an observer, and ends with it. */

import { type Call, type Pid, type Process, reply } from '@holster/process'

import { needHome, offerBody } from '@holster/process/internal'
import { textOfReason } from '../naming/texts.js'
import { type Action, VERSION } from '../words.js'

import { act } from './acting.js'
import { type Glance, Here, type LocalView, type Sight } from './here.js'

/** The answer to a question: a value, or why there is none. */
export type Answer<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly text: string }

/** The questions to an agent. The observer numbers its glances, and never gives a number twice: an agent may end and another begin. */
export type AgentCall =
  | Call<{ readonly type: 'open'; readonly glance: number; readonly view: LocalView }, Answer<void>>
  | Call<{ readonly type: 'see'; readonly glance: number }, Answer<Sight>>
  | Call<{ readonly type: 'turn'; readonly glance: number; readonly view: LocalView }, Answer<boolean>>
  | Call<{ readonly type: 'close'; readonly glance: number }, Answer<void>>
  | Call<{ readonly type: 'act'; readonly action: Action }, Answer<string>>

/** The first message to an agent, from its observer, whose words may be those of another version of this package. */
interface Introduction {
  readonly type: 'observer'
  readonly pid: Process<never>
  readonly version: number
}

/** The messages to an agent. */
export type AgentMessage = AgentCall | Introduction

/** The name by which nodes know the body of an agent. */
const AGENT = '@holster/observer:agent'
/** How long in milliseconds an agent waits for its observer to say who it is. */
const PATIENCE = 60_000

offerBody(AGENT, async (self: Process<AgentMessage>) => {
  self.label = 'looks on for an observer'
  const timeout = { timeout: PATIENCE, onTimeout: () => undefined }
  const first = await self.receive([{ type: 'observer' }], timeout)
  if (first === undefined) return
  self.monitor(first.pid)
  const agent = new Agent()
  try {
    for (;;) {
      const message = await self.receive([{ type: 'call' }, { type: 'DOWN' }])
      if (message.type === 'DOWN') return
      answer(agent, message as AgentCall, first.version)
    }
  } finally {
    agent.stop()
  }
})

/** Starts an agent on a node. Rejects with the error of a node that cannot load this package. */
export async function startAgent(node: string, observer: Process<never>): Promise<Pid<AgentMessage>> {
  // A node that has this package elsewhere has loaded it before; others find it where it is here.
  const pid = (await needHome().spawnAt(node, import.meta.url, AGENT, [])) as Pid<AgentMessage>
  pid.send({ type: 'observer', pid: observer, version: VERSION })
  return pid
}

function answer(agent: Agent, { from, request }: AgentCall, version: number): void {
  const answered = (value: unknown) => reply(from as never, value as never)
  try {
    if (version !== VERSION) {
      throw new Error('@holster/observer has another version on that node: install the same one there')
    }
    answered({ ok: true, value: agent.take(request) })
  } catch (error) {
    answered({ ok: false, text: error instanceof Error ? error.message : textOfReason(error) })
  }
}

/** The glances of one observer. */
class Agent {
  readonly #here = new Here()
  readonly #glances = new Map<number, Glance>()

  take(request: AgentCall['request']): unknown {
    switch (request.type) {
      case 'open':
        this.#glances.set(request.glance, this.#here.open(request.view))
        return undefined
      case 'see':
        return this.#glance(request.glance).see()
      case 'turn':
        return this.#glance(request.glance).turn(request.view)
      case 'close':
        this.#glances.get(request.glance)?.close()
        this.#glances.delete(request.glance)
        return undefined
      case 'act':
        return act(request.action)
    }
  }

  stop(): void {
    for (const glance of this.#glances.values()) glance.close()
    this.#here.stop()
  }

  #glance(number: number): Glance {
    const glance = this.#glances.get(number)
    if (glance === undefined) throw new Error('the view was closed')
    return glance
  }
}
