/** Taps are set on connections of this node, and taken out again. */

import { Tap, type TapListener } from '../events/tap.js'
import type { ConnPid } from '../handles.js'
import { connectionHere } from './callee.js'

/**
 * Hands on to `listener` what happens to a connection of this node, until the function that it gives is called. A WebSocket that was there
 * before has no events of the frames that it receives; those that it sends have, and messages tell of the others. Throws as `info` does.
 */
export function tap(connPid: ConnPid, listener: TapListener): () => void {
  const { events, stateName } = connectionHere(connPid, 'remoteInfo')
  const made = new Tap(connPid, listener, stateName)
  events.join(made)
  return () => {
    made.isOver = true
    events.part(made)
  }
}
