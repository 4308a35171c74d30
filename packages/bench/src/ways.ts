/**
 * In how many files and functions of ours one event is on its way: from the socket's read to the mailbox, or from the
 * call to the socket's write. It counts the built files of our packages (`dist`), and neither `node_modules` nor Node.
 *
 * npm run bench:ways [-- --functions]   with every function that is entered
 */

import * as gun from '@holster/gun'
import { createProcess } from '@holster/process'
import { Coverage, type Way } from './ways/coverage.ts'
import { type Exchange, http2Peer, httpPeer, type Peer, webSocketPeer } from './ways/peers.ts'

/** How many times each event is repeated before it is counted, and how many times it is counted. */
const WARM = 20
const COUNTED = 10
const TEXT = 'Hello! '.repeat(16)
const BYTES = Buffer.from(TEXT)
const isListing = process.argv.includes('--functions')
const coverage = new Coverage()
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
  name: string,
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
  print(name, shortest)
}

function functionsOf(way: Way): number {
  return [...way.values()].reduce((sum, entered) => sum + entered.size, 0)
}

function print(name: string, way: Way): void {
  const inGun = new Map([...way].filter(([file]) => file.startsWith('gun/')))
  const counts = [way.size, functionsOf(way), inGun.size, functionsOf(inGun)]
  console.log(row(name, ...counts.map(String)))
  if (!isListing) return
  for (const [file, entered] of [...way].sort(([a], [b]) => a.localeCompare(b))) {
    console.log(`    ${file}: ${[...entered].join(', ')}`)
  }
}

function row(name: string, ...cells: readonly string[]): string {
  return `| ${[name.padEnd(33), ...cells.map(cell => cell.padStart(16))].join(' | ')} |`
}

/** Measures an event that comes in; it has arrived when the mailbox holds its message. */
async function measureIn(name: string, event: () => unknown, streamRef: gun.StreamRef): Promise<void> {
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
async function measureOut(name: string, event: () => unknown, received: () => number): Promise<void> {
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

async function measureHttp(name: string, peer: Peer<Exchange>, protocol: 'http' | 'http2'): Promise<void> {
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

console.log(row('', 'files', 'functions', 'files of gun', 'functions of gun'))
console.log(row('-'.repeat(33), ...Array<string>(4).fill(`${'-'.repeat(15)}:`)))
await measureWebSocket()
await measureHttp('HTTP/1.1', await httpPeer(), 'http')
await measureHttp('HTTP/2', await http2Peer(), 'http2')
coverage.close()
self.exit()
