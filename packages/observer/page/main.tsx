/** Begins the page. */

import { render } from 'preact'
import { App } from './app.tsx'
import { Connection } from './connection.ts'
import './styles/index.css'
import { takeToken } from './token.ts'
import { ConnectionContext } from './use-connection.ts'

takeToken()
const connection = new Connection()
addEventListener('hashchange', () => {
  const before = location.hash
  takeToken()
  if (location.hash !== before) connection.retry()
})
connection.start()

const root = document.getElementById('app')
if (root === null) throw new Error('The page has no element to show anything in.')
render(
  <ConnectionContext.Provider value={connection}>
    <App />
  </ConnectionContext.Provider>,
  root,
)
