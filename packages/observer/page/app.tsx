/** The frame around all pages: where one is, where one can go, and how the connection to the program is. */

import { useEffect, useRef } from 'preact/hooks'
import { Icon, type IconName } from './icon.tsx'
import { ConnectionPage } from './pages/connection.tsx'
import { ConnectionsPage } from './pages/connections.tsx'
import { NodesPage } from './pages/nodes.tsx'
import { OverviewPage } from './pages/overview.tsx'
import { ProcessPage } from './pages/process.tsx'
import { ProcessesPage } from './pages/processes.tsx'
import { TracedPage, TracePage } from './pages/trace.tsx'
import { TreePage } from './pages/tree.tsx'
import { hrefOf, type PageName, type Route, routeOf, useHash } from './route.ts'
import { StatusLine, StatusNotice } from './status.tsx'
import { TokenForm } from './token-form.tsx'
import { useStatus } from './use-connection.ts'

const LINKS: readonly (readonly [page: PageName & IconName, text: string])[] = [
  ['overview', 'Overview'],
  ['processes', 'Processes'],
  ['tree', 'Tree'],
  ['connections', 'Connections'],
  ['nodes', 'Nodes'],
  ['trace', 'Trace'],
]

export function App() {
  const hash = useHash()
  const status = useStatus()
  const route = routeOf(hash)
  const main = useRef<HTMLElement>(null)
  const isFirst = useRef(true)

  useEffect(() => {
    if (isFirst.current) {
      isFirst.current = false
      return
    }
    scrollTo(0, 0)
    main.current?.querySelector('h1')?.focus({ preventScroll: true })
  }, [hash])

  if (status.kind === 'locked') return <TokenForm wasWrong={status.wasWrong} />
  const current = sectionOf(route)
  return (
    <div class="frame">
      <button class="skip" type="button" onClick={() => main.current?.focus()}>
        Skip to the page
      </button>
      <header class="side">
        <a class="brand" href={hrefOf('overview')}>
          <svg viewBox="0 0 16 16" width="20" height="20" aria-hidden="true">
            <circle cx="8" cy="8" r="6" />
            <circle class="pupil" cx="8" cy="8" r="2.5" />
          </svg>
          Holster <span>observer</span>
        </a>
        <nav aria-label="Pages">
          {LINKS.map(([page, text]) => (
            <a key={page} href={hrefOf(page)} aria-current={page === current ? 'page' : undefined}>
              <Icon name={page} />
              {text}
            </a>
          ))}
        </nav>
        <StatusLine />
      </header>
      <main id="main" ref={main} tabIndex={-1}>
        <StatusNotice />
        {status.kind === 'greeting' ? <p class="quiet">Connecting…</p> : <Page key={hash} route={route} />}
      </main>
    </div>
  )
}

function Page({ route }: { readonly route: Route }) {
  switch (route.page) {
    case 'overview':
      return <OverviewPage />
    case 'processes':
      return <ProcessesPage />
    case 'process':
      return <ProcessPage subject={route.subject} />
    case 'tree':
      return <TreePage />
    case 'connections':
      return <ConnectionsPage />
    case 'connection':
      return <ConnectionPage subject={route.subject} />
    case 'nodes':
      return <NodesPage />
    case 'trace':
      return <TracePage />
    case 'traced':
      return <TracedPage subject={route.subject} />
    default:
      return (
        <>
          <h1 tabIndex={-1}>There is no such page</h1>
          <p>
            <a href={hrefOf('overview')}>Go to the overview</a>
          </p>
        </>
      )
  }
}

/** Gives the link that leads to where one is. */
function sectionOf(route: Route): PageName | undefined {
  switch (route.page) {
    case 'process':
      return 'processes'
    case 'connection':
      return 'connections'
    case 'traced':
      return 'trace'
    case 'unknown':
      return undefined
    default:
      return route.page
  }
}
