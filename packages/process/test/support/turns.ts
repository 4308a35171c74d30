/** Tests wait for turns of the event loop, and never sleep. */

/** Lets the event loop turn once, so that every due promise job and immediate has run. */
export function turn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
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
