/**
 * A machine of xstate as the body of a process: OTP's `gen_statem`.
 * @module
 */

import { P, type Process } from '@holster/process'
import { onExit } from '@holster/process/internal'
import {
  type ActorOptions,
  type AnyActorLogic,
  createActor,
  type EventFromLogic,
  type OutputFrom,
  type Snapshot,
} from 'xstate'

/** The options of xstate's `createActor` for one logic, or a function that makes them from the process of the machine. */
export type MachineOptions<TLogic extends AnyActorLogic, Options> =
  | Options
  | ((self: Process<EventFromLogic<TLogic>>) => Options)

/** The arguments behind the logic: options, which cannot be left out if the logic needs `input`. */
export type MachineArguments<TLogic extends AnyActorLogic> =
  Parameters<typeof createActor<TLogic>> extends [unknown, infer Options]
    ? [options: MachineOptions<TLogic, Options>]
    : [options?: MachineOptions<TLogic, ActorOptions<TLogic>>]

/**
 * Makes a body for `spawn`, `self.spawnLink` and the `start` of a child spec out of a machine, or any other actor logic of xstate. The
 * messages of the process are the events of the machine, one after the other, calls (`Call`), `DOWN` and `EXIT` among them: an action
 * answers a call with `reply(event.from, …)`. When the machine is done the process exits `'normal'`; when it fails, as it does if an
 * action throws, the process exits with the error. When the process exits the machine is stopped at once, its delays and its children
 * with it.
 *
 * `options` are those of `createActor`, or a function that makes them from the process, so that a machine may own connections and
 * monitor others. Throws a TypeError unless `logic` is actor logic. Source: `gen_statem`.
 *
 * ```ts
 * const pid = spawn(fromMachine(door, self => ({ input: { self } })), { name: 'door' })
 * ```
 */
export function fromMachine<TLogic extends AnyActorLogic>(
  logic: TLogic,
  ...[options]: MachineArguments<TLogic>
): (self: Process<EventFromLogic<TLogic>>) => Promise<OutputFrom<TLogic>> {
  if (typeof logic?.transition !== 'function')
    throw new TypeError('logic must be a machine, or other actor logic')
  return self =>
    new Promise<OutputFrom<TLogic>>((resolve, reject) => {
      const given: unknown = typeof options === 'function' ? options(self) : options
      const actor = createActor<AnyActorLogic>(logic, given as ActorOptions<AnyActorLogic>)
      const snapshot = () => actor.getSnapshot() as Snapshot<OutputFrom<TLogic>>
      actor.subscribe({ error: reject, complete: () => resolve(snapshot().output as OutputFrom<TLogic>) })
      self[onExit](() => void actor.stop())
      actor.start()
      const run = async () => {
        while (snapshot().status === 'active') actor.send(await self.receive([P._]))
      }
      run().catch(reject)
    })
}
