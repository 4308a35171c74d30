/** A program that echoes over a WebSocket and sends to itself, with an observer or without one. */

import * as gun from '@holster/gun'
import { createProcess, type Process } from '@holster/process'
import { answerJobs, costOf } from '../cost.ts'
import { sample } from '../websocket/contract.ts'
import { HolsterWebSocket } from '../websocket/holster-client.ts'
import type { Begun, Job, Way } from './contract.ts'

const [, , way, plain = ''] = process.argv

/** Sends messages to a process in bursts, and receives them. */
async function sendTo(self: Process<number>, count: number): Promise<void> {
  const burst = 256
  for (let n = 0; n < count; n += burst) {
    for (let i = 0; i < burst; i++) self.send(i)
    for (let i = 0; i < burst; i++) await self.receive([i])
  }
}

async function urlOf(): Promise<string | null> {
  if ((way as Way) === 'alone') return null
  const { startObserver } = await import('@holster/observer')
  return (await startObserver({ log: false })).url
}

async function connect(path: string) {
  const { hostname, port } = new URL(plain)
  const self = createProcess<gun.GunMessage>()
  const connPid = gun.open(hostname, Number(port), { owner: self, retry: 0, protocols: ['http'] })
  await gun.awaitUp(connPid)
  const streamRef = gun.wsUpgrade(connPid, path)
  await self.receive([{ type: 'gun_upgrade', connPid, streamRef }])
  return { self, connPid, webSocket: new HolsterWebSocket(self, connPid, streamRef) }
}

const url = await urlOf()
const echo = await connect('/echo')
const flood = await connect('/flood')
const mailbox = createProcess<number>()
const begun: Begun = { url, connection: String(echo.connPid), owner: echo.self.id }
console.log(JSON.stringify(begun))

await answerJobs<Job>(async job => {
  const run = async () => {
    if (job.type === 'echo') await echo.webSocket.echo(sample(32), job.count, job.inFlight)
    else if (job.type === 'send') await sendTo(mailbox, job.count)
    else
      await flood.webSocket.receive(JSON.stringify({ type: 'text', size: 32, count: job.count }), job.count)
  }
  return costOf(run, false)
})
