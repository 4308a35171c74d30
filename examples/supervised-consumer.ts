/**
 * A supervised consumer of a WebSocket subscribes again when its server has restarted: the supervisor starts the connection anew,
 * with a pause that grows, and tells the consumer of each start.
 */

import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import * as gun from '@holster/gun'
import { genServer, supervisor } from '@holster/otp'
import type { From } from '@holster/process'
import { WebSocketServer } from 'ws'

interface Feed {
  readonly port: number
  kill(): Promise<void>
}

/** Starts a server that forgets its subscribers when it is killed, as servers do. */
async function startFeed(name: string, port = 0): Promise<Feed> {
  const server = new WebSocketServer({ host: '127.0.0.1', port })
  server.on('connection', socket => {
    socket.on('message', topic => {
      for (const n of [1, 2]) socket.send(`${topic} ${n} of ${name}`)
    })
  })
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async kill() {
      for (const socket of server.clients) socket.terminate()
      server.close()
      await once(server, 'close')
    },
  }
}

interface State {
  /** Messages that nobody has asked for yet. */
  readonly heard: readonly string[]
  /** The callers that wait for a message. */
  readonly waiting: readonly From<string>[]
}

const consumer = genServer.define({
  init: () => ['ok', { heard: [], waiting: [] } as State],
  handleCall: {
    next: (_request, from: From<string>, { heard, waiting }) => {
      const [first, ...rest] = heard
      if (first === undefined) return ['noreply', { heard, waiting: [...waiting, from] }]
      return ['reply', first, { heard: rest, waiting }]
    },
  },
  handleInfo: (message: gun.GunMessage | gun.GunStarted, state) => {
    switch (message.type) {
      case 'gun_started':
        gun.wsUpgrade(message.connPid, '/feed')
        break
      case 'gun_upgrade':
        console.log('subscribing')
        gun.wsSend(message.connPid, message.streamRef, ['text', 'news'])
        break
      case 'gun_down':
        console.log('the connection is lost')
        break
      case 'gun_ws': {
        const text = String(message.frame[1])
        const [from, ...waiting] = state.waiting
        if (from === undefined) return ['noreply', { ...state, heard: [...state.heard, text] }]
        genServer.reply(from, text)
        return ['noreply', { ...state, waiting }]
      }
    }
    return ['noreply', state]
  },
})

const first = await startFeed('the first server')
const tree = await supervisor.start({
  // If the consumer crashes, the connection that it owns is started anew too; the other way round the consumer lives on.
  strategy: 'rest_for_one',
  intensity: 10,
  children: [
    genServer.childSpec(consumer, undefined, { name: 'consumer' }),
    {
      ...gun.childSpec('127.0.0.1', first.port, { owner: 'consumer' }),
      // With pauses that double there are never eleven restarts within 5 seconds, so that a server may be away for long.
      backoff: { initial: 20, max: 10_000 },
    },
  ],
})

const next = () => genServer.call('consumer', { type: 'next' }, 60_000)
console.log(await next())
console.log(await next())

await first.kill()
const second = await startFeed('the second server', first.port)
console.log(await next())
console.log(await next())

await supervisor.stop(tree)
console.log(`${gun.connections().length} connections are left`)
await second.kill()
