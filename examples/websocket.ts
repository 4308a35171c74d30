/**
 * The main use: a process owns a connection, upgrades it, exchanges frames and receives selectively.
 *
 *   npm start                          starts a local server and talks to it
 *   npm start -- ws://host:port/path   talks to a server of your choice (ws:// or wss://)
 *   npm start -- --observe             goes on until it is interrupted, and prints where an observer shows it
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import * as gun from '@holster/gun'
import { startObserver } from '@holster/observer'
import { P, type Process, ReceiveTimeout, spawn } from '@holster/process'
import { type LocalServer, startServer } from './local-server.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { observe: { type: 'boolean', default: false } },
})
const [address] = positionals
if (values.observe) await startObserver()
const server: LocalServer | undefined = address === undefined ? await startServer() : undefined
const url = new URL(address ?? `ws://127.0.0.1:${server?.port}/websocket`)

async function main(self: Process<gun.GunMessage>): Promise<void> {
  const isTls = url.protocol === 'wss:'
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const port = url.port === '' ? (isTls ? 443 : 80) : Number(url.port)
  const connPid = gun.open(host, port, {
    owner: self,
    transport: isTls ? 'tls' : 'tcp',
    protocols: ['http'],
    retry: 0,
  })
  self.monitor(connPid)
  console.log(`${self} opened ${connPid} to ${url.host}`)

  const protocol = await gun.awaitUp(connPid)
  console.log(`gun_up: the connection speaks ${protocol}`)

  const streamRef = gun.wsUpgrade(connPid, url.pathname + url.search)
  const answer = await self.receive(
    [
      { type: 'gun_upgrade', connPid, streamRef, protocols: ['websocket'] },
      { type: 'gun_response', connPid, streamRef },
      { type: 'gun_error', connPid, streamRef },
    ],
    5000,
  )
  console.log(answer)
  if (answer.type !== 'gun_upgrade') throw new Error('ws_upgrade_failed', { cause: answer })

  console.log('Sending a text frame, a binary frame and a ping, in one write.')
  gun.wsSend(connPid, streamRef, [['text', 'Hello!'], ['binary', Buffer.from('01234567', 'hex')], 'ping'])

  // Selective: the receive takes the binary frame first, although the text frame is ahead of it in the
  // mailbox.
  const binary = await self.receive([{ type: 'gun_ws', streamRef, frame: ['binary', P.any] }], 5000)
  const text = await self.receive([{ type: 'gun_ws', streamRef, frame: ['text', P.string] }], 5000)
  console.log(binary)
  console.log(text)

  console.log('Waiting 100 ms for a frame that nobody sends.')
  const outcome = await self.receive([{ type: 'gun_ws', streamRef }], 100).catch((error: unknown) => error)
  if (!(outcome instanceof ReceiveTimeout)) throw new Error('an unexpected frame', { cause: outcome })
  console.log(`${outcome}`)

  if (values.observe) console.log('A frame every second from here on, until you interrupt it with Ctrl-C.')
  while (values.observe) {
    gun.wsSend(connPid, streamRef, ['text', 'Hello!'])
    await self.receive([{ type: 'gun_ws', streamRef }], 5000)
    await sleep(1000)
  }

  gun.wsSend(connPid, streamRef, 'close')
  for (;;) {
    const message = await self.receive([{ connPid }, { type: 'DOWN', pid: connPid }], 5000)
    console.log(message)
    if (message.type === 'DOWN') return
  }
}

const reason = await spawn(main).exited
await server?.[Symbol.asyncDispose]()
console.log(`The process exited: ${reason}`)
process.exitCode = reason === 'normal' ? 0 : 1
