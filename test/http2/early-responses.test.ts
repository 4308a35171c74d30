// Responses of HTTP/2 that come while the server's window still holds up the body of their request.

import assert from 'node:assert/strict'
import * as gun from '@holster/gun'
import { onEachTransport } from '../support/http-scene.ts'
import * as h2 from '../support/http2-frames.ts'
import { ok, type Scene, scene, sentTo } from '../support/http2-scene.ts'

const WINDOW = 10
const BODY = 'x'.repeat(WINDOW + 15)

/** A request whose body is given in this way, of which as much as the window allows has come. */
async function blocked(
  it: Scene,
  send: (it: gun.ConnPid) => gun.StreamRef,
): Promise<{ streamRef: gun.StreamRef; streamId: number }> {
  // Else the body would leave before the window is known.
  await it.seen()
  const streamRef = send(it.connPid)
  const { streamId } = await it.peer.request()
  for (let size = 0; size < WINDOW; ) size += (await it.peer.frame(h2.types.DATA, streamId)).payload.length
  await it.seen()
  assert.equal(await sizeOf(it, streamId), WINDOW)
  return { streamRef, streamId }
}

/** How much of a body has come so far. */
async function sizeOf(it: Scene, streamId: number): Promise<number> {
  await it.seen()
  return it.peer.frames
    .filter(each => each.type === h2.types.DATA && each.streamId === streamId)
    .reduce((size, { payload }) => size + payload.length, 0)
}

async function goesOn(it: Scene): Promise<void> {
  const get = gun.get(it.connPid, '/get')
  const post = gun.post(it.connPid, '/post', {}, 'y'.repeat(WINDOW))
  for (const [streamRef, body] of [
    [get, ''],
    [post, 'y'.repeat(WINDOW)],
  ] as const) {
    const { streamId, isFin } = await it.peer.request()
    if (isFin === 'nofin') assert.equal(String(await it.peer.body(streamId)), body)
    await it.peer.send(h2.headers(streamId, [[':status', '204']], { endStream: true }))
    assert.deepEqual(await it.story(streamRef), ['response 204 fin'])
  }
  assert.deepEqual(await it.waiting(), [])
  assert.equal(it.server.connections, 1)
}

const early = (streamId: number): Buffer[] => [
  h2.headers(streamId, ok),
  h2.data(streamId, 'early', { endStream: true }),
]
const EARLY = ['response 200 nofin', 'data early fin']

const whole = (connPid: gun.ConnPid): gun.StreamRef => gun.post(connPid, '/', {}, BODY)
const complete = (connPid: gun.ConnPid): gun.StreamRef => {
  const streamRef = begun(connPid)
  gun.data(connPid, streamRef, 'fin', '')
  return streamRef
}
const begun = (connPid: gun.ConnPid): gun.StreamRef => {
  const streamRef = gun.post(connPid, '/', {})
  gun.data(connPid, streamRef, 'nofin', BODY)
  return streamRef
}

for (const [what, send] of [
  ['that was given whole', whole],
  ['that was given in parts', complete],
  ['of which more is to come', begun],
] as const) {
  for (const [how, isLater] of [
    ['behind', false],
    ['that comes later than', true],
  ] as const) {
    onEachTransport(
      `a response ahead of a body ${what} is complete, and a reset ${how} it ends that body`,
      async transport => {
        await using it = await scene({ transport, server: { settings: { INITIAL_WINDOW_SIZE: WINDOW } } })
        const { streamRef, streamId } = await blocked(it, send)
        const reset = h2.rstStream(streamId, h2.errorCodes.NO_ERROR)
        await it.peer.send([...early(streamId), ...(isLater ? [] : [reset])])
        assert.deepEqual(await it.story(streamRef), EARLY)
        if (isLater) await it.peer.send(reset)
        assert.equal(await sizeOf(it, streamId), WINDOW)
        assert.equal(gun.streamInfo(it.connPid, streamRef), undefined)
        gun.data(it.connPid, streamRef, 'fin', 'more')
        assert.deepEqual(await it.heard(1), ['stream: badstate badstate'])
        await goesOn(it)
        assert.equal(await sizeOf(it, streamId), WINDOW)
        assert.ok(!sentTo(it.peer).some(text => text.startsWith('RST')))
      },
    )
  }

  onEachTransport(
    `a response ahead of a body ${what} is complete, and that body goes on without a reset`,
    async transport => {
      await using it = await scene({ transport, server: { settings: { INITIAL_WINDOW_SIZE: WINDOW } } })
      const { streamRef, streamId } = await blocked(it, send)
      await it.peer.send(early(streamId))
      assert.deepEqual(await it.story(streamRef), EARLY)
      await goesOn(it)
      assert.equal(await sizeOf(it, streamId), WINDOW)
      if (send === begun) gun.data(it.connPid, streamRef, 'fin', '')
      await it.peer.send(h2.windowUpdate(streamId, BODY.length))
      const rest = String(await it.peer.body(streamId))
      assert.equal(rest, BODY.slice(WINDOW))
      assert.equal(gun.streamInfo(it.connPid, streamRef), undefined)
      await goesOn(it)
    },
  )
}

