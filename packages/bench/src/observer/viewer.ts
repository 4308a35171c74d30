/** Looks at a program as a page does that has the overview, both tables and two pages of one open. */

import { WebSocket } from 'ws'

const [, , url = '', connection, owner] = process.argv

const table = { filter: '', order: 'id', descending: false, offset: 0, limit: 50 }
const node = 'nonode@nohost'
const views = [
  { name: 'overview' },
  { name: 'processes', ...table },
  { name: 'connections', ...table },
  { name: 'process', kind: 'process', node, id: owner },
  { name: 'connection', kind: 'connection', node, id: connection },
]

const address = new URL('/observe', url)
address.protocol = 'ws:'
const socket = new WebSocket(address, 'holster.observer')
socket.on('open', () => {
  for (const [id, view] of views.entries()) socket.send(JSON.stringify({ type: 'watch', id, view }))
})

// Each view has been shown once.
const shown = new Set<number>()
socket.on('message', data => {
  const { type, id, text } = JSON.parse(String(data)) as { type: string; id: number; text?: string }
  if (type === 'failed') throw new Error(text)
  if (type !== 'shown' || shown.size === views.length) return
  shown.add(id)
  if (shown.size === views.length) console.log(JSON.stringify('looking'))
})
process.stdin.resume()
