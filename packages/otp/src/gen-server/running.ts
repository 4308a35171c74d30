/** A server takes its messages strictly in the order of their arrival, and the next one when it is done with the one before. */

import {
  type Call,
  type Exit,
  type From,
  isOrderly,
  type MonitorTarget,
  P,
  type Process,
  reply,
} from '@holster/process'
import { thrown } from '@holster/process/internal'
import { tell } from '../reports.js'
import { type After, BadReturnValueError, isAnswer, isInitAnswer } from './answers.js'
import type { Cast } from './callbacks.js'
import { FunctionClauseError } from './errors.js'
import type { AnyServer } from './server.js'
import { Failure, SystemRequest, type SystemTask } from './system-request.js'

type AnyCall = Call<unknown, unknown>

/** Something that takes its time, or nothing. */
type Pending = Promise<void> | undefined

const ANY = [P._] as const
const IDLE = { type: 'timeout' } as const
const idle = () => IDLE

/** Matches what a server that is suspended still takes, beside the exit of its parent. */
const SYSTEM = { type: 'call', request: P.instanceOf(SystemRequest) } as const

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { readonly then?: unknown } | null | undefined)?.then === 'function'
}

function isCall(message: object): message is AnyCall {
  return typeof (message as Partial<AnyCall>).from?.ref?.send === 'function'
}

function typeOf(request: unknown): unknown {
  return (request as { readonly type?: unknown } | null | undefined)?.type
}

/** A process that runs a server. */
export class Running {
  private readonly server: AnyServer
  private readonly self: Process
  private readonly parent: MonitorTarget | undefined
  private state: unknown = undefined
  /** The message that is being handled, for errors and crash reports. */
  private message: unknown = undefined
  private after: After = Number.POSITIVE_INFINITY
  private isSuspended = false

  constructor(server: AnyServer, self: Process, parent: MonitorTarget | undefined) {
    this.server = server
    this.self = self
    this.parent = parent
  }

  /** Makes the state. Gives `'ok'` if the server is to run; the process has exited if it gives `'stopped'`. */
  async init(args: unknown): Promise<'ok' | 'ignore' | 'stopped'> {
    let answer: unknown
    try {
      answer = await this.server.init(args, this.self)
    } catch (error) {
      answer = ['stop', thrown(error)]
    }
    if (!this.self.isAlive) return 'stopped'
    if (!isInitAnswer(answer)) answer = ['stop', new BadReturnValueError('init', answer)]
    if (answer === 'ignore') return 'ignore'
    const [tag, value, after] = answer as readonly ['ok' | 'stop', unknown, After?]
    if (tag === 'stop') {
      this.exit(value)
      return 'stopped'
    }
    this.state = value
    if (after !== undefined) this.after = after
    return 'ok'
  }

  /** Runs until the process exits. */
  async run(): Promise<void> {
    const { self } = this
    while (self.isAlive) {
      const { after } = this
      const handled = typeof after === 'object' ? this.continue(after) : this.take(await this.next(after))
      if (handled !== undefined) await handled
    }
  }

  private next(after: number | 'hibernate'): Promise<unknown> {
    const { self } = this
    if (this.isSuspended) return self.receive([SYSTEM, P.when(message => this.isFromParent(message))])
    if (after === Number.POSITIVE_INFINITY || after === 'hibernate') return self.receive(ANY)
    return self.receive(ANY, { timeout: after, onTimeout: idle })
  }

  private isFromParent(message: unknown): message is Exit {
    const { type, from } = (message ?? {}) as Partial<Exit>
    return type === 'EXIT' && from !== undefined && from === this.parent
  }

  private take(message: unknown): Pending {
    this.message = message
    const type = typeOf(message)
    if (type === 'call' && isCall(message as object)) return this.call(message as AnyCall)
    if (type === 'cast') return this.cast((message as Cast<unknown>).request)
    if (this.isFromParent(message)) return this.end(message.reason)
    return this.info(message)
  }

