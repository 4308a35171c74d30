/** Examples of the pages on the error codes of streams: how each comes about, and how a program tells it from others. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import * as gun from '@holster/gun'
import { createProcess, setExitHook } from '@holster/process'
import { acceptUpgrade, startHttpServer, startServer } from '@holster/testing'
import * as frames from '../support/http2-frames.ts'

const owner = () => createProcess<gun.GunMessage>()

/** The settings of a server of HTTP/2, and its consent to those of the client. */
const HELLO = Buffer.concat([frames.settings(), frames.settingsAck()])

test('protocol_error comes for bytes that are no HTTP', async () => {
  await using self = owner()
  // #region gun/errors/protocol_error
  await using server = await startServer(peer => peer.send('certainly not HTTP\r\n\r\n'))
  const connPid = gun.open('localhost', server.port, { owner: self, retry: 0 })
  const streamRef = gun.get(connPid, '/')
  const { reason } = await self.receive([{ type: 'gun_error', streamRef }])
  const { code, message } = reason // the message quotes what came
  // #endregion
  assert.equal(code, 'protocol_error')
  assert.ok(message.length > 0)
})

test('closed comes when the server hangs up, socket_error when the connection is reset', async () => {
  await using self = owner()
  // #region gun/errors/closed
  await using tired = await startServer(async peer => {
    await peer.receiveRequest()
    peer.end()
  })
  const first = gun.open('localhost', tired.port, { owner: self, retry: 0 })
  const hungUp = await self.receive([{ type: 'gun_error', streamRef: gun.get(first, '/') }])
  // #endregion
  // #region gun/errors/socket_error
  await using rude = await startServer(async peer => {
    await peer.receiveRequest()
    peer.reset()
  })
  const second = gun.open('localhost', rude.port, { owner: self, retry: 0 })
  const broken = await self.receive([{ type: 'gun_error', streamRef: gun.get(second, '/') }])
  const systemError = broken.reason.cause // ECONNRESET
  // #endregion
  assert.equal(hungUp.reason.code, 'closed')
  assert.equal(broken.reason.code, 'socket_error')
  assert.match(String(systemError), /ECONNRESET/)
})

test('shutdown ends the streams that are open when this side closes, and closing refuses what comes behind', async () => {
  await using server = await startServer(peer => peer.closed)
  await using self = owner()
  const { port } = server
  // #region gun/errors/closing
  const leaving = gun.open('localhost', port, { owner: self })
  await gun.awaitUp(leaving)
  const open = gun.get(leaving, '/')
  gun.shutdown(leaving)
  const late = gun.get(leaving, '/')
  const refused = await self.receive([{ type: 'gun_error', streamRef: late }])
  // #endregion
  // #region gun/errors/shutdown
  gun.close(leaving)
  const ended = await self.receive([{ type: 'gun_error', streamRef: open }])
  // #endregion
  assert.equal(refused.reason.code, 'closing')
  assert.equal(ended.reason.code, 'shutdown')
})

test('badstate comes for a command that the stream cannot carry out', async () => {
  await using server = await startHttpServer(() => new Response('Hello'))
  await using self = owner()
  const connPid = gun.open('localhost', server.port, { owner: self })
  // #region gun/errors/badstate
  const streamRef = gun.get(connPid, '/')
  gun.data(connPid, streamRef, 'fin', 'a GET has no body')
  const { reason } = await self.receive([{ type: 'gun_error', streamRef }])
  // #endregion
  assert.equal(reason.code, 'badstate')
  gun.close(connPid)
})

test('not_supported comes where the server cannot make a WebSocket of a stream of HTTP/2', async () => {
  await using server = await startHttpServer(() => new Response('Hello'), { protocol: 'http2' })
  await using self = owner()
  const connPid = gun.open('localhost', server.port, { ...server.opts, owner: self, protocols: ['http2'] })
  await gun.awaitUp(connPid)
  // #region gun/errors/not_supported
  const streamRef = gun.wsUpgrade(connPid, '/websocket')
  const { reason } = await self.receive([{ type: 'gun_error', streamRef }])
  const isToBeOpenedOverHttp1 = reason.code === 'not_supported'
  // #endregion
  assert.ok(isToBeOpenedOverHttp1)
  gun.close(connPid)
})

test('cancelled tells a request behind a cancelled one whether it may be repeated', async () => {
  await using server = await startServer(peer => peer.closed)
  await using self = owner()
  const connPid = gun.open('localhost', server.port, {
    owner: self,
    retry: 0,
    httpOpts: { cancelTimeout: 10 },
  })
  await gun.awaitUp(connPid)
  // #region gun/errors/cancelled
  const hanging = gun.get(connPid, '/hangs')
  const behind = gun.get(connPid, '/behind')
  gun.cancel(connPid, hanging)
  const { reason } = await self.receive([{ type: 'gun_error', streamRef: behind }])
  const { code, message } = reason // a GET is idempotent: repeat it
  // #endregion
  assert.equal(code, 'cancelled')
  assert.match(message, /idempotent/)
})

