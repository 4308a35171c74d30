/** The process of a supervisor starts the children, serves until it is to end, and ends the children before itself. */

import {
  type ExitReason,
  type Incoming,
  isAlive,
  isOrderly,
  type MonitorTarget,
  P,
  reply,
} from '@holster/process'
import { exitSignal } from '@holster/process/internal'
import { tell } from '../reports.js'
import { SupervisorError } from './errors.js'
import { show } from './insight.js'
import { type Message, type Self, Stop, TRY_AGAIN } from './messages.js'
import type { CheckedOptions } from './options.js'
import { answer } from './requests.js'
import { Supervision } from './supervision.js'

/** Told once how the start of a supervisor has gone. */
export interface Starter {
  started(): void
  failed(error: SupervisorError): void
}

/** Lives the life of a supervisor below `parent`, to which it is linked; `undefined` for one without a parent. */
export async function live(
  self: Self,
  parent: MonitorTarget | undefined,
  options: CheckedOptions,
  starter: Starter,
): Promise<void> {
  const supervision = new Supervision(self, parent, options)
  const hide = show(supervision)
  try {
    await supervision.startFirst()
    starter.started()
    for (;;) await handle(supervision, parent, await self.receive([P._]))
  } catch (error) {
    if (!(error instanceof Stop)) throw error
    await supervision.endAll()
    const { failure, reason } = error
    if (failure !== undefined) {
      // The caller learns it from the error, and needs no exit signal as well.
      if (parent !== undefined) self.unlink(parent)
      starter.failed(new SupervisorError(failure))
    }
    leave(self, parent, reason)
  } finally {
    hide()
  }
}

async function handle(
  supervision: Supervision,
  parent: MonitorTarget | undefined,
  message: Incoming<Message>,
): Promise<void> {
  switch (message.type) {
    case 'EXIT':
      if (message.from === parent) throw new Stop(message.reason)
      if (message.from !== undefined) await supervision.ended(message.from, message.reason)
      return
    case 'call': {
      const answered = await answer(supervision, message.request)
      if (answered !== undefined) return reply(message.from, answered)
      break
    }
    case TRY_AGAIN:
      // The child may have been ended, or removed, since.
      if (message.child.isRestarting) await supervision.restart(message.child)
      return
    case 'timeout':
      if (message.ref === message.message?.timer) {
        message.message.timer = undefined
        await supervision.restart(message.message)
        return
      }
      break
  }
  tell({ type: 'unexpected', pid: supervision.self, message })
}

/** Ends the supervisor for `reason`. */
function leave(self: Self, parent: MonitorTarget | undefined, reason: ExitReason): void {
  // A reason that has come with the end of the parent was reported there.
  if (isOrderly(reason) || parent === undefined || isAlive(parent)) return self.exit(reason)
  self.trapExit = false
  self[exitSignal](parent, reason, 'link')
}
