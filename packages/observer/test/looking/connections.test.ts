// Connections are shown with their state, what goes over them and why they fail; a page of one has its streams and a timeline.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import * as gun from '@holster/gun'
import { createProcess } from '@holster/process'
import { WebSocketServer } from 'ws'
import type { ConnectionPage, Span } from '../../src/words.ts'
import { ALL, observed } from '../support/viewer.ts'

const here = observed()
let port: number
const http = createServer((_request, response) => response.end('hello'))
const webSockets = new WebSocketServer({ server: http })
webSockets.on('connection', socket => {
  socket.on('message', data => socket.send(data, { binary: false }))
})
before(async () => {
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  port = (http.address() as AddressInfo).port
})
after(() => {
  for (const socket of webSockets.clients) socket.terminate()
  http.closeAllConnections()
  http.close()
})

const idOf = (connPid: gun.ConnPid): string => String(connPid)

const seePage = (
  connPid: gun.ConnPid,
  isWanted?: (page: ConnectionPage) => boolean,
): Promise<ConnectionPage> =>
  here.viewer.see(
    { name: 'connection', kind: 'connection', node: 'nonode@nohost', id: idOf(connPid) },
    isWanted,
  )

const names = (timeline: readonly Span[]): string[] => timeline.map(({ name }) => name)

test('a WebSocket counts frames and bytes both ways, and shows them on a timeline', async () => {
  const self = createProcess<gun.GunMessage>({ name: 'frames' })
  const connPid = gun.open('127.0.0.1', port, { owner: self })
  await gun.awaitUp(connPid)
  const streamRef = gun.wsUpgrade(connPid, '/echo?token=hidden')
  await self.receive([{ type: 'gun_upgrade', streamRef }])
  const seen = seePage(connPid, ({ timeline }) => names(timeline).includes('frame in'))
  await seePage(connPid)
  gun.wsSend(connPid, streamRef, [
    ['text', 'one'],
    ['text', 'two'],
  ])
  await self.receive([{ type: 'gun_ws', frame: ['text', 'two'] }])
  const page = await seen
  assert.deepEqual(names(page.timeline), ['state', 'frame out', 'frame out', 'frame in', 'frame in'])
  assert.ok(page.timeline.slice(1).every(({ lane }) => lane === String(streamRef)))
  const { rows } = await here.viewer.see({ name: 'connections', ...ALL, filter: 'frames' })
  const [row] = rows
  assert.deepEqual(
    [row?.framesIn, row?.framesOut, row?.protocol, row?.state],
    [2, 2, 'ws', 'connected_ws_only'],
  )
  assert.equal(row?.origin, `ws://127.0.0.1:${port}`)
  assert.ok((row?.bytesIn ?? 0) > 10 && (row?.bytesOut ?? 0) > 10)
  assert.deepEqual(row?.owner, { kind: 'process', node: 'nonode@nohost', id: self.id, text: String(self) })
  assert.deepEqual(page.states.slice(0, 2), ['connected', 'connected.connected_ws_only'])
  assert.equal(page.streamList[0]?.kind, 'websocket')
  assert.equal(page.address, '127.0.0.1')
  self.exit()
})

test('the timeline of a request has a bar for the request and one for the response', async () => {
  const self = createProcess<gun.GunMessage>()
  const connPid = gun.open('127.0.0.1', port, { owner: self, protocols: ['http'] })
  await gun.awaitUp(connPid)
  const seen = seePage(connPid, ({ timeline }) =>
    timeline.some(({ name, to }) => name === 'response' && to !== undefined),
  )
  await seePage(connPid)
  const streamRef = gun.get(connPid, '/hello?session=hidden')
  await gun.awaitResponse(connPid, streamRef)
  const { timeline } = await seen
  const bars = timeline.filter(({ lane }) => lane === String(streamRef))
  assert.deepEqual(names(bars), ['request', 'response', 'headers'])
  assert.ok(bars.every(({ to }) => to !== undefined))
  assert.ok(!JSON.stringify(timeline).includes('hidden'))
  self.exit()
})

