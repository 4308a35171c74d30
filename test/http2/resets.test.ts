// Who has reset a stream, and why: the event `cancel` tells of both sides.

import assert from 'node:assert/strict'
import * as gun from '@holster/gun'
import { onEachTransport } from '../support/http-scene.ts'
import * as h2 from '../support/http2-frames.ts'
import { ok, respond, scene } from '../support/http2-scene.ts'

const NO_CONTENT = [[':status', '204']] as const

/** An event handler that keeps in words what it hears of cancelled streams and of the ends of others. */
function listener() {
  const told: string[] = []
  const about: gun.CancelEvent[] = []
  const eventHandler: gun.EventHandler = {
    cancel: event => {
      about.push(event)
      told.push(`cancel ${event.endpoint} ${event.reason}`)
    },
    responseEnd: () => told.push('responseEnd'),
  }
  return { told, about, eventHandler }
}

const reasons = [
  ...Object.entries(h2.errorCodes).filter(([name]) => name !== 'NO_ERROR'),
  ['code 99', 99] as const,
]

onEachTransport('a stream that the server resets is told of with the name of the reason', async transport => {
  const { about, eventHandler } = listener()
  await using it = await scene({ transport, opts: { eventHandler } })
  for (const [name, code] of reasons) {
    const streamRef = gun.get(it.connPid, '/')
    const { streamId } = await it.peer.request()
    await it.peer.send(h2.rstStream(streamId, code))
    const error = name === 'REFUSED_STREAM' ? 'refused_stream' : 'stream_reset'
    assert.deepEqual(await it.story(streamRef), [`stream: stream_error ${error}`])
    const { connPid, self } = it
    const reason = name.toLowerCase()
    assert.deepEqual(about.splice(0), [{ connPid, streamRef, replyTo: self, endpoint: 'remote', reason }])
  }
})

onEachTransport('a stream that the caller cancels is told of with our side, and once', async transport => {
  const { told, eventHandler } = listener()
  await using it = await scene({ transport, opts: { eventHandler } })
  const streamRef = gun.get(it.connPid, '/')
  const { streamId } = await it.peer.request()
  gun.cancel(it.connPid, streamRef)
  await it.peer.frame(h2.types.RST_STREAM, streamId)
  // The server's reset was under way as well.
  await it.peer.send(h2.rstStream(streamId, h2.errorCodes.CANCEL))
  await it.seen()
  assert.deepEqual(told, ['cancel local cancel'])
  assert.deepEqual(await it.waiting(), [])
})

onEachTransport('a stream that we reset for a fault of the server is no cancelled one', async transport => {
  const { told, eventHandler } = listener()
  await using it = await scene({ transport, opts: { eventHandler } })
  const streamRef = gun.get(it.connPid, '/')
  const { streamId } = await it.peer.request()
  await it.peer.send(h2.headers(streamId, [['x-a', 'b']]))
  assert.deepEqual(await it.story(streamRef), ['stream: stream_error protocol_error'])
  assert.deepEqual(told, [])
})

onEachTransport(
  'a reset behind what has come is told of at once, and its error behind that',
  async transport => {
    const { told, eventHandler } = listener()
    await using it = await scene({ transport, opts: { eventHandler } })
    const streamRef = gun.get(it.connPid, '/', {}, { flow: 1 })
    const streamId = await respond(it.peer)
    await it.peer.send([
      h2.data(streamId, 'a'),
      h2.data(streamId, 'b'),
      h2.rstStream(streamId, h2.errorCodes.INTERNAL_ERROR),
    ])
    await it.seen()
    assert.deepEqual(told, ['cancel remote internal_error'])
    assert.deepEqual(await it.story(streamRef), [
      'response 200 nofin',
      'data ab nofin',
      'stream: stream_error stream_reset',
    ])
  },
)

for (const isLate of [false, true]) {
  onEachTransport(
    `an upload whose response is whole is given up by the server with NO_ERROR${isLate ? ', a turn later' : ''}`,
    async transport => {
      const { told, eventHandler } = listener()
      await using it = await scene({ transport, opts: { eventHandler } })
      const streamRef = gun.post(it.connPid, '/', {})
      gun.data(it.connPid, streamRef, 'nofin', 'part')
      const { streamId } = await it.peer.request()
      await it.peer.frame(h2.types.DATA, streamId)
      // RFC 9113 section 8.1: the client must not discard the response for it.
      await it.peer.send([h2.headers(streamId, ok), h2.data(streamId, 'whole', { endStream: true })])
      if (isLate) await it.seen()
      await it.peer.send(h2.rstStream(streamId, h2.errorCodes.NO_ERROR))
      assert.deepEqual(await it.story(streamRef), ['response 200 nofin', 'data whole fin'])
      await it.seen()
      assert.deepEqual([...told].sort(), ['cancel remote no_error', 'responseEnd'])
      gun.data(it.connPid, streamRef, 'fin', 'more')
      assert.deepEqual(await it.heard(1), ['stream: badstate badstate'])
      const next = gun.get(it.connPid, '/')
      const { streamId: nextId } = await it.peer.request()
      await it.peer.send(h2.headers(nextId, NO_CONTENT, { endStream: true }))
      assert.deepEqual(await it.story(next), ['response 204 fin'])
      assert.equal(gun.streamInfo(it.connPid, streamRef), undefined)
    },
  )
}
