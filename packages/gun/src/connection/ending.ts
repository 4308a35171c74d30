/** Why a connection ends for good, and the reason that those who watch it are given. */

import { type ExitReason, isOrderly } from '@holster/process'
import { GunError } from '../errors.js'

/** Who has decided that a connection is not made again. */
export type Ending =
  | {
      /** The caller, with `close`, with `shutdown`, or with a close frame that the protocol has sent. */
      readonly by: 'close' | 'shutdown' | 'protocol'
    }
  | {
      /** The owner, by its exit. */
      readonly by: 'owner'
      /** The reason of that exit. */
      readonly reason: ExitReason
    }

/** Gives the reason in `DOWN`; without an `ending` the retries are spent. An orderly reason of the owner's is handed on. */
export function exitReasonOf(ending: Ending | undefined, reason: GunError | 'normal'): ExitReason {
  if (ending?.by === 'close' || ending?.by === 'shutdown') return 'shutdown'
  if (ending?.by === 'owner') {
    const { reason: cause } = ending
    if (isOrderly(cause)) return cause
    const error = new GunError('owner_down', 'connection_error', 'the owner of the connection exited', {
      cause,
    })
    return ['shutdown', error]
  }
  return reason === 'normal' ? 'normal' : ['shutdown', reason]
}