for (const [what, status, fields] of [
  ['a response without a body', '200', []],
  ['a response that has not changed, with the length of what it is about', '304', [['content-length', '5']]],
] as const) {
  for (const code of [undefined, h2.errorCodes.NO_ERROR, h2.errorCodes.CANCEL]) {
    const behind = code === undefined ? '' : `, and a reset with ${code} is behind it`
    onEachTransport(
      `${what} may end with an empty DATA frame while a body is under way${behind}`,
      async transport => {
        await using it = await scene({ transport, server: { settings: { INITIAL_WINDOW_SIZE: WINDOW } } })
        const { streamRef, streamId } = await blocked(it, begun)
        await it.peer.send(
          Buffer.concat([
            h2.headers(streamId, [[':status', status], ...fields]),
            h2.data(streamId, '', { endStream: true }),
            ...(code === undefined ? [] : [h2.rstStream(streamId, code)]),
          ]),
        )
        assert.deepEqual(await it.story(streamRef), [`response ${status} nofin`, 'data  fin'])
        if (code === undefined) gun.cancel(it.connPid, streamRef)
        await it.seen()
        assert.equal(gun.streamInfo(it.connPid, streamRef), undefined)
        await goesOn(it)
      },
    )
  }
}

onEachTransport(
  'a body that was begun, and whose response is complete, can be cancelled',
  async transport => {
    await using it = await scene({ transport, server: { settings: { INITIAL_WINDOW_SIZE: WINDOW } } })
    const { streamRef, streamId } = await blocked(it, begun)
    await it.peer.send(early(streamId))
    assert.deepEqual(await it.story(streamRef), EARLY)
    gun.cancel(it.connPid, streamRef)
    await it.seen()
    assert.deepEqual(await it.waiting(), [])
    assert.equal(h2.readRstStream(await it.peer.frame(h2.types.RST_STREAM, streamId)), 'CANCEL')
    await goesOn(it)
  },
)

onEachTransport(
  'others wait for the window of the connection that a body which was reset has used up, and no longer',
  async transport => {
    await using it = await scene({ transport, server: { settings: { INITIAL_WINDOW_SIZE: 1_000_000 } } })
    await it.seen()
    const streamRef = gun.post(it.connPid, '/', {}, 'x'.repeat(100_000))
    const { streamId } = await it.peer.request()
    while ((await sizeOf(it, streamId)) < 65_535) await it.peer.frame(h2.types.DATA, streamId)
    await it.peer.send([...early(streamId), h2.rstStream(streamId, h2.errorCodes.NO_ERROR)])
    assert.deepEqual(await it.story(streamRef), EARLY)
    const next = gun.post(it.connPid, '/next', {}, 'next')
    const { streamId: nextId } = await it.peer.request()
    assert.equal(await sizeOf(it, nextId), 0)
    await it.peer.send(h2.windowUpdate(0, 65_535))
    assert.equal(String(await it.peer.body(nextId)), 'next')
    await it.peer.send(h2.headers(nextId, [[':status', '204']], { endStream: true }))
    assert.deepEqual(await it.story(next), ['response 204 fin'])
    assert.equal(await sizeOf(it, streamId), 65_535)
    await goesOn(it)
  },
)
