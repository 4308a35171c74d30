/** Tests wait for turns of the event loop, and never sleep. */

/** Lets the event loop turn once, so that every due promise job and immediate has run. */
export function turn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

/**
 * Waits until xstate has reported the errors of this turn. xstate throws them in a timer, and this timer, which begins later with the
 * same delay, fires behind that.
 */
export function reported(): Promise<void> {
  return new Promise(resolve => setTimeout(resolve))
}

/** Gives the state of a promise at the end of this turn. */
export async function stateOf(promise: Promise<unknown>): Promise<'pending' | 'fulfilled' | 'rejected'> {
  let state: 'pending' | 'fulfilled' | 'rejected' = 'pending'
  promise.then(
    () => {
      state = 'fulfilled'
    },
    () => {
      state = 'rejected'
    },
  )
  await turn()
  return state
}
