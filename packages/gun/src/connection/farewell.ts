/** Tells of the end of a connection, to its streams first and then to its owner: of one that is lost, and of the last one. */

import { type ExitReason, Process } from '@holster/process'
import { reportExit } from '@holster/process/internal'
import { asKind, GunError } from '../errors.js'
import type { Events } from '../events/events.js'
import { closedHere } from '../exchange/errors.js'
import type { ConnPid, StreamRef } from '../handles.js'
import type { Layer } from '../layer/layer.js'
import type { GunMessage, Owner } from '../messages.js'
import { type Opts, RETRY_DEFAULTS } from '../options/options.js'
import type { Comeback } from './comeback.js'
import type { Commander } from './commander.js'
import type { Effects } from './effects.js'
import { type Ending, exitReasonOf } from './ending.js'
import type { ConnectionContext } from './events.js'
import type { Refusals } from './refusals.js'

/** The connection, as far as its end is told. */
export interface FarewellHome {
  readonly connPid: ConnPid
  readonly opts: Opts
  readonly events: Events
  readonly commands: Commander
  readonly comeback: Comeback
  readonly refusals: Refusals
  readonly owner: Owner
  /** Whether nobody is known to read the owner's mailbox or to watch the connection. */
  readonly isUnattended: boolean
  /** Whether another connection will follow. */
  readonly goesOn: boolean
  readonly effects: Pick<Effects, 'lastState'>
  tellOwner(message: GunMessage): void
  fail(streamRef: StreamRef, reason: GunError): void
}

/** The part of the machine's context that says why nothing is connected any more. */
export type LifeStory = Pick<ConnectionContext, 'ending' | 'lastError' | 'setback' | 'retry'>

/** Tells the streams of a layer that is lost, then the owner. */
export function tellLoss(
  home: FarewellHome,
  layer: Layer,
  reason: GunError | 'normal',
  ending: Ending | undefined,
): void {
  const { comeback, commands, connPid, events, opts } = home
  commands.cancelDue()
  commands.pause()
  const by = ending?.by
  const isOurs = by === 'close' || (reason === 'normal' && by !== undefined && by !== 'protocol')
  const { retryTimeout = RETRY_DEFAULTS.retryTimeout } = opts
  const again = comeback.lost(retryTimeout)
  const end = isOurs ? closedHere() : reason === 'normal' ? reason : asKind('connection_error', reason)
  const { protocol } = layer
  const killedStreams = layer.abort(end, home.goesOn ? again : undefined)
  commands.forget()
  if (events.wants('disconnect')) events.tell('disconnect', { connPid, reason })
  if (protocol !== undefined && (by === undefined || by === 'protocol')) {
    home.tellOwner({ type: 'gun_down', connPid, protocol: protocol.name, reason, killedStreams })
  }
}

/** Tells the streams that wait, then the owner, that no connection follows. Gives the reason for all that watch. */
export function tellEnd(home: FarewellHome, { ending, lastError, setback, retry }: LifeStory): ExitReason {
  const { comeback, commands, connPid, events } = home
  // Retries that were spent on connections which ended in order, and without a response, need a reason all the same.
  const isHungUp = setback === 'hang-up' && ending === undefined && retry > 0
  const reason = lastError ?? (isHungUp ? hungUp() : 'normal')
  const exit = exitReasonOf(ending, reason)
  // Errors are costly to make, and mostly there is nobody to tell.
  const errorOfWaiting = () => (ending === undefined ? endOf(reason) : closedHere())
  if (!commands.isEmpty || !comeback.isEmpty) {
    const error = errorOfWaiting()
    for (const { streamRef } of comeback.takeAll()) home.fail(streamRef, error)
    commands.abort(error)
  }
  commands.abortDue(errorOfWaiting)
  home.refusals.tell()
  if (ending === undefined && reason !== 'normal') tellOfFailure(home, reason)
  if (events.wants('terminate')) {
    const state = ending === undefined ? 'not_connected' : home.effects.lastState
    events.tell('terminate', { connPid, state, reason: exit })
  }
  return exit
}

/** Reports the failure through the exit hook where the mailbox of an owner made for the connection has no reader. */
function tellOfFailure(home: FarewellHome, reason: GunError): void {
  const { connPid, isUnattended, owner } = home
  const isUnread = owner instanceof Process && isUnattended
  const waiting = isUnread ? owner.messageQueueLength : 0
  home.tellOwner({ type: 'gun_error', connPid, reason })
  if (isUnread && owner.messageQueueLength > waiting) reportExit(connPid, reason)
}

/** Makes the error of the streams that wait for a connection which has ended. */
function endOf(reason: GunError | 'normal'): GunError {
  if (reason !== 'normal') return asKind('connection_error', reason)
  return new GunError('closed', 'connection_error', 'the connection was closed')
}

function hungUp(): GunError {
  const text = 'the peer closed each connection at once, before it had answered anything'
  return new GunError('closed', 'connection_error', text)
}
