/** A tap hears one connection, from the moment that it is set until it is taken out. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as gun from '@holster/gun'
import { tap } from '@holster/gun/internal'
import { setExitHook } from '@holster/process'
import { opcodes, receiveFrame } from '@holster/testing/frames'
import { PATIENCE } from '../support/client.ts'
import { ends } from '../support/http-ends.ts'
import { close, text, upgraded, wires } from '../support/websocket-scene.ts'

/** Notes in words all that a tap hears. */
function notes(): { readonly heard: string[]; readonly listener: Parameters<typeof tap>[1] } {
  const heard: string[] = []
  const listener = {
    event: (name: string) => heard.push(`event ${name}`),
    message: ({ type }: gun.GunMessage) => heard.push(`message ${type}`),
    state: (name: string) => heard.push(`state ${name}`),
  }
  return { heard, listener }
}

const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi'

test('a tap hears events, messages and states in order, and nothing from before or behind', async () => {
  await using it = await ends('tcp', { retry: 0 })
  const { connPid, peer, self } = it
  const { heard, listener } = notes()
  const stop = tap(connPid, listener)
  assert.deepEqual(heard, [])
  const streamRef = gun.get(connPid, '/')
  await peer.receiveRequest()
  await peer.send(ANSWER)
  await gun.awaitBody(connPid, (await gun.await(connPid, streamRef, PATIENCE)) && streamRef, PATIENCE)
  assert.deepEqual(heard, [
    'event requestStart',
    'event requestHeaders',
    'event requestEnd',
    'event responseStart',
    'event responseHeaders',
    'message gun_response',
    'message gun_data',
    'event responseEnd',
  ])
  heard.length = 0
  stop()
  stop()
  gun.get(connPid, '/')
  await peer.receiveRequest()
  await peer.send(ANSWER)
  await self.receive([{ type: 'gun_data', isFin: 'fin' }], PATIENCE)
  assert.deepEqual(heard, [])
})

test('a tap hears the end of a connection', async () => {
  await using it = await ends('tcp', { retry: 0 })
  const { connPid, peer, self } = it
  const { heard, listener } = notes()
  tap(connPid, listener)
  peer.end()
  await self.receive([{ type: 'DOWN' }], PATIENCE)
  assert.deepEqual(heard, [
    'event disconnect',
    'message gun_down',
    'state terminated',
    'message gun_error',
    'event terminate',
  ])
})

test('several taps and the transcript hear the same, whichever of them ends', async () => {
  const lines: string[] = []
  await using it = await ends('tcp', { retry: 0, trace: line => void lines.push(line) })
  const { connPid, peer, self } = it
  const [first, second] = [notes(), notes()]
  const stopFirst = tap(connPid, first.listener)
  const stopSecond = tap(connPid, second.listener)
  const ask = async () => {
    gun.get(connPid, '/')
    await peer.receiveRequest()
    await peer.send(ANSWER)
    await self.receive([{ type: 'gun_data', isFin: 'fin' }], PATIENCE)
  }
  const before = lines.length
  await ask()
  assert.equal(first.heard.length, 8)
  assert.deepEqual(first.heard, second.heard)
  assert.equal(lines.length, before + 8)
  stopFirst()
  await ask()
  assert.equal(first.heard.length, 8)
  assert.equal(second.heard.length, 16)
  stopSecond()
  await ask()
  assert.equal(second.heard.length, 16)
  assert.equal(lines.length, before + 24)
})

for (const wire of wires) {
  test(`frames that are sent, and messages of those that come, are heard on a WebSocket over ${wire}`, async () => {
    await using it = await upgraded(wire, { opts: { retry: 0 } })
    const { connPid, peer, self, streamRef } = it
    const frames: unknown[] = []
    const messages: unknown[] = []
    const stop = tap(connPid, {
      event: (name, event) => {
        if (name === 'wsSendFrameEnd') frames.push((event as gun.WsSendFrameEvent).frame)
      },
      message: message => {
        if (message.type === 'gun_ws') messages.push(message.frame)
      },
    })
    gun.wsSend(connPid, streamRef, ['text', 'out'])
    await receiveFrame(peer)
    await peer.send(text('in'))
    await self.receive([{ type: 'gun_ws' }], PATIENCE)
    stop()
    gun.wsSend(connPid, streamRef, ['text', 'unheard'])
    await peer.send(close(1000))
    assert.equal((await receiveFrame(peer)).opcode, opcodes.text)
    assert.deepEqual(frames, [['text', 'out']])
    assert.deepEqual(messages, [['text', 'in']])
  })
}

test('a listener that throws, or rejects, is told of by the exit hook, and harms neither the connection nor other taps', async t => {
  const reasons: string[] = []
  const hook = setExitHook((pid, reason) => void reasons.push(`${pid} ${(reason as Error).message}`))
  t.after(() => void setExitHook(hook))
  await using it = await ends('tcp', { retry: 0 })
  const { connPid, peer, self } = it
  const { heard, listener } = notes()
  const stopBad = tap(connPid, {
    event: name => {
      if (name === 'requestStart') throw new Error('thrown')
    },
    message: async ({ type }) => {
      if (type === 'gun_response') throw new Error('rejected')
    },
  })
  const stop = tap(connPid, listener)
  gun.get(connPid, '/')
  await peer.receiveRequest()
  await peer.send(ANSWER)
  await self.receive([{ type: 'gun_data', isFin: 'fin' }], PATIENCE)
  stopBad()
  stop()
  assert.equal(heard.length, 8)
  assert.deepEqual(reasons, [`${connPid} thrown`, `${connPid} rejected`])
})

test('a tap that is taken out within what it hears hears no more, and the others go on', async () => {
  await using it = await ends('tcp', { retry: 0 })
  const { connPid, peer, self } = it
  const early = notes()
  const late = notes()
  // The one that is set first takes the other out before that hears the same.
  const stopEarly = tap(connPid, {
    event: name => {
      early.heard.push(name)
      stopEarly()
      stopLate()
    },
  })
  const stopLate = tap(connPid, late.listener)
  gun.get(connPid, '/')
  await peer.receiveRequest()
  await peer.send(ANSWER)
  await self.receive([{ type: 'gun_data', isFin: 'fin' }], PATIENCE)
  assert.deepEqual(early.heard, ['requestStart'])
  assert.deepEqual(late.heard, [])
})

test('other connections are not heard', async () => {
  await using it = await ends('tcp', { retry: 0 })
  await using other = await ends('tcp', { retry: 0 })
  const { heard, listener } = notes()
  tap(it.connPid, listener)
  gun.get(other.connPid, '/')
  await other.peer.receiveRequest()
  assert.deepEqual(heard, [])
})

test('what is no connection is refused by name', () => {
  assert.throws(() => tap({} as never, {}), /connPid must be a handle/)
})
