/** A trace as it runs: its events so far, and how it goes. */

import { useEffect, useState } from 'preact/hooks'
import type { TraceEvent, TraceParams, TraceState } from '../src/words.ts'
import { useConnection } from './use-connection.ts'

/** How many events the page keeps; older ones are dropped then. */
export const KEPT = 50_000

export interface Traced {
  readonly events: readonly TraceEvent[]
  /** How many older events the page has dropped. */
  readonly dropped: number
  readonly state: TraceState | undefined
  readonly problem: string | undefined
}

const NOTHING: Traced = { events: [], dropped: 0, state: undefined, problem: undefined }

/** Traces while there are parameters; without, what was traced last stays. */
export function useTrace(params: TraceParams | undefined): Traced {
  const connection = useConnection()
  const [traced, setTraced] = useState<Traced>(NOTHING)
  useEffect(() => {
    if (params === undefined) return
    setTraced(NOTHING)
    const watch = connection.watch(
      { ...params, name: 'trace' },
      () => undefined,
      told => {
        if (told.type === 'failed') setTraced(before => ({ ...before, problem: told.text }))
        else if (told.type === 'shown') {
          setTraced(before => ({ ...before, state: told.value as TraceState, problem: undefined }))
        } else setTraced(before => grown(before, told.events, told.state))
      },
    )
    return () => watch.end()
  }, [connection, params])
  return traced
}

function grown({ events, dropped }: Traced, more: readonly TraceEvent[], state: TraceState): Traced {
  const all = [...events, ...more]
  const excess = Math.max(0, all.length - KEPT)
  return { events: all.slice(excess), dropped: dropped + excess, state, problem: undefined }
}
