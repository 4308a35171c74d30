/**
 * A lively program to look at: supervisors that restart, fifty feeds in reconnect, mailboxes over their marks, a pool under load,
 * threads.
 *
 *   npm run demo                  prints where the observer is, and runs until it is interrupted
 *   npm run demo -- --port 4010   on a port of your choice
 *   npm run demo -- --actions     lets those who look end processes and close connections
 */

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import * as gun from '@holster/gun'
import { startNode, workers } from '@holster/node'
import { startObserver } from '@holster/observer'
import { type ChildSpec, genServer, supervisor } from '@holster/otp'
import { P, setExitHook, spawn, whereis } from '@holster/process'
import { WebSocketServer } from 'ws'

const { values } = parseArgs({
  options: { port: { type: 'string', default: '0' }, actions: { type: 'boolean', default: false } },
})

// Crashes are part of the show.
setExitHook(() => {})
await startNode({ name: 'demo' })
await startObserver({ port: Number(values.port), allowActions: values.actions, recordSpawns: true })
await workers(2)

// A server that answers slowly, sends prices, and drops some of its clients every few seconds.
const http = createServer((_request, response) => {
  setTimeout(() => response.end('ok'), 50 + Math.random() * 200)
})
const webSockets = new WebSocketServer({ server: http })
webSockets.on('connection', socket => {
  const price = () => JSON.stringify({ price: Math.round(Math.random() * 1000) })
  const timer = setInterval(() => socket.send(price()), 200)
  socket.on('close', () => clearInterval(timer))
})
http.listen(0, '127.0.0.1')
await once(http, 'listening')
const { port } = http.address() as AddressInfo
setInterval(() => {
  for (const socket of webSockets.clients) if (Math.random() < 0.3) socket.terminate()
}, 3000)

/** A process that reads one feed for ever. Every second feed is on a port where nobody listens. */
const feed = (n: number): ChildSpec => ({
  id: `feed-${n}`,
  start: parent =>
    parent.spawnLink<gun.GunMessage>(async self => {
      self.label = `feed ${n}`
      const connPid = gun.open('127.0.0.1', n % 2 === 0 ? port : 1, {
        owner: self,
        retry: Number.POSITIVE_INFINITY,
        retryTimeout: 2000,
      })
      for (;;) {
        const message = await self.receive([{ connPid }])
        if (message.type === 'gun_up') gun.wsUpgrade(connPid, `/prices/${n}`)
      }
    }),
})

/** A server that counts, and crashes now and then. */
const counter = genServer.define({
  init: () => ['ok', 0],
  handleInfo: (_tick: 'tick', count: number) => {
    if (Math.random() < 0.02) throw new Error('the counter has had enough')
    return ['noreply', count + 1]
  },
})

const counters = ['apples', 'pears', 'plums']
const often = 1_000_000
await supervisor.start(
  {
    intensity: often,
    children: [
      supervisor.childSpec({
        id: 'feeds',
        intensity: often,
        children: Array.from({ length: 50 }, (_, n) => feed(n)),
      }),
      supervisor.childSpec({
        id: 'counters',
        strategy: 'one_for_all',
        intensity: often,
        children: counters.map(name => genServer.childSpec(counter, undefined, { name })),
      }),
    ],
  },
  { name: 'demo' },
)
setInterval(() => {
  for (const name of counters) whereis(name)?.send('tick')
}, 100)

/** Does nothing but wait for what nobody sends, while other messages pile up. */
const stuck = spawn<{ type: 'order' | 'payment'; n: number; password: string }>(
  async self => {
    self.label = 'waits for a payment'
    await self.receive([{ type: 'payment' }])
  },
  { name: 'stuck', highWaterMark: { messages: 100 } },
)
let orders = 0
setInterval(() => {
  if (stuck.messageQueueLength < 2000) stuck.send({ type: 'order', n: orders++, password: 'sesame' })
}, 20)

/** Is slower than its connection, which is paused meanwhile. */
spawn<gun.GunMessage>(
  async self => {
    self.label = 'reads slowly'
    const connPid = gun.open('127.0.0.1', port, { owner: self, retry: often })
    for (;;) {
      const message = await self.receive([{ connPid }])
      if (message.type === 'gun_up') gun.wsUpgrade(connPid, '/prices/slow', {}, { reupgrade: true })
      if (message.type === 'gun_ws') await sleep(1000)
    }
  },
  { name: 'slow', highWaterMark: { messages: 10 } },
)

/** Asks a pool for more than it has. */
const pool = gun.pool.startPool('127.0.0.1', port, { size: 4 })
await gun.pool.awaitUp(pool)
const headers = { host: `127.0.0.1:${port}` }
for (let n = 0; n < 20; n++) {
  spawn<gun.GunMessage>(async self => {
    self.label = `customer ${n}`
    for (;;) {
      const streamRef = gun.pool.get(`/goods/${n}`, headers, { replyTo: self })
      const answer = [
        { type: 'gun_data', streamRef, isFin: 'fin' },
        { type: 'gun_response', streamRef, isFin: 'fin' },
        { type: 'gun_error', streamRef },
      ] as const
      await self.receive(answer)
      self.flush({ streamRef, type: P.string })
    }
  })
}