  private call({ request, from }: AnyCall): Pending {
    const clause = this.server.calls.get(typeOf(request))
    if (clause === undefined) {
      if (request instanceof SystemRequest) return this.obey(request.system, from)
      return this.end(new FunctionClauseError('handleCall', request, this.server.calls))
    }
    let answer: unknown
    try {
      answer = clause(request, from, this.state, this.self)
    } catch (error) {
      return this.end(thrown(error))
    }
    return isPromise(answer) ? this.settle(answer, from) : this.obeyAnswer(answer, from)
  }

  private cast(request: unknown): Pending {
    const clause = this.server.casts.get(typeOf(request))
    if (clause === undefined)
      return this.end(new FunctionClauseError('handleCast', request, this.server.casts))
    return this.handle(clause, request)
  }

  private info(message: unknown): Pending {
    const { handleInfo } = this.server
    if (handleInfo !== undefined) return this.handle(handleInfo, message)
    this.after = Number.POSITIVE_INFINITY
    tell({ type: 'unexpected', pid: this.self, message })
    return undefined
  }

  private continue(after: readonly ['continue', unknown]): Pending {
    const { handleContinue } = this.server
    this.message = after
    if (handleContinue === undefined) return this.end(new FunctionClauseError('handleContinue', after[1]))
    return this.handle(handleContinue, after[1])
  }

  private handle(callback: (...args: unknown[]) => unknown, message: unknown): Pending {
    let answer: unknown
    try {
      answer = callback(message, this.state, this.self)
    } catch (error) {
      return this.end(thrown(error))
    }
    return isPromise(answer) ? this.settle(answer, undefined) : this.obeyAnswer(answer, undefined)
  }

  private async settle(promise: PromiseLike<unknown>, from: From<unknown> | undefined): Promise<void> {
    let answer: unknown
    try {
      answer = await promise
    } catch (error) {
      return this.end(thrown(error))
    }
    return this.obeyAnswer(answer, from)
  }

  /** Does what an answer says. `from` is whom a reply goes to, if there is anybody. */
  private obeyAnswer(answer: unknown, from: From<unknown> | undefined): Pending {
    // The callback may have ended the process, or another process has.
    if (!this.self.isAlive) return undefined
    if (!isAnswer(answer, from !== undefined)) {
      return this.end(new BadReturnValueError(this.callback, answer))
    }
    switch (answer[0]) {
      case 'reply':
        this.state = answer[2]
        this.after = answer[3] ?? Number.POSITIVE_INFINITY
        reply(from as From<unknown>, answer[1])
        return undefined
      case 'noreply':
        this.state = answer[1]
        this.after = answer[2] ?? Number.POSITIVE_INFINITY
        return undefined
      default: {
        const [, reason, value] = answer
        this.state = answer[answer.length - 1]
        return this.end(reason, answer.length === 4 ? () => reply(from as From<unknown>, value) : undefined)
      }
    }
  }

  /** The callback that has the message which is being handled, for an error. */
  private get callback(): string {
    const { message, after } = this
    if (message === after) return 'handleContinue'
    const type = typeOf(message)
    const request = typeOf((message as { readonly request?: unknown } | null | undefined)?.request)
    if (type === 'call') return `handleCall.${request}`
    return type === 'cast' ? `handleCast.${request}` : 'handleInfo'
  }

  private obey(task: SystemTask, from: From<unknown>): Pending {
    switch (task[0]) {
      case 'terminate':
        this.message = undefined
        return this.end(task[1])
      case 'replace_state':
        try {
          this.state = task[1](this.state as never)
        } catch (error) {
          reply(from, new Failure(error))
          return undefined
        }
        break
      case 'suspend':
      case 'resume':
        this.isSuspended = task[0] === 'suspend'
    }
    reply(from, this.state)
    return undefined
  }

  /** Ends the server: `terminate` runs, then `last`, then the process exits. */
  private async end(reason: unknown, last?: () => void): Promise<void> {
    const { self, server } = this
    if (!self.isAlive) return
    let why = reason
    try {
      await server.terminate?.(reason, this.state, self)
    } catch (error) {
      why = thrown(error)
    }
    if (!self.isAlive) return
    last?.()
    this.exit(why)
  }

  private exit(reason: unknown): void {
    const { self, message: lastMessage, state } = this
    if (!isOrderly(reason)) tell({ type: 'crash', pid: self, reason, lastMessage, state })
    self.exit(reason)
  }
}
