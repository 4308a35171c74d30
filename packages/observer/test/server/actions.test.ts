// A viewer acts only where the program allows it, and only after saying so twice.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { describe, test } from 'node:test'
import * as gun from '@holster/gun'
import { type Observer, startObserver } from '@holster/observer'
import { createProcess } from '@holster/process'
import type { Action } from '../../src/words.ts'
import { Viewer } from '../support/viewer.ts'

const node = 'nonode@nohost'
let last = 1000

/** Asks for an action. Gives the ticket and the question. */
async function ask(
  viewer: Viewer,
  action: Action,
): Promise<{ readonly ticket: string; readonly question: string }> {
  const id = ++last
  viewer.ask({ type: 'act', id, action })
  return viewer.find(told => {
    if (told.type === 'failed' && told.id === id) throw new Error(told.text)
    return told.type === 'confirm' && told.id === id ? told : undefined
  })
}

/** Says yes. Gives what was done. */
async function confirm(
  viewer: Viewer,
  ticket: string,
): Promise<{ readonly text: string; readonly download?: string }> {
  const id = ++last
  viewer.ask({ type: 'confirm', id, ticket })
  return viewer.find(told => {
    if (told.type === 'failed' && told.id === id) throw new Error(told.text)
    return told.type === 'done' && told.id === id ? told : undefined
  })
}

async function acting(): Promise<{ readonly observer: Observer; readonly viewer: Viewer }> {
  const observer = await startObserver({ log: false, allowActions: true })
  return { observer, viewer: await Viewer.open(observer) }
}

describe('where actions are allowed', () => {
  test('a process gets the exit signal once the ticket comes back, and not before', async () => {
    const { observer, viewer } = await acting()
    const self = createProcess()
    const action: Action = { type: 'exit', subject: { kind: 'process', node, id: self.id }, reason: 'enough' }
    const { ticket, question } = await ask(viewer, action)
    assert.match(question, new RegExp(`Send ${self.id} of ${node} the exit signal 'enough'`))
    assert.ok(self.isAlive)
    assert.match((await confirm(viewer, ticket)).text, /was sent the exit signal/)
    assert.equal(await self.exited, 'enough')
    await assert.rejects(confirm(viewer, ticket), /the question is too old/)
    viewer[Symbol.dispose]()
    await observer.stop()
  })

  test('a question is forgotten once a hundred more were asked', async () => {
    const { observer, viewer } = await acting()
    const self = createProcess()
    const action: Action = { type: 'exit', subject: { kind: 'process', node, id: self.id }, reason: 'enough' }
    const first = await ask(viewer, action)
    const second = await ask(viewer, action)
    for (let i = 0; i < 99; i++) await ask(viewer, action)
    await assert.rejects(confirm(viewer, first.ticket), /the question is too old/)
    assert.match((await confirm(viewer, second.ticket)).text, /was sent the exit signal/)
    viewer[Symbol.dispose]()
    await observer.stop()
  })

  test('a process gets a message written in JSON5', async () => {
    const { observer, viewer } = await acting()
    const self = createProcess<unknown>()
    const subject = { kind: 'process', node, id: self.id } as const
    const { ticket } = await ask(viewer, { type: 'send', subject, message: "{ type: 'go', n: 1 }" })
    await confirm(viewer, ticket)
    assert.deepEqual(await self.receive([{ type: 'go' }]), { type: 'go', n: 1 })
    await assert.rejects(ask(viewer, { type: 'send', subject, message: '{' }), /not JSON5/)
    self.exit()
    viewer[Symbol.dispose]()
    await observer.stop()
  })

  test('a connection shuts down', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { observer, viewer } = await acting()
    const self = createProcess<gun.GunMessage>()
    const connPid = gun.open('127.0.0.1', (server.address() as AddressInfo).port, { owner: self })
    self.monitor(connPid)
    await gun.awaitUp(connPid)
    const subject = { kind: 'connection', node, id: String(connPid) } as const
    await confirm(viewer, (await ask(viewer, { type: 'shutdown', subject })).ticket)
    await self.receive([{ type: 'DOWN', pid: connPid }])
    self.exit()
    viewer[Symbol.dispose]()
    await observer.stop()
    server.close()
  })

  test('a heap snapshot is fetched once, with the token', async () => {
    const { observer, viewer } = await acting()
    const { ticket } = await ask(viewer, { type: 'heap_snapshot', node })
    const { download = '' } = await confirm(viewer, ticket)
    const headers = { authorization: `Bearer ${observer.token}` }
    const url = new URL(download, observer.url)
    assert.equal((await fetch(url)).status, 401)
    const response = await fetch(url, { headers })
    assert.ok('snapshot' in ((await response.json()) as object))
    assert.equal((await fetch(url, { headers })).status, 404)
    viewer[Symbol.dispose]()
    await observer.stop()
  })
})

test('where actions are not allowed the answer says how to allow them', async () => {
  await using observer = await startObserver({ log: false })
  using viewer = await Viewer.open(observer)
  const self = createProcess()
  const action: Action = { type: 'exit', subject: { kind: 'process', node, id: self.id }, reason: 'enough' }
  await assert.rejects(
    ask(viewer, action),
    /allows no actions: it must start the observer with allowActions: true/,
  )
  await assert.rejects(confirm(viewer, 'guessed'), /too old/)
  assert.ok(self.isAlive)
  self.exit()
})

test('a viewer that says what nobody understands is told, and closed', async () => {
  await using observer = await startObserver({ log: false })
  for (const words of [
    '{',
    '[]',
    '{"type":"watch","id":1,"view":{"name":"passwords"}}',
    '{"type":"watch","id":-1}',
  ]) {
    using viewer = await Viewer.open(observer)
    const closed = viewer.closed()
    viewer.say(words)
    assert.equal(await closed, 1008, words)
  }
})
