/** The head of a page: its title, which the window bears too, and what can be done. */

import type { ComponentChildren } from 'preact'
import { useEffect } from 'preact/hooks'

interface PageHeadProps {
  readonly title: string
  /** Stands beside the title. */
  readonly id?: string | undefined
  /** Leads to the page above. */
  readonly above?: { readonly href: string; readonly text: string }
  readonly badges?: ComponentChildren
  readonly children?: ComponentChildren
}

export function PageHead({ title, id, above, badges, children }: PageHeadProps) {
  useEffect(() => {
    document.title = `${title} · Holster observer`
  }, [title])
  return (
    <div class="page-head">
      <div class="page-title">
        {above !== undefined && (
          <a class="above" href={above.href}>
            {above.text}
          </a>
        )}
        <h1 tabIndex={-1}>
          {title}
          {id !== undefined && id !== title && <span class="id">{id}</span>}
        </h1>
        {badges}
      </div>
      {children !== undefined && <div class="page-acts">{children}</div>}
    </div>
  )
}

/** A part of a page, under a heading. */
export function Panel({
  title,
  note,
  children,
}: {
  readonly title: string
  readonly note?: ComponentChildren
  readonly children: ComponentChildren
}) {
  return (
    <section class="panel">
      <header>
        <h2>{title}</h2>
        {note !== undefined && <div class="panel-note">{note}</div>}
      </header>
      {children}
    </section>
  )
}

/** Facts, each under its name. */
export function Facts({
  facts,
}: {
  readonly facts: readonly (readonly [name: string, fact: ComponentChildren])[]
}) {
  return (
    <dl class="facts">
      {facts.map(([name, fact]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{fact}</dd>
        </div>
      ))}
    </dl>
  )
}