test('stream_reset and refused_stream come from a server that resets a stream of HTTP/2', async () => {
  await using self = owner()
  const answers = [frames.errorCodes.INTERNAL_ERROR, frames.errorCodes.REFUSED_STREAM]
  await using server = await startServer(async (peer, index) => {
    await peer.send(Buffer.concat([HELLO, frames.rstStream(1, answers[index] ?? 0)]))
    await peer.closed
  })
  const { port } = server
  // #region gun/errors/stream_reset
  const first = gun.open('localhost', port, { owner: self, protocols: ['http2'] })
  const broken = await self.receive([{ type: 'gun_error', streamRef: gun.get(first, '/') }])
  // #endregion
  // #region gun/errors/refused_stream
  const second = gun.open('localhost', port, { owner: self, protocols: ['http2'] })
  const refused = await self.receive([{ type: 'gun_error', streamRef: gun.post(second, '/', {}, 'body') }])
  const isSafeToRepeat = refused.reason.code === 'refused_stream' // even a POST
  // #endregion
  assert.equal(broken.reason.code, 'stream_reset')
  assert.ok(isSafeToRepeat)
  for (const connPid of [first, second]) gun.close(connPid)
})

test('goaway comes from a server that gives up on the connection', async () => {
  await using self = owner()
  await using server = await startServer(async peer => {
    await peer.send(HELLO)
    await peer.receive(frames.PREFACE.length)
    await peer.send(frames.goaway(1, frames.errorCodes.INTERNAL_ERROR))
    await peer.closed
  })
  const { port } = server
  // #region gun/errors/goaway
  const connPid = gun.open('localhost', port, { owner: self, retry: 0, protocols: ['http2'] })
  const streamRef = gun.get(connPid, '/')
  const { reason } = await self.receive([{ type: 'gun_error', streamRef }])
  const { code, message } = reason // the message has the server's code
  // #endregion
  assert.equal(code, 'goaway')
  assert.match(message, /INTERNAL_ERROR/)
})

test('preface_timeout and settings_timeout come from a server that does not begin to speak HTTP/2', async () => {
  await using self = owner()
  await using server = await startServer(async (peer, index) => {
    if (index === 1) await peer.send(frames.settings())
    await peer.closed
  })
  const { port } = server
  // #region gun/errors/preface_timeout
  const silent = gun.open('localhost', port, {
    owner: self,
    retry: 0,
    protocols: [['http2', { prefaceTimeout: 20 }]],
  })
  const noSettings = await self.receive([{ type: 'gun_down', connPid: silent }])
  // #endregion
  // #region gun/errors/settings_timeout
  const deaf = gun.open('localhost', port, {
    owner: self,
    retry: 0,
    protocols: [['http2', { settingsTimeout: 20 }]],
  })
  const noAnswer = await self.receive([{ type: 'gun_down', connPid: deaf }])
  // #endregion
  const codes = [noSettings, noAnswer].map(({ reason }) => (reason === 'normal' ? reason : reason.code))
  assert.deepEqual(codes, ['preface_timeout', 'settings_timeout'])
})

test('bad_upgrade comes for an upgrade that the server has accepted with a wrong key', async () => {
  await using self = owner()
  // #region gun/errors/bad_upgrade
  await using server = await startServer(async peer => {
    await peer.receiveRequest()
    await peer.send(
      'HTTP/1.1 101 Fine\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: x\r\n\r\n',
    )
    await peer.closed
  })
  const connPid = gun.open('localhost', server.port, { owner: self, retry: 0 })
  const streamRef = gun.wsUpgrade(connPid, '/')
  const { reason } = await self.receive([{ type: 'gun_error', streamRef }])
  // #endregion
  assert.equal(reason.code, 'bad_upgrade')
})

test('badframe, badencoding and limit_reached end a WebSocket whose server breaks the rules', async () => {
  await using self = owner()
  const wrongs = [Buffer.of(0xff, 0x00), Buffer.of(0x81, 0x01, 0xff)]
  await using server = await startServer(async (peer, index) => {
    const socket = await acceptUpgrade(peer)
    const wrong = wrongs[index]
    if (wrong === undefined) await socket.send(['text', 'more than ten bytes'])
    else await peer.send(wrong)
    await peer.closed
  })
  const { port } = server
  // #region gun/errors/badframe, gun/errors/badencoding
  const codes: string[] = []
  for (let attempt = 0; attempt < 2; attempt++) {
    const connPid = gun.open('localhost', port, { owner: self, retry: 0 })
    const streamRef = gun.wsUpgrade(connPid, '/')
    const { reason } = await self.receive([{ type: 'gun_error', streamRef }])
    codes.push(reason.code)
  }
  // #endregion
  // #region gun/errors/limit_reached
  const connPid = gun.open('localhost', port, { owner: self, retry: 0 })
  const streamRef = gun.wsUpgrade(connPid, '/', {}, { maxPayload: 10 })
  const { reason } = await self.receive([{ type: 'gun_error', streamRef }])
  const { code, message } = reason // the message names the option
  // #endregion
  assert.deepEqual(codes, ['badframe', 'badencoding'])
  assert.equal(code, 'limit_reached')
  assert.match(message, /maxPayload/)
})

