/** How an xstate actor is told from anything else. */

import type { AnyActorRef } from 'xstate'

/** Whether it is an xstate actor, told by `send`, `subscribe` and `getSnapshot`. Never throws. */
export function isActorRef(value: unknown): value is AnyActorRef {
  return (
    typeof value === 'object' &&
    value !== null &&
    'send' in value &&
    typeof value.send === 'function' &&
    'subscribe' in value &&
    typeof value.subscribe === 'function' &&
    'getSnapshot' in value &&
    typeof value.getSnapshot === 'function'
  )
}
