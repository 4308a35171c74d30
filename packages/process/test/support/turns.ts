/** Waiting without sleeping. */

/** Lets the event loop turn once: every promise job and immediate that is due has run. */
export function turn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

/** What became of a promise by the end of this turn. */
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
