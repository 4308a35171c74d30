/** Runs a program on our servers, as gen_server_peer.erl does on those of OTP, and gives its trace. */

import {
  CallError,
  createProcess,
  type From,
  isAlive,
  type MonitorRef,
  type Process,
  reply,
  whereis,
} from '@holster/process'
import { genServer } from '../../src/index.ts'
import type { How, Step, What, Why } from './programs.ts'

const turn = () => new Promise(resolve => setImmediate(resolve))

function reasonOf(why: Why): unknown {
  return typeof why === 'number' ? ['shutdown', why] : why
}

/** Names a reason as the peer does. */
function named(reason: unknown): string {
  if (reason instanceof CallError || reason instanceof genServer.StartError) return named(reason.reason)
  if (reason instanceof genServer.FunctionClauseError) return 'function_clause'
  if (reason instanceof genServer.BadReturnValueError) return 'bad_return_value'
  if (reason instanceof Error) return reason.message
  return Array.isArray(reason) ? reason.join(' ') : String(reason)
}

/** Wraps what is asked, as a server takes it. */
function requestOf(what: What): { readonly type: string; readonly value: number; readonly why: Why } {
  const [type, value = 0] = typeof what === 'string' ? [what] : what
  return { type, value: value as number, why: value }
}

interface State {
  readonly n: number
  readonly kept: readonly From<unknown>[]
  readonly log: (text: string) => void
  readonly isBadEnd: boolean
}

type Start = { readonly trapExit: boolean; readonly how: How; readonly log: (text: string) => void }

function add(n: number, state: State): State {
  return { ...state, n: state.n + n }
}

interface Asked {
  readonly value: number
  readonly why: Why
}

function crash(): never {
  throw new Error('crash')
}

const told = {
  add: ({ value }: Asked, state: State) => ['noreply', add(value, state)] as const,
  release: ({ value }: Asked, state: State) => {
    for (const from of state.kept) reply(from, value)
    return ['noreply', { ...state, kept: [] }] as const
  },
  stop: ({ why }: Asked, state: State) => ['stop', reasonOf(why), add(1, state)] as const,
  continue: ({ value }: Asked, state: State) => ['noreply', state, ['continue', value]] as const,
  idle: (_asked: Asked, state: State) => ['noreply', state, 0] as const,
  busy: (_asked: Asked, state: State, self: Process) => {
    self.send(requestOf(['add', 1]))
    return ['noreply', state, 0] as const
  },
  crash,
  bad: (): genServer.NoReplyAnswer<State> => ['reply', 1, 2] as never,
}

const server = genServer.define({
  init: ({ trapExit, how, log }: Start, self): genServer.InitAnswer<State> => {
    self.trapExit = trapExit
    const state = { n: 0, kept: [], log, isBadEnd: how === 'bad_end' }
    log(`init ${whereis(/ (.*)>/.exec(self.toString())?.[1] ?? '') === self}`)
    if (how === 'crash') return crash()
    if (how === 'bad') return 'banana' as never
    if (how === 'ignore') return 'ignore'
    if (typeof how === 'string') return ['ok', state]
    return how[0] === 'stop' ? ['stop', reasonOf(how[1])] : ['ok', state, ['continue', how[1]]]
  },
  handleCall: {
    get: (_asked: Asked, _from, state) => ['reply', state.n, state],
    add: ({ value }: Asked, _from, state) => ['reply', 'ok', add(value, state)],
    keep: (_asked: Asked, from: From<unknown>, state) => [
      'noreply',
      { ...state, kept: [from, ...state.kept] },
    ],
    twice: ({ value }: Asked, from: From<unknown>, state) => {
      reply(from, value)
      return ['reply', 'no', state]
    },
    stop_reply: ({ why }: Asked, _from, state) => ['stop', reasonOf(why), 'bye', add(1, state)],
    continue: ({ value }: Asked, _from, state) => ['reply', 'ok', state, ['continue', value]],
    idle: (_asked: Asked, _from, state) => ['reply', 'ok', state, 0],
    busy: (_asked: Asked, _from, state, self) => {
      self.send(requestOf(['add', 1]))
      return ['reply', 'ok', state, 0]
    },
    stop: (asked: Asked, _from, state) => told.stop(asked, state),
    crash,
    bad: (_asked: Asked): genServer.CallAnswer<State> => 'banana' as never,
  },
  handleCast: told,
  handleInfo: (
    message: ReturnType<typeof requestOf> | { type: 'EXIT'; reason: unknown } | { type: 'timeout' },
    state,
    self,
  ) => {
    if ('reason' in message) state.log(`got EXIT ${named(message.reason)}`)
    else if (!('value' in message)) state.log('timeout')
    else {
      state.log('info')
      const clause = Object.hasOwn(told, message.type) ? told[message.type as keyof typeof told] : undefined
      if (clause === undefined) throw new genServer.FunctionClauseError('handleInfo', message)
      return clause(message, state, self)
    }
    return ['noreply', state]
  },
  handleContinue: (term: number, state) => {
    if (term < 0) return ['stop', 'shutdown', state]
    if (term === 0) return ['noreply', state]
    state.log(`continue ${term}`)
    return ['noreply', add(term, state), ['continue', term - 1]]
  },
  terminate: (reason, state) => {
    state.log(`terminate ${named(reason)} ${state.n}`)
    if (state.isBadEnd) throw new Error('bad_end')
  },
})

