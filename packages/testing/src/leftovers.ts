/** The processes, connections and handles that a test leaves behind in the program. */

import * as gun from '@holster/gun'
import { processes } from '@holster/process'
import { checkNames } from '@holster/process/internal'
import { turn } from './turn.js'

/**
 * Bounds the wait by turns, not by time: a second or so for a test that fails, a few turns for one that does not. A look-up of a name cannot be
 * called off, and takes its time on a busy machine.
 */
const MAX_TURNS = 400_000

/** The names of handles that come and go by themselves: a turn's own immediate, and what a reporter has not written yet. */
const TRANSIENT = new Set(['Immediate', 'WriteWrap'])

interface Present {
  /** Tells it from others; handles of one kind have the same. */
  readonly key: string
  readonly name: string
}

/** Lists what is there. Nothing that is listed is held, so that it can be collected. */
function present(): Present[] {
  return [
    ...processes().map(each => ({
      key: each.id,
      name: each.label === undefined ? String(each) : `${each} (${each.label})`,
    })),
    ...gun.connections().map(({ connPid, originHost, originPort }) => ({
      key: String(connPid),
      name: `${connPid} to ${originHost}:${originPort}`,
    })),
    ...process
      .getActiveResourcesInfo()
      .filter(name => !TRANSIENT.has(name))
      .map(name => ({ key: name, name })),
  ]
}

/** Options for `leftovers` and `assertNothingLeft`. */
export interface LeftoverOptions {
  /** The names of what may stay, such as `/^#Process<\d+ cache>/`; default none. */
  readonly ignore?: RegExp
}

/** Lists the names of what is there and was not in `known`. */
function surplus(known: readonly string[], ignore: RegExp | undefined): string[] {
  const left = [...known]
  const isNew = ({ key }: Present): boolean => {
    const at = left.indexOf(key)
    if (at >= 0) left.splice(at, 1)
    return at < 0
  }
  return present()
    .filter(isNew)
    .map(({ name }) => name)
    .filter(name => ignore === undefined || name.search(ignore) < 0)
}

/**
 * Remembers the processes that live now, the connections, and the handles that keep Node running. The function that it gives turns the event
 * loop until there are no more than these, for a second or so at most, and resolves to the names of those that stay, such as
 * `#Process<3 worker>`, `#Conn<1> to localhost:8080` or, as `process.getActiveResourcesInfo` has it, `Timeout`. Handles that were given
 * `unref` do not count. Throws a TypeError if an option is wrong.
 */
export function leftovers(options: LeftoverOptions = {}): () => Promise<string[]> {
  checkNames(options, ['ignore'], 'leftovers')
  const { ignore } = options
  if (ignore !== undefined && !(ignore instanceof RegExp)) throw new TypeError('ignore must be a RegExp')
  const known = present().map(({ key }) => key)
  return async () => {
    for (let turns = 0; turns < MAX_TURNS && surplus(known, ignore).length > 0; turns++) await turn()
    return surplus(known, ignore)
  }
}

/**
 * Fails a test that leaves a process, a connection or a handle behind: `await using _left = assertNothingLeft()` as the first line of the
 * test throws an Error that names them once all else was disposed of. Where a test cannot have `await using`, a hook calls the
 * function that `leftovers` gives. Tests that run at the same time in one program see each other's leftovers.
 */
export function assertNothingLeft(options?: LeftoverOptions): AsyncDisposable {
  const remaining = leftovers(options)
  return {
    async [Symbol.asyncDispose]() {
      const left = await remaining()
      if (left.length > 0) throw new Error(`left behind: ${left.join(', ')}`)
    },
  }
}
