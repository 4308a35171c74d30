/** What can be clicked on: the name of a process or a connection, or plain text of others. */

import type { Ref, Subject } from '../src/words.ts'
import { hrefOfRef } from './route.ts'

export function RefLink({ about }: { readonly about: Ref }) {
  const href = hrefOfRef(about)
  if (href === undefined) return <span class="ref">{about.text}</span>
  return (
    <a class="ref" href={href}>
      {about.text}
    </a>
  )
}

/** Gives several of them, or a word for none. */
export function RefList({ refs, none = 'none' }: { readonly refs: readonly Ref[]; readonly none?: string }) {
  if (refs.length === 0) return <span class="quiet">{none}</span>
  return (
    <ul class="refs">
      {refs.map(ref => (
        <li key={`${ref.node} ${ref.id} ${ref.text}`}>
          <RefLink about={ref} />
        </li>
      ))}
    </ul>
  )
}

/** Gives the words for a thing that has an id, and may have a name. */
export function nameOf({
  id,
  name,
  label,
}: {
  id: string
  name?: string | undefined
  label?: string | undefined
}): string {
  return name ?? label ?? id
}

/** Gives a key that differs for each subject. */
export function keyOf({ node, id }: Pick<Subject, 'node' | 'id'>): string {
  return `${node} ${id}`
}
