/** The hooks by which components see the connection to the program. */

import { createContext } from 'preact'
import { useContext, useEffect, useRef, useState } from 'preact/hooks'
import type { Hello, ViewName, Views } from '../src/words.ts'
import { Connection, type Shown, type Status } from './connection.ts'
import { useNow } from './use-now.ts'

export const ConnectionContext = createContext<Connection>(new Connection())

/** A view as it was seen last. */
export interface Seen<Name extends ViewName> {
  /** `undefined` until it has been shown. */
  readonly value: Views[Name]['value'] | undefined
  /** Why it cannot be shown now. */
  readonly problem: string | undefined
  /** How long passes until it is looked at again, in milliseconds. */
  readonly every: number
}

export function useConnection(): Connection {
  return useContext(ConnectionContext)
}

/** How long in milliseconds a program says nothing before it counts as silent; otherwise it says something every two seconds. */
const PATIENCE = 5000

/** Gives how long the program has been silent; 0 while it answers, or is known to be lost. */
export function useSilence(): number {
  const { heardAt } = useConnection()
  const isOpen = useStatus().kind === 'open'
  const silence = useNow() - heardAt
  return isOpen && silence > PATIENCE ? silence : 0
}

/** Gives the program's time in milliseconds since 1970, and again each second; it stands still while the program is silent. */
export function useProgramNow(): number {
  const { heardAt, skew } = useConnection()
  return Math.min(useNow(), heardAt + PATIENCE) + skew
}

/** Gives the status of the connection, and follows it. */
export function useStatus(): Status {
  const connection = useConnection()
  const [status, setStatus] = useState(connection.status)
  useEffect(() => {
    setStatus(connection.status)
    return connection.onStatus(() => setStatus(connection.status))
  }, [connection])
  return status
}

/** Gives the greeting of the program; `undefined` until it has come. */
export function useHello(): Hello | undefined {
  const status = useStatus()
  return status.kind === 'open' || status.kind === 'lost' ? status.hello : undefined
}

/** Whether the program has allowed actions, and can be asked for them. */
export function useActions(): boolean {
  const status = useStatus()
  return status.kind === 'open' && status.hello.allowActions
}

/**
 * Watches a view while the component lives. `fold` makes the value of what was there and what is shown now; the default takes the
 * latter.
 */
export function useView<Name extends ViewName>(
  name: Name,
  params: Views[Name]['params'],
  fold?: (before: Views[Name]['value'] | undefined, now: Views[Name]['value']) => Views[Name]['value'],
): Seen<Name> {
  const connection = useConnection()
  const [seen, setSeen] = useState<Seen<Name>>({ value: undefined, problem: undefined, every: 0 })
  const isFirst = useRef(true)
  const handle = useRef<ReturnType<Connection['watch']> | undefined>(undefined)
  const view = { ...params, name } as Parameters<Connection['watch']>[0]
  const key = JSON.stringify(view)
  const watched = useRef(key)

  useEffect(() => {
    const tell = (told: Shown) => {
      if (told.type === 'failed') setSeen(before => ({ ...before, problem: told.text }))
      if (told.type !== 'shown') return
      const value = told.value as Views[Name]['value']
      const begins = isFirst.current
      isFirst.current = false
      setSeen(before => ({
        value: fold === undefined ? value : fold(begins ? undefined : before.value, value),
        problem: undefined,
        every: told.every,
      }))
    }
    const begin = () => {
      isFirst.current = true
    }
    watched.current = key
    handle.current = connection.watch(view, begin, tell)
    return () => handle.current?.end()
  }, [connection])

  useEffect(() => {
    if (watched.current === key) return
    watched.current = key
    handle.current?.change(view)
  }, [key])
  return seen
}