test('ratio_exceeded ends a body that grows too much when it is decoded', async () => {
  await using self = owner()
  const bomb = gzipSync(Buffer.alloc(32 * 1024 * 1024))
  await using server = await startHttpServer(
    () => new Response(bomb, { headers: { 'content-encoding': 'gzip' } }),
  )
  const { port } = server
  // #region gun/errors/ratio_exceeded
  const connPid = gun.open('localhost', port, {
    owner: self,
    httpOpts: { contentHandlers: [gun.decode({ maxRatio: 100 })] },
  })
  const streamRef = gun.get(connPid, '/bomb')
  const { reason } = await self.receive([{ type: 'gun_error', streamRef }])
  // #endregion
  assert.equal(reason.code, 'ratio_exceeded')
  gun.close(connPid)
})

test('keepalive_timeout comes from a server that answers no ping, closing_timeout from one that answers no close', async () => {
  await using self = owner()
  await using server = await startServer(async peer => {
    await acceptUpgrade(peer)
    await peer.closed
  })
  const { port } = server
  // #region gun/errors/keepalive_timeout
  const first = gun.open('localhost', port, { owner: self, retry: 0 })
  const silent = gun.wsUpgrade(first, '/', {}, { keepalive: 10, keepaliveTolerance: 1 })
  const lost = await self.receive([{ type: 'gun_error', streamRef: silent }])
  // #endregion
  // #region gun/errors/closing_timeout
  const second = gun.open('localhost', port, { owner: self, retry: 0 })
  const streamRef = gun.wsUpgrade(second, '/', {}, { closingTimeout: 20 })
  await self.receive([{ type: 'gun_upgrade', streamRef }])
  gun.wsSend(second, streamRef, 'close')
  const unanswered = await self.receive([{ type: 'gun_error', streamRef }])
  // #endregion
  assert.equal(lost.reason.code, 'keepalive_timeout')
  assert.equal(unanswered.reason.code, 'closing_timeout')
})

test('handler_error has the error that a handler threw as its cause', async () => {
  await using server = await startHttpServer(() => new Response('Hello'))
  await using self = owner()
  const { port } = server
  // #region gun/errors/handler_error
  const broken: gun.ContentHandler = {
    init: () => ({
      handle() {
        throw new Error('cannot read this')
      },
    }),
  }
  const connPid = gun.open('localhost', port, { owner: self, httpOpts: { contentHandlers: [broken] } })
  const streamRef = gun.get(connPid, '/')
  const { reason } = await self.receive([{ type: 'gun_error', streamRef }])
  const { code, cause } = reason
  // #endregion
  assert.equal(code, 'handler_error')
  assert.match(String(cause), /cannot read this/)
  gun.close(connPid)
})

test('owner_down is why a connection ends whose owner has crashed', async t => {
  const hook = setExitHook(() => {})
  t.after(() => setExitHook(hook))
  await using server = await startServer(peer => peer.closed)
  await using self = owner()
  const { port } = server
  // #region gun/errors/owner_down
  const leader = createProcess<gun.GunMessage>()
  const connPid = gun.open('localhost', port, { owner: leader })
  const ref = self.monitor(connPid)
  leader.exit('it broke')
  const { reason } = await self.receive([{ type: 'DOWN', ref }])
  const [, error] = reason as ['shutdown', gun.GunError] // its cause is the owner's reason
  // #endregion
  assert.equal(error.code, 'owner_down')
  assert.equal(error.cause, 'it broke')
})

test('timeout says what was waited for, and down that the connection has ended meanwhile', async () => {
  await using server = await startServer(peer => peer.closed)
  await using self = owner()
  const { port } = server
  // #region gun/errors/timeout
  const connPid = gun.open('localhost', port, { owner: self })
  const late: gun.GunError = await gun.awaitResponse(connPid, gun.get(connPid, '/'), 20).catch(error => error)
  // #endregion
  // #region gun/errors/down
  gun.close(connPid)
  gun.flush(connPid)
  const ended: gun.GunError = await gun.awaitUp(connPid).catch(error => error)
  // #endregion
  assert.equal(late.code, 'timeout')
  assert.equal(ended.code, 'down')
})
