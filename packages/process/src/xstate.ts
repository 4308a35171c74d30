/**
 * A process as xstate actor logic, so that a machine can invoke or spawn it.
 * @module
 */

import type { ActorLogic, AnyActorRef, EventObject, NonReducibleUnknown, Snapshot } from 'xstate'
import { type ExitReason, isOrderly, thrown } from './exit-reason.js'
import { endsFor, stopReasonOf, takeExits } from './exits/actor-end.js'
import { exitSignal, type MonitorTarget, onExit } from './exits/exit.js'
import { checkOptions, type ProcessOptions } from './options.js'
import type { Pid } from './pid.js'
import { Process } from './process.js'

/** The second argument of a body, which tells of its actor. */
export interface ActorScope<TInput> {
  /** The `input` that was given to `createActor`, `invoke` or `spawnChild`. */
  readonly input: TInput
  /** The actor itself, which others send to, link and monitor. Its `system` is the actor system. */
  readonly actor: AnyActorRef
  /**
   * Sends an event to the machine that invoked or spawned this actor. Does nothing if there is none, or after the process has
   * exited.
   */
  readonly sendBack: (event: EventObject) => void
}

/** The snapshot of an actor that `fromProcess` made: `done` with the result of the body, or `error` with its error. */
export type ProcessSnapshot<TOutput, TInput> = Snapshot<TOutput> & {
  /** The `input` of the actor; `undefined` once the actor is done or has failed. */
  readonly input: TInput | undefined
}

/** The actor logic that `fromProcess` gives. */
export type ProcessActorLogic<M extends EventObject, TOutput, TInput> = ActorLogic<
  ProcessSnapshot<TOutput, TInput>,
  M,
  TInput
>

const STOP = 'xstate.stop'

/** The event that tells an actor of the end of its body. */
class Ended {
  readonly type = '@holster/process.ended'
  readonly status: 'done' | 'error'
  readonly output: unknown
  readonly error: unknown

  constructor(status: 'done' | 'error', value: unknown) {
    this.status = status
    this.output = status === 'done' ? value : undefined
    this.error = status === 'error' ? value : undefined
  }
}

type Running = Pid<EventObject> & Pick<Process, 'exit'>

const running = new WeakMap<object, Running>()

/**
 * Makes actor logic for `createActor`, `invoke` and `spawnChild` out of the body of a process. Events to the actor arrive in
 * the mailbox of the process, and exit signals to the actor are signals to the process. When the body returns, the actor is
 * done with the result. When the body throws, the actor fails with the error, which xstate reports; a thrown value that is no
 * Error becomes the cause of one. When the actor is stopped, the process exits `'shutdown'`, or for the reason of the link
 * that stopped the actor. Throws a TypeError or RangeError if an argument is wrong.
 *
 * `M` is what the mailbox may hold, and `TEvent` what others may send to the actor: the same, unless the process also gets messages that
 * no machine sends, such as those of a connection that it owns.
 */
export function fromProcess<
  M = EventObject,
  TOutput = unknown,
  TInput = NonReducibleUnknown,
  TEvent extends EventObject = Extract<M, EventObject>,
>(
  body: (self: Process<M>, scope: ActorScope<TInput>) => TOutput | Promise<TOutput>,
  options?: ProcessOptions,
): ProcessActorLogic<TEvent, Awaited<TOutput>, TInput> {
  if (typeof body !== 'function') throw new TypeError('body must be a function')
  if (options !== undefined) checkOptions(options)
  type State = ProcessSnapshot<Awaited<TOutput>, TInput>
  return {
    getInitialSnapshot: (_, input) => ({ status: 'active', output: undefined, error: undefined, input }),
    getPersistedSnapshot: snapshot => snapshot,
    restoreSnapshot: snapshot => snapshot as State,
    start: (state, { self }) => {
      if (state.status !== 'active') return
      let isReported = true
      const process = new Process<M>(options, () => {
        // The actor fails with the error, which is reported by xstate or by the watchers of the actor.
        isReported = false
      })
      running.set(self, process as Running)
      takeExits(self, (from, reason, route) => {
        process[exitSignal](from as MonitorTarget | undefined, reason, route)
      })
      const end = (ended: Ended) => {
        if (running.delete(self)) self.send(ended as EventObject as TEvent)
      }
      const ended = (reason: ExitReason) => {
        if (!running.has(self)) return
        endsFor(self, reason, isReported)
        end(isOrderly(reason) ? new Ended('done', undefined) : new Ended('error', reason))
      }
      // An aborted signal ends the process at its birth, so that there is nothing to run.
      if (process[onExit](ended) === undefined) return void process.exited.then(ended)
      const sendBack = (event: EventObject) => {
        if (process.isAlive) self._parent?.send(event)
      }
      const run = async () => {
        try {
          end(new Ended('done', await body(process, { input: state.input as TInput, actor: self, sendBack })))
          process.exit()
        } catch (error) {
          process.exit(thrown(error))
        }
      }
      void run()
    },
    transition: (state, event, { self }) => {
      const process = running.get(self)
      if (event.type === STOP) {
        running.delete(self)
        process?.exit(stopReasonOf(self))
        return { ...state, status: 'stopped', output: undefined, error: undefined }
      }
      if (event instanceof Ended) {
        const { status, output, error } = event
        return { ...state, status, output, error, input: undefined } as State
      }
      process?.send(event)
      return state
    },
  }
}
