// A server that sends without end is held up by an owner on another node, as by one on the node of the connection.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Writable } from 'node:stream'
import { after, before, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import * as gun from '@holster/gun'
import { createProcess, type Pid } from '@holster/process'
import { createWebSocketStream } from 'ws'
import { defer, PATIENCE } from '../support/client.ts'
import { httpServer } from '../support/http-server.ts'
import { h2Server } from '../support/http2-server.ts'
import { speaking } from '../support/line.ts'
import { type Nodes, type Remote, startNodes } from '../support/nodes.ts'
import { websocketServer } from '../support/websocket-server.ts'

const MIB = 1024 * 1024
/** How much a server sends. By hand: FLOOD_MIB=1024. */
const TOTAL = Number(process.env.FLOOD_MIB ?? 128) * MIB
/** The mark of a mailbox, the window and the outbox between two nodes, a window of HTTP/2, and what sockets take. */
const MOST = (16 + 4 + 2 + 8 + 24) * MIB

let nodes: Nodes
let near: Remote
let far: Remote

before(async () => {
  nodes = await startNodes(2)
  ;[near, far] = nodes.remotes as [Remote, Remote]
})

after(() => nodes[Symbol.asyncDispose]())

/** Writes `TOTAL` bytes as fast as they are taken, and counts them. */
class Flood {
  written = 0
  readonly chunk = Buffer.alloc(MIB / 4)

  async pour(into: Writable): Promise<void> {
    while (this.written < TOTAL) {
      this.written += this.chunk.length
      if (!into.write(this.chunk)) await once(into, 'drain')
    }
  }

  /** Resolves to the bytes written once no more is taken, and no more arrives at the process of that name on the node far. */
  async stalled(name: string): Promise<number> {
    for (let before = '', same = 0; same < 20; same++) {
      // Through both nodes, behind what is on the way between them.
      const waiting = await near.run('relay', far.pid, 'waiting', name)
      const now = `${this.written} ${waiting}`
      if (now !== before) same = 0
      before = now
      if (this.written >= TOTAL) assert.fail('the server was never held up')
    }
    return this.written
  }
}

interface Case {
  readonly name: string
  /** Starts a server that floods whoever asks. */
  serve(flood: Flood): Promise<AsyncDisposable & { readonly host: string; readonly port: number }>
  readonly opts: gun.Opts
  ask(connPid: gun.ConnPid): gun.StreamRef
}

const cases: readonly Case[] = [
  {
    name: 'a body over HTTP/1.1',
    serve: flood =>
      httpServer({ version: 'http', transport: 'tcp' }, (_request, response) => {
        response.writeHead(200, { 'content-length': TOTAL })
        void flood.pour(response).then(() => response.end())
      }),
    opts: {},
    ask: connPid => gun.get(connPid, '/'),
  },
  {
    name: 'a body over HTTP/2',
    serve: flood =>
      h2Server({
        onRequest: (_request, response) => {
          void flood.pour(response).then(() => response.end())
        },
      }),
    opts: speaking('http2'),
    ask: connPid => gun.get(connPid, '/'),
  },
  {
    name: 'frames of a WebSocket',
    serve: flood =>
      websocketServer({
        onConnection(socket) {
          const stream = createWebSocketStream(socket)
          stream.on('error', () => {})
          void flood.pour(stream).then(() => socket.send('all'))
        },
      }),
    opts: {},
    ask: connPid => gun.wsUpgrade(connPid, '/'),
  },
]

for (const { name, serve, opts, ask } of cases) {
  test(`${name}: a server is held up by an owner elsewhere that does not receive, and all arrives later`, async () => {
    const flood = new Flood()
    await using server = await serve(flood)
    const owner = (await far.run('makeProcess', name)) as unknown as Pid<gun.GunMessage>
    const [nearBefore, farBefore] = await Promise.all([near.run('memory'), far.run('memory')])
    const connPid = await gun.openAt(near.name, server.host, server.port, { owner, ...opts })
    ask(connPid)
    await until(() => flood.written > 0)
    const written = await flood.stalled(name)
    assert.ok(written < MOST, `the server could write ${written / MIB} MiB`)
    const [nearAfter, farAfter] = await Promise.all([near.run('memory'), far.run('memory')])
    const grown = {
      near: nearAfter.heap + nearAfter.external - nearBefore.heap - nearBefore.external,
      far: farAfter.heap + farAfter.external - farBefore.heap - farBefore.external,
    }
    if (process.env.FLOOD_MIB !== undefined) console.log(name, { written: written / MIB, grown })
    assert.ok(grown.near < MOST && grown.far < MOST, JSON.stringify(grown))
    assert.equal(await far.run('drain', name), TOTAL)
    gun.close(connPid)
  })
}

test('a receive that waits for what comes behind lifts the pressure', async () => {
  const chunk = Buffer.alloc(64 * 1024)
  const count = (2 * MOST) / chunk.length
  const isSent = defer<void>()
  await using server = await websocketServer({
    onConnection(socket) {
      for (let sent = 0; sent < count; sent++) socket.send(chunk)
      socket.send('last', () => isSent.resolve())
    },
  })
  const owner = (await far.run('makeProcess', 'waiting')) as unknown as Pid<gun.GunMessage>
  const connPid = await gun.openAt(near.name, server.host, server.port, { owner })
  const streamRef = gun.wsUpgrade(connPid, '/')
  const last = (await far.run('receive', 'waiting', {
    type: 'gun_ws',
    streamRef,
    frame: ['text', 'last'],
  })) as gun.GunWs
  assert.equal(last.connPid, connPid)
  assert.equal(await far.run('waiting', 'waiting'), count + 2)
  await isSent.promise
  gun.close(connPid)
})

test('a stream of HTTP/2 that is held up holds up no other, whose recipient is on another node as well', async () => {
  const flood = new Flood()
  await using server = await h2Server({
    onRequest(request, response) {
      if (request.url === '/flood') void flood.pour(response)
      else response.end('quick')
    },
  })
  const replyTo = (await far.run('makeProcess', 'held')) as unknown as Pid<gun.GunMessage>
  const owner = createProcess<gun.GunMessage>()
  const connPid = await gun.openAt(near.name, server.host, server.port, { owner, ...speaking('http2') })
  const held = gun.get(connPid, '/flood', {}, { replyTo })
  await until(() => flood.written > 0)
  await flood.stalled('held')
  for (let i = 0; i < 10; i++) {
    const { body } = await gun.awaitResponse(connPid, gun.get(connPid, '/'), 4 * PATIENCE)
    assert.equal(String(body), 'quick')
  }
  gun.cancel(connPid, held)
  gun.close(connPid)
})

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await turn()
}
