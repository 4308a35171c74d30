/** The routes of the page, which stand in the fragment of its address and hold no message of the program. */

import { useEffect, useRef, useState } from 'preact/hooks'
import type { Ref, Subject } from '../src/words.ts'

/** The pages that need nothing but their name. */
export type PageName = 'overview' | 'processes' | 'tree' | 'connections' | 'nodes' | 'trace'

export type Route =
  | { readonly page: PageName }
  | { readonly page: 'process' | 'connection' | 'traced'; readonly subject: Subject }
  | { readonly page: 'unknown' }

/** How long a value that changes often waits until it is kept, in milliseconds. */
const SOON = 250

const PAGES: readonly string[] = ['overview', 'processes', 'tree', 'connections', 'nodes', 'trace']

/** Gives the route of a fragment, such as `#/process/a%40b/%23Process%3C1%3E`. */
export function routeOf(hash: string): Route {
  const parts = hash.replace(/^#?\/?/, '').split('/')
  const [page = '', ...rest] = parts.map(decoded)
  if (page === '') return { page: 'overview' }
  if (rest.length === 0 && PAGES.includes(page)) return { page: page as PageName }
  if ((page === 'process' || page === 'connection') && rest.length === 2) {
    return { page, subject: { kind: page, node: rest[0] ?? '', id: rest[1] ?? '' } }
  }
  const [kind, node, id] = rest
  if (page === 'trace' && (kind === 'process' || kind === 'connection') && node !== undefined) {
    return { page: 'traced', subject: { kind, node, id: id ?? '' } }
  }
  return { page: 'unknown' }
}

/** Gives the address of a page. */
export function hrefOf(page: PageName): string {
  return page === 'overview' ? '#/' : `#/${page}`
}

/** Gives the address of the page of a process or a connection. */
export function hrefOfSubject({ kind, node, id }: Subject): string {
  return `#/${kind}/${encodeURIComponent(node)}/${encodeURIComponent(id)}`
}

/** Gives the address where a process or a connection is traced. */
export function hrefOfTrace({ kind, node, id }: Subject): string {
  return `#/trace/${kind}/${encodeURIComponent(node)}/${encodeURIComponent(id)}`
}

/** Gives the address that a reference leads to, if it leads anywhere. */
export function hrefOfRef({ kind, node, id }: Ref): string | undefined {
  return kind === 'process' || kind === 'connection' ? hrefOfSubject({ kind, node, id }) : undefined
}

/** Gives the fragment of the address, and follows it. */
export function useHash(): string {
  const [hash, setHash] = useState(location.hash)
  useEffect(() => {
    const follow = () => setHash(location.hash)
    addEventListener('hashchange', follow)
    return () => removeEventListener('hashchange', follow)
  }, [])
  return hash
}

/**
 * Keeps a value with this entry of the browser's history, so that it is there again after going back. The third function keeps one a moment
 * later, since browsers refuse to keep many in a short time.
 */
export function useKept<Value>(
  name: string,
  first: Value,
): [value: Value, keep: (value: Value) => void, keepSoon: (value: Value) => void] {
  const [value, setValue] = useState<Value>(() => {
    const kept = (history.state as Record<string, Value> | null)?.[name]
    return kept ?? first
  })
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)
  // Behind its end the page has another entry of the history.
  useEffect(() => () => clearTimeout(timer.current), [])
  const write = (next: Value) => history.replaceState({ ...history.state, [name]: next }, '')
  const keep = (next: Value) => {
    clearTimeout(timer.current)
    write(next)
    setValue(next)
  }
  const keepSoon = (next: Value) => {
    clearTimeout(timer.current)
    timer.current = setTimeout(() => write(next), SOON)
    setValue(next)
  }
  return [value, keep, keepSoon]
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
