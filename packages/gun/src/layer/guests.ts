/**
 * The streams of connections here that were begun on other nodes. Their nodes keep the handles, which messages must carry, until they
 * hear from here that nothing more will come.
 */

import type { Remote } from '@holster/process/internal'
import type { StreamRef } from '../handles.js'

/** The message to the node of a stream at the end of that. */
export const OVER = 'over'

const homes = new WeakMap<StreamRef, Remote>()

/** Nobody here holds a stream any more, so that no message can carry it. */
const collected = new FinalizationRegistry<Remote>(home => home.send(OVER))

/** Takes note of a stream that was begun on another node, where `home` is it. */
export function addGuest(streamRef: StreamRef, home: Remote): void {
  homes.set(streamRef, home)
  collected.register(streamRef, home)
}

/** Tells the node of a stream that its last message is on the way. Does nothing for a stream of this node. */
export function tellOver(streamRef: StreamRef): void {
  homes.get(streamRef)?.send(OVER)
}
