/**
 * An observer: what lives in a program, what waits for what, and why. Erlang's `observer`.
 * @module
 */

export { type Observer, startObserver } from './observer.js'
export type { ObserverOptions } from './options.js'
