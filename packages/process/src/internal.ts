/**
 * The parts of this package that the other packages of Holster are built with, and that may change in any version.
 * @module
 * @internal
 */

export { checkCallee } from './calls/callee.js'
export { describeReason, thrown } from './exit-reason.js'
export { isActorRef } from './exits/actor-ref.js'
export { exitSignal, onExit, sendExit, watch, watchBy } from './exits/exit.js'
export { hasExitHook, reportExit, reportRejection, reportThrown } from './exits/exit-hook.js'
export type { ExitRoute } from './exits/exit-route.js'
export { routeOf } from './exits/link.js'
export { Watch, Watchers, type WatchOrder } from './exits/watchers.js'
export {
  type Home,
  homeOf,
  NO_NODE,
  type NodeLink,
  needHome,
  type OfferedBody,
  offerBody,
  offeredBody,
  onNodes,
  setHome,
  tellNodes,
} from './home.js'
export { onRejection } from './host/callback.js'
export {
  clearNodesImmediate,
  type Immediate,
  nodesImmediate,
  nodesMicrotask,
  nodesTick,
} from './host/nodes-clock.js'
export { checkDuration, MAX_DURATION } from './host/timer.js'
export { rejected, resolved, turned } from './host/turns.js'
export { waitWithin } from './insight/distribution.js'
export {
  type Look,
  lookAt,
  noteWaits,
  pressersOf,
  showMailbox,
  sinceOf,
  type Waiting,
} from './insight/look.js'
export { countMessages, type MessageCount } from './insight/message-count.js'
export { type Oldest, oldestOf, waitOf } from './insight/message-waits.js'
export { type Listed, type Place, placed, Roll } from './lives/roll.js'
export type { Mark } from './mailbox/high-water-mark.js'
export { Feed, type Sink, Source, type Valve } from './mailbox/source.js'
export { checkChoice, checkNames, checkObject } from './option-checks.js'
export { compile } from './patterns/pattern.js'
export { isSecretName, type PrintLimits, print, printReason, printShort } from './patterns/print.js'
export {
  kept,
  kindNamed,
  kindOf,
  linked,
  linkHalf,
  makePortable,
  type PortableKind,
  portable,
  type Remote,
} from './portable.js'
export {
  type ErrorFields,
  type ErrorForm,
  errorFormNamed,
  errorFormOf,
  makeErrorPortable,
} from './portable-error.js'
export { attach, deliver, take } from './process.js'
export { compareByIdentity, isPlain } from './ref.js'
export { nameOf } from './registry.js'
export { didYouMean, type Synonyms } from './suggestion.js'
