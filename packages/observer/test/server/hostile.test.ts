// A viewer that breaks the rules harms itself alone: neither the program nor those who look beside it.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startObserver } from '@holster/observer'
import { SOCKET_PATH } from '../../src/words.ts'
import { observed, Viewer } from '../support/viewer.ts'

const POLICY_VIOLATION = 1008
const UPGRADE = [
  `GET ${SOCKET_PATH} HTTP/1.1`,
  'Host: localhost',
  'Connection: upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==',
  '\r\n',
].join('\r\n')

/** Asks for the WebSocket by hand, and gives the socket and the status line of the answer. Neither side closes of its own accord. */
async function upgrade(
  port: number,
  token = '',
): Promise<{ readonly socket: Socket; readonly status: string }> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  // The observer may reset it.
  socket.on('error', () => {})
  socket.write(UPGRADE.replace('\r\n\r\n', `\r\nAuthorization: Bearer ${token}\r\n\r\n`))
  const [answer] = await once(socket, 'data')
  return { socket, status: String(answer).split('\r\n', 1)[0] ?? '' }
}

/** Makes a frame of a client, masked with zeros. */
function frame(first: number, text: string): Buffer {
  const payload = Buffer.from(text)
  const long = payload.length > 125
  const head = Buffer.from([
    first,
    0x80 | (long ? 126 : payload.length),
    ...(long ? [payload.length >> 8, payload.length & 255] : []),
    0,
    0,
    0,
    0,
  ])
  return Buffer.concat([head, payload])
}

const TEXT = 0x81
const PING = 0x89
/** A frame of a kind that RFC 6455 does not know. */
const UNKNOWN = 0xff

describe('a viewer that breaks the rules', () => {
  const site = observed()

  for (const [what, said] of [
    ['words that nobody knows, in long characters', JSON.stringify({ type: '世'.repeat(100), id: 1 })],
    ['half a character where the reason is cut', JSON.stringify({ type: '😀'.repeat(100), id: 1 })],
    ['no JSON, in long characters', '世'.repeat(1000)],
    ['lists within lists', '['.repeat(30_000)],
  ] as const) {
    test(`is sent away when it says ${what}`, async () => {
      using viewer = await Viewer.open(site.observer)
      viewer.say(said)
      assert.equal(await viewer.closed(), POLICY_VIOLATION)
    })
  }
})

test('an observer stops though who was refused does not close', async () => {
  const observer = await startObserver({ log: false, token: true })
  const { socket, status } = await upgrade(observer.port)
  assert.equal(status.trim(), 'HTTP/1.1 401')
  await observer.stop()
  socket.destroy()
})

describe('a program that is done ends', () => {
  // Held up for twenty seconds it ends with another code.
  const code = `
    import { startObserver } from '@holster/observer'
    const { port } = await startObserver({ log: false })
    process.once('message', () => {
      process.disconnect()
      setTimeout(() => process.exit(3), 20_000).unref()
    })
    process.send(port)
  `
  const cwd = fileURLToPath(new URL('../..', import.meta.url))

  for (const [what, sent] of [
    ['has nothing to say', undefined],
    ['is sent away and does not answer', frame(TEXT, 'nonsense')],
    ['breaks the protocol and does not answer', frame(UNKNOWN, 'nonsense')],
  ] as const) {
    test(`though a viewer ${what}`, async () => {
      const args = ['--input-type=module', '--eval', code]
      const child = spawn(process.execPath, args, { cwd, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
      const ended = once(child, 'exit')
      const [port] = await once(child, 'message')
      const { socket } = await upgrade(port as number)
      if (sent !== undefined) {
        socket.write(sent)
        // The close that the observer sends.
        await once(socket, 'data')
      }
      child.send('end')
      assert.deepEqual(await ended, [0, null])
      socket.destroy()
    })
  }
})

describe('a viewer that reads nothing', () => {
  const site = observed({ allowActions: true })
  // The question repeats the message.
  const action = {
    type: 'send',
    subject: { kind: 'process', node: 'here', id: '#Process<1>' },
    message: `'${'x'.repeat(9000)}'`,
  }
  const act = JSON.stringify({ type: 'act', id: 1, action })

  for (const [what, bytes] of [
    ['asks', frame(TEXT, act)],
    ['pings', frame(PING, 'x'.repeat(125))],
  ] as const) {
    test(`is sent away if it ${what} without end`, async () => {
      const { socket } = await upgrade(site.observer.port, site.observer.token)
      socket.pause()
      const many = Buffer.concat(Array.from({ length: 100 }, () => bytes))
      await new Promise<void>(resolve => {
        // The error of a write comes before the close.
        const write = () => socket.write(many, error => error || setImmediate(write))
        socket.on('close', () => resolve())
        write()
      })
    })
  }
})
