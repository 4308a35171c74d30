import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkFrames, isSendable } from '../../src/websocket/frame.ts'
import type { WsFrame } from '../../src/words.ts'

const bytes = Uint8Array.of(1, 2, 3)

/** What only somebody without types can write. */
function refuse(frames: unknown, message: RegExp): void {
  assert.throws(() => checkFrames(frames as WsFrame), { name: 'TypeError', message })
}

test('one frame of each kind becomes a list of that frame', () => {
  const frames: WsFrame[] = [
    'close',
    'ping',
    'pong',
    ['text', ''],
    ['text', 'Hello!'],
    ['binary', bytes],
    ['binary', new Uint8Array()],
    ['ping', bytes],
    ['pong', bytes],
    ['close', 'bye'],
    ['close', 1000, ''],
    ['close', 4999, 'bye'],
  ]
  for (const frame of frames) assert.deepEqual(checkFrames(frame), [frame])
})

test('a list of frames stays as it is, the empty one too', () => {
  assert.deepEqual(checkFrames([]), [])
  const list: WsFrame[] = [['text', 'a'], 'ping', ['binary', bytes], ['close', 1000, 'b']]
  assert.deepEqual(checkFrames(list), list)
})

test('a text whose content is the name of a frame is one frame', () => {
  for (const name of ['close', 'ping', 'pong', 'text']) {
    assert.deepEqual(checkFrames(['text', name]), [['text', name]])
  }
})

test('a close whose reason is the name of a frame is one frame', () => {
  for (const name of ['close', 'ping', 'pong'] as const) {
    assert.deepEqual(checkFrames(['close', name]), [['close', name]])
  }
})

test('ping and pong are one frame with bytes, and else the beginning of a list', () => {
  assert.deepEqual(checkFrames(['ping', bytes]), [['ping', bytes]])
  assert.deepEqual(checkFrames(['pong', bytes]), [['pong', bytes]])
  assert.deepEqual(checkFrames(['ping', 'pong']), ['ping', 'pong'])
  assert.deepEqual(checkFrames(['pong', 'ping', 'close']), ['pong', 'ping', 'close'])
  assert.deepEqual(checkFrames(['ping', ['text', 'a']]), ['ping', ['text', 'a']])
  assert.deepEqual(checkFrames(['ping']), ['ping'])
})

test('a close without code or reason may begin a list', () => {
  assert.deepEqual(checkFrames(['close']), ['close'])
  assert.deepEqual(checkFrames(['close', ['text', 'a']]), ['close', ['text', 'a']])
})

test('a frame that is none is refused by a TypeError that says where it is', () => {
  refuse(undefined, /^frames is not a frame: undefined/)
  refuse('text', /^frames is not a frame: 'text'/)
  refuse(42, /^frames is not a frame: 42/)
  refuse({}, /^frames is not a frame: \{\}/)
  refuse(bytes, /^frames is not a frame: Uint8Array/)
  refuse(['text', 42], /^frames: text takes one string/)
  refuse(['text'], /^frames: text takes one string/)
  refuse(['text', 'a', 'b'], /^frames: text takes one string/)
  refuse(['binary', 'a'], /^frames: binary takes one Uint8Array/)
  refuse(['binary', new ArrayBuffer(1)], /^frames: binary takes one Uint8Array/)
  refuse([['ping', 'a']], /^frames\[0\]: ping takes one Uint8Array/)
  refuse(
    [
      ['text', 'a'],
      ['txet', 'b'],
    ],
    /^frames\[1\]: no frame is called 'txet'/,
  )
  refuse([['text', 'a'], undefined], /^frames\[1\] is not a frame/)
  refuse(['close', 1000], /^frames: close takes a reason, or a code and a reason/)
  refuse(['close', 1000, 'a', 'b'], /^frames: close takes a reason, or a code and a reason/)
  refuse([[]], /^frames\[0\]: no frame is called undefined/)
})

test('a frame that is none shows the right one', () => {
  refuse('hello', /^frames is not a frame: 'hello'; text is sent as \['text', 'hello'\]$/)
  refuse(['txt', 'hello'], /^frames: no frame is called 'txt'; text is sent as \['text', 'hello'\]$/)
  refuse(['bin', bytes], /^frames: no frame is called 'bin'; bytes are sent as \['binary', bytes\]$/)
  refuse([['txt', 'hello']], /^frames\[0\]: no frame is called 'txt'; text is sent as \['text', 'hello'\]$/)
  refuse(['hello', 'ping'], /^frames\[0\] is not a frame: 'hello'; text is sent as \['text', 'hello'\]$/)
  refuse(bytes, /; bytes are sent as \['binary', bytes\]$/)
  refuse(['text', bytes], /^frames: text takes one string; bytes are sent as \['binary', bytes\]$/)
  refuse(['text', 42], /^frames: text takes one string; as in \['text', 'hello'\]$/)
  refuse(['binary', 'hello'], /^frames: binary takes one Uint8Array; text is sent as \['text', 'hello'\]$/)
  refuse(
    ['ping', 'hello'],
    /^frames: ping takes one Uint8Array, as in \['ping', Buffer.from\('hello'\)\], or nothing: 'ping'$/,
  )
  refuse({ type: 'text' }, /; a frame is 'close', 'ping', 'pong', or a tuple such as \['text', 'hello'\]$/)
  refuse('a'.repeat(1000), /^.{1,120}$/)
})

test('a control frame carries 125 bytes and not one more', () => {
  for (const name of ['ping', 'pong'] as const) {
    assert.equal(checkFrames([name, new Uint8Array(125)]).length, 1)
    refuse([name, new Uint8Array(126)], /at most 125 bytes/)
  }
})

test('a close reason has 123 bytes of UTF-8 and not one more', () => {
  assert.equal(checkFrames(['close', 1000, 'a'.repeat(123)]).length, 1)
  refuse(['close', 1000, 'a'.repeat(124)], /at most 123 bytes, not 124/)
  assert.equal(checkFrames(['close', `a${'é'.repeat(61)}`]).length, 1)
  refuse(['close', 'é'.repeat(62)], /at most 123 bytes, not 124/)
})

test('only the close codes of RFC 6455 may be sent', () => {
  const sendable = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1014, 3000, 3999, 4000, 4999]
  const others = [-1, 0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65536, 1000.5, Number.NaN]
  for (const code of sendable) assert.equal(isSendable(code), true, `${code}`)
  for (const code of others) {
    assert.equal(isSendable(code), false, `${code}`)
    refuse(['close', code, ''], /is not a close code that may be sent/)
  }
})