type Pid = Process<unknown>

interface Slot {
  readonly pid: Pid
  readonly ref: MonitorRef
  readonly isLinked: boolean
  isSuspended: boolean
  isDead: boolean
}

interface Sent {
  readonly id: genServer.RequestId
  readonly slot: Slot
  isOpen: boolean
}

/** A run of a program. */
export class Driver {
  private readonly self = createProcess({ trapExit: true })
  private readonly slots: (Slot | undefined)[] = []
  private readonly sent: Sent[] = []
  private logs: string[] = []

  /** Gives the trace. */
  async run(program: readonly Step[]): Promise<string[]> {
    const trace: string[] = []
    for (const step of program) trace.push(...(await this.step(step)))
    for (const [i, { isOpen }] of this.sent.entries()) {
      if (isOpen) trace.push(`response ${i} ${await this.response(i, 'receive_response')}`)
    }
    for (const slot of this.slots) {
      if (slot === undefined || slot.isDead) continue
      this.self.exit(slot.pid, 'kill')
      await this.self.receive([{ type: 'DOWN', ref: slot.ref }])
    }
    this.self.flush({ type: 'EXIT' })
    trace.push(`left ${this.self.messageQueueLength}`)
    this.self.exit()
    return trace
  }

  private async step(step: Step): Promise<string[]> {
    let result: string
    try {
      result = await this.perform(step)
    } catch (error) {
      if (!(error instanceof CallError)) throw error
      result = `exit ${named(error)}`
    }
    const end = result === 'skipped' ? [] : await this.sync(step[1])
    const { logs } = this
    this.logs = []
    return [`${step[0]} ${result}`, ...logs, ...end]
  }

  private async perform(step: Step): Promise<string> {
    const slot = this.slots[step[1]]
    switch (step[0]) {
      case 'start':
        return this.start(step[1], step[2], {
          trapExit: step[3],
          how: step[4],
          log: text => this.logs.push(text),
        })
      case 'receive_response':
      case 'wait_response':
        return this.response(step[2], step[0])
    }
    if (slot === undefined) return 'skipped'
    const { pid } = slot
    switch (step[0]) {
      case 'call':
      case 'call_name':
      case 'cast':
      case 'info':
      case 'request':
        if (slot.isSuspended && (step[2] === 'idle' || step[2] === 'busy')) return 'skipped'
        return this.send(step[0], step[1], slot, step[2])
      case 'exit':
        this.self.exit(pid, step[2])
        return 'sent'
      case 'stop':
        await genServer.stop(pid, reasonOf(step[2]))
        return 'ok'
      case 'state':
        return String(((await genServer.getState(pid)) as State).n)
      case 'replace':
        return String(
          ((await genServer.replaceState(pid, state => ({ ...(state as State), n: step[2] }))) as State).n,
        )
      default:
        await genServer[step[0]](pid)
        slot.isSuspended = step[0] === 'suspend'
        return 'ok'
    }
  }

