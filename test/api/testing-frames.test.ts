/** Examples of the pages on frames as bytes: the regions are shown there, and what is around them shows that they are true. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as gun from '@holster/gun'
import { createProcess } from '@holster/process'
import { acceptUpgrade, startServer } from '@holster/testing'
import {
  accept,
  closePayload,
  decode,
  encode,
  frame,
  opcodes,
  parseClientFrames,
  receiveFrame,
  switchingProtocols,
} from '@holster/testing/frames'

const owner = () => createProcess<gun.GunMessage>()

test('a server breaks the rules with a frame that claims more than it has', async () => {
  await using self = owner()
  // #region testing/frames/frame, testing/frames/types/FrameOptions, testing/frames/opcodes
  await using server = await startServer(async peer => {
    await acceptUpgrade(peer)
    await peer.send(frame({ opcode: opcodes.text, payload: 'Hello', rsv2: true }))
    await peer.closed
  })
  const connPid = gun.open(server.host, server.port, { owner: self, retry: 0 })
  const streamRef = gun.wsUpgrade(connPid, '/')
  const { reason } = await self.receive([{ type: 'gun_error', streamRef }])
  // #endregion
  assert.equal(reason.code, 'badframe')
})

test('an upgrade and a frame come in one write', async () => {
  await using self = owner()
  // #region testing/frames/switchingProtocols, testing/frames/encode, testing/frames/receiveFrame, testing/frames/decode
  await using server = await startServer(async peer => {
    const request = await peer.receiveRequest()
    await peer.send(Buffer.concat([Buffer.from(switchingProtocols(request)), encode(['text', 'first'])]))
    const answer = decode(await receiveFrame(peer))
    await peer.send(encode(['text', `you said ${answer[1]}`]))
    await peer.closed
  })
  const connPid = gun.open(server.host, server.port, { owner: self })
  const streamRef = gun.wsUpgrade(connPid, '/')
  const first = await self.receive([{ type: 'gun_ws', streamRef }])
  gun.wsSend(connPid, streamRef, first.frame)
  const second = await self.receive([{ type: 'gun_ws', streamRef }])
  // #endregion
  assert.deepEqual(second.frame, ['text', 'you said first'])
  gun.close(connPid)
})

test('a close frame has a code that nobody may send', async () => {
  await using self = owner()
  // #region testing/frames/closePayload
  await using server = await startServer(async peer => {
    await acceptUpgrade(peer)
    await peer.send(frame({ opcode: opcodes.close, payload: closePayload(1006, 'not allowed') }))
    await peer.closed
  })
  const connPid = gun.open(server.host, server.port, { owner: self, retry: 0 })
  const streamRef = gun.wsUpgrade(connPid, '/')
  const { reason } = await self.receive([{ type: 'gun_error', streamRef }])
  // #endregion
  assert.equal(reason.code, 'badframe')
})

test('bytes are taken apart into frames', () => {
  // #region testing/frames/parseClientFrames
  const bytes = frame({ opcode: opcodes.text, payload: 'Hello', masked: true })
  const { frames, rest } = parseClientFrames(Buffer.concat([bytes, bytes.subarray(0, 3)]))
  // #endregion
  assert.deepEqual(frames.map(decode), [['text', 'Hello']])
  assert.equal(rest.length, 3)
})

test('a key has its answer', () => {
  // #region testing/frames/accept
  const answer = accept('dGhlIHNhbXBsZSBub25jZQ==') // the example of RFC 6455 section 1.3
  // #endregion
  assert.equal(answer, 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=')
})
