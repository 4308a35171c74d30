/** Finds what is missing on the pages of the API: examples, places of messages. */

import { tagged } from './comment.ts'
import type { Book } from './page.ts'
import type { Kind } from './places.ts'

/** Pages that have an example. */
const SHOWN: ReadonlySet<Kind> = new Set(['function', 'message', 'option', 'error', 'code'])

/** Lists all faults, each as a sentence. */
export function* faultsIn({ places, examples }: Book): Generator<string> {
  const ids = new Set(places.all.map(({ id }) => id))
  for (const { id, kind } of places.all) {
    const own = [...examples.keys()].some(key => key === id || key.startsWith(`${id}#`))
    if (SHOWN.has(kind) && !own)
      yield `api/${id} has no example: a test in test/api needs a region of this name`
  }
  for (const key of examples.keys()) {
    if (!ids.has(key.split('#')[0] ?? ''))
      yield `a region of a test in test/api is named ${key}, which is no page`
  }
  for (const place of places.all) {
    if (place.kind !== 'message') continue
    for (const subject of place.subjects) {
      for (const tag of ['@to', '@order'] as const) {
        if (tagged(subject.comment, tag, { place, places, ownNames: new Set() }) === undefined) {
          yield `the comment of ${subject.name} has no ${tag}`
        }
      }
    }
  }
}