  private async start(k: number, mode: 'start' | 'link' | 'monitor', args: Start): Promise<string> {
    const { self } = this
    const options = { name: `peer_${k}` }
    try {
      const started =
        mode === 'start'
          ? await genServer.start(server, args, options)
          : mode === 'link'
            ? await genServer.startLink(self, server, args, options)
            : await genServer.startMonitor(self, server, args, options)
      if (started === 'ignore') return 'ignore'
      const { pid, ref } = 'pid' in started ? started : { pid: started, ref: self.monitor(started) }
      this.slots[k] = {
        pid: pid as unknown as Pid,
        ref,
        isLinked: mode === 'link',
        isSuspended: false,
        isDead: false,
      }
      return 'ok'
    } catch (error) {
      if (!(error instanceof genServer.StartError)) throw error
      const { reason } = error
      if (!Array.isArray(reason) || reason[0] !== 'already_started') return `error ${named(error)}`
      return `already_started ${reason[1] === this.slots[k]?.pid}`
    }
  }

  private async send(kind: string, k: number, slot: Slot, what: What): Promise<string> {
    const { self } = this
    const { pid } = slot
    const request = requestOf(what)
    let result = 'sent'
    if (kind === 'cast') genServer.cast(pid, request)
    else if (kind === 'info') pid.send(request)
    else if (kind === 'request') {
      result = String(this.sent.length)
      this.sent.push({ id: genServer.sendRequest(self, pid, request), slot, isOpen: true })
    } else {
      const timeout = slot.isSuspended || what === 'keep' ? 1 : Number.POSITIVE_INFINITY
      result = `reply ${await self.call(kind === 'call' ? pid : `peer_${k}`, request, timeout)}`
    }
    // The server goes on after its answer: the timeout of 0 passes, or the message comes that it has sent to itself.
    const awaited = what === 'idle' ? 'timeout' : what === 'busy' ? 'info' : undefined
    while (awaited !== undefined && !slot.isDead && !this.logs.includes(awaited)) await turn()
    return result
  }

  private async response(i: number, kind: 'receive_response' | 'wait_response'): Promise<string> {
    const { self } = this
    const sent = this.sent[i]
    if (sent === undefined || !sent.isOpen) return 'skipped'
    const { id, slot } = sent
    const timeout = slot.isDead ? 60_000 : 1
    try {
      if (kind === 'wait_response') {
        const response = await genServer.waitResponse(self, id, timeout)
        sent.isOpen = response === 'timeout'
        return response === 'timeout' ? response : `reply ${response[1]}`
      }
      sent.isOpen = false
      return `reply ${await genServer.receiveResponse(self, id, timeout)}`
    } catch (error) {
      if (!(error instanceof CallError)) throw error
      sent.isOpen = false
      return error.reason === 'timeout' ? 'timeout' : `error ${named(error)}`
    }
  }

  /** Waits until the server has done what it was sent, or has ended; then tells its end. */
  private async sync(k: number): Promise<string[]> {
    const { self } = this
    const slot = this.slots[k]
    if (slot === undefined || slot.isDead) return []
    const { pid, ref } = slot
    try {
      const { n, kept } = (await genServer.getState(pid, Number.POSITIVE_INFINITY)) as State
      return [`${n} kept ${kept.length}`]
    } catch {
      if (isAlive(pid)) throw new Error('the state is missing, and the server is alive')
      slot.isDead = true
      slot.isSuspended = false
      const end = [`DOWN ${named((await self.receive([{ type: 'DOWN', ref }])).reason)}`]
      if (slot.isLinked)
        end.unshift(`EXIT ${named((await self.receive([{ type: 'EXIT', from: pid }])).reason)}`)
      return end
    }
  }
}
