/** Counts the files and functions that one event enters, and answers with the counts of all events. */

import * as gun from '@holster/gun'
import { createProcess } from '@holster/process'
import type { Answer, Counts, Event } from './contract.ts'
import { Coverage, type Way } from './coverage.ts'
import { type Exchange, http2Peer, httpPeer, type Peer, webSocketPeer } from './peers.ts'

/** How many times each event is repeated before it is counted, and how many times it is counted. */
const WARM = 20
const COUNTED = 10
const TEXT = 'Hello! '.repeat(16)
const BYTES = Buffer.from(TEXT)
const isListing = process.argv.includes('--functions')
const coverage = new Coverage()
const counted = new Map<Event, Counts>()
const self = createProcess<gun.GunMessage>()

/** Gives the server's side of what the client has begun last; the server's answer must have come. */
function latestOf<Side>(peer: Peer<Side>): Side {
  const side = peer.latest()
  if (side === undefined) throw new Error('The peer has seen nothing of the client yet.')
  return side
}

/**
 * Repeats an event until its code is warm, and then counts it several times. The shortest way is printed: on a longer
 * one something else came in between, such as a timer. `settle` receives what the event has posted.
 */
async function measure(
  name: Event,
  event: () => unknown,
  isDone: () => boolean,
  settle: () => Promise<unknown> | undefined,
): Promise<void> {
  let shortest: Way = new Map()
  for (let n = 0; n < WARM + COUNTED; n++) {
    const way = await coverage.way(event, isDone)
    await settle()
    if (n === WARM || (n > WARM && functionsOf(way) < functionsOf(shortest))) shortest = way
  }
  add(name, shortest)
}

function functionsOf(way: Way): number {
  return [...way.values()].reduce((sum, entered) => sum + entered.size, 0)
}

/** The listing goes to the standard error, as the other output is for the process that has started this one. */
function add(name: Event, way: Way): void {
  const inGun = new Map([...way].filter(([file]) => file.startsWith('gun/')))
  counted.set(name, {
    files: way.size,
    functions: functionsOf(way),
    'files of gun': inGun.size,
    'functions of gun': functionsOf(inGun),
  })
  if (!isListing) return
  console.error(`\n${name}`)
  for (const [file, entered] of [...way].sort(([a], [b]) => a.localeCompare(b))) {
    console.error(`    ${file}: ${[...entered].join(', ')}`)
  }
}

/** Measures an event that comes in; it has arrived when the mailbox holds its message. */
async function measureIn(name: Event, event: () => unknown, streamRef: gun.StreamRef): Promise<void> {
  await measure(
    name,
    event,
    () => self.messageQueueLength > 0,
    () =>
      self.receive([
        { type: 'gun_ws', streamRef },
        { type: 'gun_data', streamRef },
      ]),
  )
}

/** Measures an event that goes out; it has arrived when the peer has read it. */
async function measureOut(name: Event, event: () => unknown, received: () => number): Promise<void> {
  let before = received()
  await measure(
    name,
    event,
    () => received() > before,
    () => {
      before = received()
      return undefined
    },
  )
}

async function measureWebSocket(): Promise<void> {
  const peer = await webSocketPeer()
  const connPid = gun.open('127.0.0.1', peer.port, { owner: self, retry: 0 })
  await self.receive([{ type: 'gun_up', connPid }])
  const streamRef = gun.wsUpgrade(connPid, '/')
  await self.receive([{ type: 'gun_upgrade', streamRef }])
  const { send, received } = latestOf(peer)
  await measureIn('WebSocket: a frame comes', () => send(TEXT), streamRef)
  await measureOut('WebSocket: wsSend', () => gun.wsSend(connPid, streamRef, ['text', TEXT]), received)
  await end(connPid, peer)
}

async function measureHttp(
  name: 'HTTP/1.1' | 'HTTP/2',
  peer: Peer<Exchange>,
  protocol: 'http' | 'http2',
): Promise<void> {
  const connPid = gun.open('127.0.0.1', peer.port, { owner: self, retry: 0, protocols: [protocol] })
  await self.receive([{ type: 'gun_up', connPid }])
  let streamRef: gun.StreamRef
  await measure(
    `${name}: a whole GET`,
    () => {
      streamRef = gun.get(connPid, '/')
    },
    () => self.messageQueueLength > 1,
    async () => {
      await self.receive([{ type: 'gun_response', streamRef }])
      await self.receive([{ type: 'gun_data', streamRef, isFin: 'fin' }])
    },
  )
  const posted = gun.post(connPid, '/on', {})
  await self.receive([{ type: 'gun_response', streamRef: posted }])
  const { write, received } = latestOf(peer)
  await measureIn(`${name}: a chunk of a body comes`, () => write(BYTES), posted)
  await measureOut(`${name}: data`, () => gun.data(connPid, posted, 'nofin', BYTES), received)
  await end(connPid, peer)
}

async function end(connPid: gun.ConnPid, peer: Peer<unknown>): Promise<void> {
  const ref = self.monitor(connPid)
  gun.close(connPid)
  await self.receive([{ type: 'DOWN', ref }])
  self.flush()
  peer.close()
}

await measureWebSocket()
await measureHttp('HTTP/1.1', await httpPeer(), 'http')
await measureHttp('HTTP/2', await http2Peer(), 'http2')
coverage.close()
self.exit()
console.log(JSON.stringify(Object.fromEntries(counted) as Answer))
