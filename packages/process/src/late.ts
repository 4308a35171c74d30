/** A message that a timer sends finds its receiver when the time has come, or is dropped if there is none any more. */

import { isActorRef } from './exits/actor-ref.js'
import { reportThrown } from './exits/exit-hook.js'
import { isAlive } from './exits/liveness.js'
import type { Pid } from './pid.js'
import { whereis } from './registry.js'

/** Sends `message` to a pid, or to the process that has the name now. An error that `send` throws goes to the exit hook. */
export function sendLate(to: Pid<unknown> | string, message: unknown): void {
  const pid = typeof to === 'string' ? whereis(to) : to
  // Xstate warns of an event to an actor that has stopped.
  if (pid === undefined || (isActorRef(pid) && !isAlive(pid))) return
  try {
    pid.send(message)
  } catch (error) {
    reportThrown(pid, error)
  }
}
