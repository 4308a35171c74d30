/** A request is a call that does not wait: its response is received later, or told from the other messages of a process. */

import { inspect } from 'node:util'
import {
  CallError,
  type Down,
  type MonitorAlias,
  type MonitorTarget,
  type Pid,
  type Process,
  type Reply,
  type ReplyTo,
  type RequestOf,
  whereis,
} from '@holster/process'
import { checkCallee, checkDuration } from '@holster/process/internal'
import { checkSelf } from './start.js'

/** Names a request that `sendRequest` has sent; `R` is the type of its reply. Source: `gen_server:request_id()`. */
export class RequestId<R = unknown> {
  /** @internal Whether the response is still to come, or waits in the mailbox. */
  isOpen = true
  /** @internal */
  readonly owner: unknown
  /** @internal */
  readonly ref: MonitorAlias<Reply<R>>
  /** @internal */
  readonly pid: unknown
  /** @internal */
  readonly request: unknown

  /** @internal Use `sendRequest`. */
  constructor(owner: unknown, ref: MonitorAlias<Reply<R>>, pid: unknown, request: unknown) {
    this.owner = owner
    this.ref = ref
    this.pid = pid
    this.request = request
  }
}

/**
 * Calls a server in the name of `self`, and does not wait: the response comes to the mailbox of `self`, from which
 * `receiveResponse` or `waitResponse` takes it, and where `checkResponse` knows it. Each request has one response: the reply, or the end
 * of the server. Throws a TypeError unless `self` is a process, and `pid` a process or the name of one. Source:
 * `gen_server:send_request/2`.
 */
export function sendRequest<Own, T, const Q extends RequestOf<T>>(
  self: Process<Own>,
  pid: Pid<T> | string,
  request: Q,
): RequestId<ReplyTo<T, Q>> {
  checkSelf(self)
  const target = typeof pid === 'string' ? whereis<unknown>(pid) : checkCallee(pid)
  const ref = self.monitor<Reply<ReplyTo<T, Q>>>(pid as unknown as MonitorTarget | string, {
    alias: 'reply_demonitor',
  })
  try {
    target?.send({ type: 'call', from: { pid: self, ref }, request })
  } catch (error) {
    // An actor may throw at an event, and then nobody waits for its end.
    self.demonitor(ref)
    throw error
  }
  return new RequestId(self, ref, pid, request)
}

/**
 * Resolves to the reply. Rejects with a `CallError` whose `reason` is `'timeout'` after `timeout` milliseconds (`Infinity` by default), and
 * a reply that comes later is dropped; or with the reason for which the server ended before it replied, `'noproc'` if it had ended
 * already. Other messages keep their place. Throws an Error at once if the request is that of another process, or has had its
 * response. Source: `gen_server:receive_response/2`.
 */
export function receiveResponse<Own, R>(
  self: Process<Own>,
  id: RequestId<R>,
  timeout: number = Number.POSITIVE_INFINITY,
): Promise<R> {
  const mailbox = checkRequest(self, id, timeout)
  return receive(mailbox, id, timeout).then(message => {
    if (message !== undefined) return replyOf(id, message)
    id.isOpen = false
    mailbox.demonitor(id.ref)
    // The reply may have come behind the timeout.
    mailbox.flush({ type: 'reply', ref: id.ref })
    throw new CallError(id.pid, id.request, 'timeout', timeout)
  })
}

/**
 * Does as `receiveResponse`, but resolves to `['reply', value]`, or to `'timeout'` after `timeout` milliseconds, and the request goes on:
 * its response may be waited for again. Source: `gen_server:wait_response/2`.
 */
export function waitResponse<Own, R>(
  self: Process<Own>,
  id: RequestId<R>,
  timeout: number = Number.POSITIVE_INFINITY,
): Promise<readonly ['reply', R] | 'timeout'> {
  const mailbox = checkRequest(self, id, timeout)
  return receive(mailbox, id, timeout).then(message =>
    message === undefined ? 'timeout' : (['reply', replyOf(id, message)] as const),
  )
}

/**
 * Says whether `message`, which a process has received, is the response to a request of that process: gives `['reply', value]` or
 * `'no_reply'`, and throws a `CallError` if the server has ended instead. Throws a TypeError unless `id` is what `sendRequest` gave.
 * Source: `gen_server:check_response/2`.
 */
export function checkResponse<R>(message: unknown, id: RequestId<R>): readonly ['reply', R] | 'no_reply' {
  checkId(id)
  const { type, ref } = (message ?? {}) as Partial<Response<R>>
  if (ref !== id.ref || (type !== 'reply' && type !== 'DOWN')) return 'no_reply'
  return ['reply', replyOf(id, message as Response<R>)]
}

type Response<R> = Reply<R> | Down

function receive<R>(self: Process, { ref }: RequestId<R>, timeout: number): Promise<Response<R> | undefined> {
  const received = self.receive(
    [
      { type: 'reply', ref },
      { type: 'DOWN', ref },
    ],
    {
      timeout,
      onTimeout: () => undefined,
    },
  )
  return received as Promise<Response<R> | undefined>
}

function replyOf<R>(id: RequestId<R>, response: Response<R>): R {
  id.isOpen = false
  if (response.type === 'reply') return response.value
  throw new CallError(id.pid, id.request, response.reason)
}

function checkId(id: unknown): asserts id is RequestId {
  if (!(id instanceof RequestId))
    throw new TypeError(`id must be what sendRequest gave, not ${inspect(id, { depth: 0 })}`)
}

function checkRequest(self: unknown, id: unknown, timeout: unknown): Process {
  const owner = checkSelf(self)
  checkId(id)
  checkDuration('timeout', timeout, true)
  if (id.owner !== self) throw new Error(`id is a request of ${id.owner}, not of ${self}`)
  if (!id.isOpen) throw new Error('id is a request that has had its response, or was given up')
  return owner
}
