/** Why a connection ends for good, and what those who watch it are told. */

import { type ExitReason, isOrderly } from '@holster/process'
import { GunError } from '../errors.js'

/** What decided that nothing is connected again. */
export type Ending =
  | { readonly by: 'close' }
  | { readonly by: 'shutdown' }
  | { readonly by: 'owner'; readonly reason: ExitReason }
  /** The caller sent a close frame. */
  | { readonly by: 'protocol' }

/** The reason in `DOWN`; `ending` is undefined when the retries are spent. An owner's own is handed on if it is an orderly one. */
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

/** The error of what was open when this side ended the connection. */
export function localEnd(): GunError {
  return new GunError('shutdown', 'connection_error', 'the connection was ended on this side')
}
