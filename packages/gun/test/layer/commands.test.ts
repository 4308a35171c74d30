// Commands as data: how many bytes each gives to be sent, and with which of them a stream begins.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConnPid, StreamRef } from '../../src/handles.ts'
import { begins, bytesOf, COMMAND_NAMES, type Command } from '../../src/layer/commands.ts'
import { goalOf } from '../../src/tunnel/goal.ts'
import type { WsFrame } from '../../src/words.ts'

const connPid = new ConnPid({ owner: { send() {} }, watch: () => undefined, shutdown() {}, close() {} })
const streamRef = new StreamRef(connPid, () => {})
const bytes = Buffer.alloc(5)

const request: Command = {
  type: 'request',
  streamRef,
  method: 'POST',
  path: '/',
  headers: [['content-length', '5']],
  isChecked: true,
  body: bytes,
  flow: undefined,
}
const data: Command = { type: 'data', streamRef, isFin: 'nofin', data: bytes, isToldToWait: false }

/** One command of each type. */
const commands: readonly Command[] = [
  request,
  { type: 'upgrade', streamRef, path: '/', headers: [], isChecked: true, opts: {} },
  {
    type: 'connect',
    streamRef,
    goal: goalOf({ host: 'localhost', port: 80 }),
    headers: [],
    isChecked: true,
    flow: undefined,
  },
  { type: 'ping', streamRef },
  data,
  { type: 'trailers', streamRef, headers: [['checksum', '12345']] },
  { type: 'cancel', streamRef, wasOpen: true },
  { type: 'flow', streamRef, increment: 5 },
  frames('ping'),
]

function frames(...list: readonly WsFrame[]): Command {
  return { type: 'frames', streamRef, frames: list, isToldToWait: false }
}

test('each type of command has a name for texts', () => {
  assert.deepEqual(commands.map(({ type }) => type).sort(), Object.keys(COMMAND_NAMES).sort())
})

test('a stream begins with a request, an upgrade, a tunnel or a ping', () => {
  assert.deepEqual(
    commands.filter(begins).map(({ type }) => type),
    ['request', 'upgrade', 'connect', 'ping'],
  )
})

test('data counts with its bytes, and no other command but frames counts', () => {
  assert.deepEqual(
    commands.filter(command => bytesOf(command) > 0),
    [data],
  )
  assert.equal(bytesOf(data), 5)
})

const payloads: readonly (readonly [WsFrame, number])[] = [
  ['close', 0],
  ['ping', 0],
  ['pong', 0],
  [['text', 'hello'], 5],
  [['text', ''], 0],
  [['binary', bytes], 5],
  [['ping', Buffer.alloc(3)], 3],
  [['pong', new Uint8Array(4)], 4],
  [['close', 'bye'], 3],
  [['close', 1000, 'goodbye'], 7],
]

for (const [frame, size] of payloads) {
  test(`the frame ${JSON.stringify(frame)} counts with the ${size} of its payload`, () => {
    assert.equal(bytesOf(frames(frame)), size)
  })
}

test('frames count together, and none count nothing', () => {
  assert.equal(bytesOf(frames(...payloads.map(([frame]) => frame))), 27)
  assert.equal(bytesOf(frames()), 0)
})
