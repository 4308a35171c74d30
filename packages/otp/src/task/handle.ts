/** A task is a process that runs one function, and sends what that gives to an alias of its owner. */

import { inspect } from 'node:util'
import { type ExitReason, type MonitorAlias, type Process, spawn } from '@holster/process'
import { exitSignal } from '@holster/process/internal'

/**
 * The message by which a task tells its owner its result. `await` and their like take it; a server that does not wait gets it as any
 * other message, and then takes the monitor back: `self.demonitor(ref)`. Source: `{ref, result}` of Elixir's `Task`.
 *
 * @to The owner of the task.
 * @order Once at most, when the function has given its result. The `DOWN` of the task, which has the same `ref`, comes behind it unless
 * `self.demonitor` takes that back, and comes alone where the task ends without a result.
 */
export interface TaskReply<T = unknown> {
  /** The tag by which patterns and a `switch` tell messages apart. */
  readonly type: 'task_reply'
  /** The `ref` of the task. */
  readonly ref: MonitorAlias<never>
  /** The result of the task's function. */
  readonly value: T
}

/** The function that a task runs. `self` is the task's own process, whose `signal` aborts when the task is ended. */
export type TaskFunction<T> = (self: Process) => T | PromiseLike<T>

/** The outcome of a task that has ended: its result, or the reason of an end without one. */
export type Outcome<T> = readonly ['ok', T] | readonly ['exit', ExitReason]

/** A task, as `async` gives it. */
export class Task<T = unknown> {
  /** The process that runs the function. */
  readonly pid: Process<never>
  /** A monitor of that process, whose `DOWN` carries it, and an alias of the owner, to which the result goes. */
  readonly ref: MonitorAlias<TaskReply<T>>
  /** The process that has started the task, in whose mailbox the result arrives. */
  readonly owner: Process<never>
  /** @internal Whether its result was taken, or is not wanted any more. */
  isConcluded = false
  /** @internal Whether `await`, `yield` or one of their like waits for it. */
  isAsked = false

  /** @internal */
  constructor(pid: Process<never>, ref: MonitorAlias<TaskReply<T>>, owner: Process<never>) {
    this.pid = pid
    this.ref = ref
    this.owner = owner
  }
}

/** Starts a task of `owner`, which is linked to it or not. */
export function startTask<T, M>(owner: Process<M>, run: TaskFunction<T>, isLinked: boolean): Task<T> {
  checkFunction(run)
  const body = async (self: Process): Promise<void> => {
    const value = await run(self)
    // The link has done its work: an owner that traps exits is told of a crash, but not of a result a second time.
    if (isLinked) self.unlink(owner)
    ref.send({ type: 'task_reply', ref, value })
  }
  const pid = isLinked ? owner.spawnLink(body) : spawn(body)
  const ref = owner.monitor<TaskReply<T>>(pid, { alias: 'demonitor' })
  return new Task(pid as unknown as Process<never>, ref, owner as unknown as Process<never>)
}

/** Takes back the monitor, and with it the alias, and drops what of the task waits in the owner's mailbox. */
export function conclude(task: Task): void {
  task.isConcluded = true
  const { ref } = task
  const owner = ownerOf(task)
  owner.demonitor(ref)
  owner.flush({ type: 'task_reply', ref })
}

/** Takes the link back, and drops the `EXIT` of the task: its owner learns of the end otherwise. */
export function unlink(task: Task): void {
  const owner = ownerOf(task)
  owner.unlink(task.pid)
  owner.flush({ type: 'EXIT', from: task.pid })
}

/** Gives the owner, as a process that takes whatever comes. */
export function ownerOf({ owner }: Task): Process {
  return owner as unknown as Process
}

/** Ends a process at once, and tells its links, but not the exit hook: somebody else has the reason in hand. */
export function endQuietly(pid: Process<never>, reason: ExitReason): void {
  pid.trapExit = false
  pid[exitSignal](undefined, reason, 'link')
}

/** Throws a TypeError unless `fn` is a function. */
export function checkFunction(fn: unknown): void {
  if (typeof fn === 'function') return
  throw new TypeError(`fn must be a function, not ${inspect(fn, { depth: 0 })}`)
}

/** Throws a TypeError unless `task` is one. */
export function checkTask(task: unknown, name = 'task'): asserts task is Task {
  if (task instanceof Task) return
  throw new TypeError(`${name} must be what async gave, not ${inspect(task, { depth: 0 })}`)
}