test('a connection that keeps failing tells its attempts and the last error, and stands out', async () => {
  const free = createServer().listen(0, '127.0.0.1')
  await once(free, 'listening')
  const { port: nobody } = free.address() as AddressInfo
  free.close()
  await once(free, 'close')
  const self = createProcess<gun.GunMessage>()
  const connPid = gun.open('127.0.0.1', nobody, { owner: self, retry: 1_000_000, retryTimeout: 5 })
  const page = await seePage(connPid, ({ failures }) => failures >= 3)
  assert.ok(page.attempts >= 3)
  assert.match(page.lastError ?? '', /refused/i)
  const { findings } = await here.viewer.see({ name: 'overview' }, overview =>
    overview.findings.some(({ about }) => about?.id === idOf(connPid)),
  )
  const finding = findings.find(({ about }) => about?.id === idOf(connPid))
  assert.equal(finding?.kind, 'failing')
  assert.match(finding?.text ?? '', /has failed \d+ times in a row/)
  const ended = seePage(connPid, ({ state }) => state === 'terminated')
  await seePage(connPid)
  gun.close(connPid)
  assert.deepEqual((await ended).states, ['terminated'])
  self.exit()
})

test('connections that fail for one origin are told of together', async () => {
  const self = createProcess<gun.GunMessage>()
  const gone = createServer().listen(0, '127.0.0.1')
  await once(gone, 'listening')
  const { port: nobody } = gone.address() as AddressInfo
  gone.close()
  await once(gone, 'close')
  const all = [1, 2, 3].map(() =>
    gun.open('127.0.0.1', nobody, { owner: self, retry: 1_000_000, retryTimeout: 5 }),
  )
  const { findings } = await here.viewer.see({ name: 'overview' }, overview =>
    overview.findings.some(({ text }) =>
      text.startsWith(`3 connections to http://127.0.0.1:${nobody} keep failing, `),
    ),
  )
  assert.equal(findings.filter(({ kind }) => kind === 'failing').length, 1)
  for (const connPid of all) gun.close(connPid)
  self.exit()
})

test('a connection that a mailbox presses on is paused, and tells by whom', async () => {
  const self = createProcess<gun.GunMessage>({ highWaterMark: { messages: 3 }, name: 'slow reader' })
  const connPid = gun.open('127.0.0.1', port, { owner: self })
  await gun.awaitUp(connPid)
  const streamRef = gun.wsUpgrade(connPid, '/echo')
  await self.receive([{ type: 'gun_upgrade', streamRef }])
  for (let i = 0; i < 100; i++) gun.wsSend(connPid, streamRef, ['text', `${i}`])
  const page = await seePage(connPid, ({ isPaused }) => isPaused)
  assert.deepEqual(
    page.pressedBy.map(({ id }) => id),
    [self.id],
  )
  const owner = await here.viewer.see(
    { name: 'process', kind: 'process', node: 'nonode@nohost', id: self.id },
    ({ pressesOn }) => pressesOn.length > 0,
  )
  assert.deepEqual([owner.pressesOn[0]?.id, owner.owns[0]?.id], [idOf(connPid), idOf(connPid)])
  const { findings } = await here.viewer.see({ name: 'overview' }, overview =>
    overview.findings.some(({ kind }) => kind === 'over_mark'),
  )
  assert.ok(
    findings.some(
      ({ kind, about, since }) => kind === 'over_mark' && about?.id === self.id && since !== undefined,
    ),
  )
  self.exit()
})

test('pools tell what they have and who waits', async () => {
  const pool = gun.pool.startPool('127.0.0.1', port, { size: 2, scope: 'observed' })
  await gun.pool.awaitUp(pool)
  const { pools } = await here.viewer.see({ name: 'pools' }, value => value.pools.some(({ up }) => up === 2))
  const row = pools.find(({ scope }) => scope === 'observed')
  assert.deepEqual(
    [row?.authority, row?.state, row?.size, row?.up, row?.waiting],
    [`127.0.0.1:${port}`, 'operational', 2, 2, 0],
  )
  await gun.pool.stopPool('127.0.0.1', port, { scope: 'observed' })
})
