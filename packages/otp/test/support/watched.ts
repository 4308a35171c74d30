/** Whether anything in this program waits for the end of a process, which `processInfo` tells only of other processes. */

import type { Process } from '@holster/process'

const NAME = '@holster/process.watchersOf'

export function isWatched<M>(pid: Process<M>): boolean {
  const symbols = Object.getOwnPropertySymbols(Object.getPrototypeOf(pid))
  const symbol = symbols.find(({ description }) => description === NAME)
  if (symbol === undefined) throw new Error(`${pid} has no ${NAME}`)
  const watchersOf = Reflect.get(pid, symbol) as () => { readonly isEmpty: boolean } | undefined
  return watchersOf.call(pid)?.isEmpty === false
}
