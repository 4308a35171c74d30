// A trace shows the messages of one process or connection that match a pattern, up to a limit, and skips what nobody could read.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import * as gun from '@holster/gun'
import { createProcess } from '@holster/process'
import { WebSocketServer } from 'ws'
import type { Events, Subject, TraceEvent } from '../../src/words.ts'
import { observed } from '../support/viewer.ts'

const here = observed()

const subjectOf = ({ id }: { readonly id: string }): Subject => ({
  kind: 'process',
  node: 'nonode@nohost',
  id,
})

/** Begins a trace, and resolves once it has begun. */
async function trace(subject: Subject, filter = '', limit = 100): Promise<number> {
  const id = here.viewer.watch({ name: 'trace', subject, filter, limit })
  await here.viewer.find(told => (told.type === 'shown' && told.id === id ? told : undefined))
  return id
}

/** Gathers the events of a trace until there are enough. */
async function gather(
  id: number,
  enough: (events: readonly TraceEvent[], last: Events) => boolean,
): Promise<TraceEvent[]> {
  const events: TraceEvent[] = []
  const seen = new Set<unknown>()
  await here.viewer.find(told => {
    if (told.type !== 'events' || told.id !== id || seen.has(told)) return undefined
    seen.add(told)
    events.push(...told.events)
    return enough(events, told) ? true : undefined
  })
  return events
}

test('the messages of a process that match, and nothing else', async () => {
  const self = createProcess<unknown>()
  const id = await trace(subjectOf(self), "{ type: 'order' }")
  self.send({ type: 'other' })
  self.send({ type: 'order', n: 1, secret: 'x' })
  await self.receive([{ type: 'order' }])
  const events = await gather(id, all => all.length >= 2)
  assert.deepEqual(
    events.map(({ event, direction, text }) => [event, direction, text]),
    [
      ['send', 'in', '{ type: "order", n: 1, secret: … }'],
      ['receive', 'none', '{ type: "order", n: 1, secret: … }'],
    ],
  )
  self.exit()
})

test('ends at its limit, and with what it traces', async () => {
  const self = createProcess<number>()
  const limited = await trace(subjectOf(self), '', 3)
  const whole = await trace(subjectOf(self))
  for (let i = 0; i < 5; i++) self.send(i)
  const over = await here.viewer.find(told =>
    told.type === 'events' && told.id === limited && told.state.isOver ? told : undefined,
  )
  assert.deepEqual([over.events.length, over.state.text], [3, 'the limit of 3 events is reached'])
  self.exit()
  const ended = await here.viewer.find(told =>
    told.type === 'events' && told.id === whole && told.state.isOver ? told : undefined,
  )
  assert.match(ended.state.text ?? '', /#Process<\d+> has ended/)
})

test('hears no more than can be shown, and says that some are missing', async () => {
  const self = createProcess<number>()
  const id = await trace(subjectOf(self), '', 10_000)
  for (let i = 0; i < 5000; i++) self.send(i)
  const { events, state } = await here.viewer.find(told =>
    told.type === 'events' && told.id === id ? told : undefined,
  )
  assert.deepEqual([events.length, state.shown, state.isSampled], [250, 250, true])
  self.send(5000)
  const next = await here.viewer.find(told =>
    told.type === 'events' && told.id === id && told.state.shown > 250 ? told : undefined,
  )
  assert.equal(next.events[0]?.text, '5000')
  self.exit()
})

test('the frames of a WebSocket both ways, found by the print of its stream', async () => {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  server.on('connection', socket => socket.on('message', data => socket.send(String(data))))
  await once(server, 'listening')
  const self = createProcess<gun.GunMessage>()
  const connPid = gun.open('127.0.0.1', (server.address() as AddressInfo).port, { owner: self })
  await gun.awaitUp(connPid)
  const streamRef = gun.wsUpgrade(connPid, '/')
  await self.receive([{ type: 'gun_upgrade', streamRef }])
  const id = await trace(
    { kind: 'connection', node: 'nonode@nohost', id: String(connPid) },
    `{ streamRef: '${streamRef}' }`,
  )
  gun.wsSend(connPid, streamRef, ['text', 'hi'])
  const events = await gather(id, all => all.some(({ event }) => event === 'gun_ws'))
  assert.deepEqual(
    events.map(({ event, direction }) => [event, direction]),
    [
      ['wsSendFrameStart', 'none'],
      ['wsSendFrameEnd', 'out'],
      ['gun_ws', 'in'],
    ],
  )
  self.exit()
  for (const socket of server.clients) socket.terminate()
  server.close()
})

test('a filter that is no pattern, and a subject that is not there, are told', async () => {
  const self = createProcess()
  const wrong = here.viewer.watch({ name: 'trace', subject: subjectOf(self), filter: '{', limit: 1 })
  const failed = await here.viewer.find(told =>
    told.type === 'failed' && told.id === wrong ? told.text : undefined,
  )
  assert.match(failed, /not JSON5/)
  self.exit()
  const gone = here.viewer.watch({ name: 'trace', subject: subjectOf(self), filter: '', limit: 1 })
  const text = await here.viewer.find(told =>
    told.type === 'failed' && told.id === gone ? told.text : undefined,
  )
  assert.match(text, /there is no #Process/)
})
