// Thousands of WebSockets on several nodes, whose owners are on this one: all of them are lost with their server, and all come back.

import assert from 'node:assert/strict'
import http from 'node:http'
import type { Socket } from 'node:net'
import { after, before, test } from 'node:test'
import * as gun from '@holster/gun'
import { createProcess, type Process } from '@holster/process'
import { closer, listen } from '@holster/testing/internal'
import { WebSocketServer } from 'ws'
import { type Nodes, startNodes } from '../support/nodes.ts'

/** How many WebSockets there are. By hand: MANY=10000. */
const MANY = Number(process.env.MANY ?? 2000)
const NODES = 4

let nodes: Nodes

before(async () => {
  nodes = await startNodes(NODES)
})

after(() => nodes[Symbol.asyncDispose]())

/** A server that echoes, on a port that may be used again. */
async function serve(port = 0) {
  const sockets = new Set<Socket>()
  const server = http.createServer()
  const wss = new WebSocketServer({ server })
  wss.on('connection', socket => {
    socket.on('error', () => {})
    socket.on('message', data => socket.send(String(data)))
  })
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  const place = await listen(server, 'tcp', { port })
  const close = closer(server, () => {
    wss.close()
    for (const socket of sockets) socket.destroy()
  })
  return { ...place, close, wss }
}

/** Takes so many messages of a kind, each of another connection. */
async function each<T extends gun.GunMessage['type']>(
  owner: Process<gun.GunMessage>,
  type: T,
  count: number,
): Promise<gun.StreamRef[]> {
  const seen = new Map<gun.ConnPid, gun.StreamRef>()
  while (seen.size < count) {
    const message = (await owner.receive([{ type }] as never, 120_000)) as unknown as gun.GunUpgrade
    assert.equal(seen.has(message.connPid), false)
    seen.set(message.connPid, message.streamRef)
  }
  return [...seen.values()]
}

test(`${MANY} WebSockets on ${NODES} nodes are lost with their server, and come back with it`, async () => {
  const started = performance.now()
  const told = (what: string) => {
    if (process.env.MANY === undefined) return
    const { rss, heapUsed } = process.memoryUsage()
    const mib = (bytes: number) => `${Math.round(bytes / 1024 / 1024)} MiB`
    console.log(
      `${what} after ${Math.round(performance.now() - started)} ms, rss ${mib(rss)}, heap ${mib(heapUsed)}`,
    )
  }
  let server = await serve()
  const { host, port } = server
  const share = MANY / NODES
  const opts: gun.Opts = { retry: 1000, retryTimeout: 500, wsOpts: { reupgrade: { minDelay: 100 } } }
  const groups = await Promise.all(
    nodes.remotes.map(async ({ name }) => {
      const owner = createProcess<gun.GunMessage>()
      const connPids: gun.ConnPid[] = []
      // A server takes no more than its backlog at once.
      for (let begun = 0; begun < share; begun += 50) {
        const batch = Array.from({ length: Math.min(50, share - begun) }, async () => {
          const connPid = await gun.openAt(name, host, port, { owner, ...opts })
          await gun.awaitUp(connPid, 120_000)
          return connPid
        })
        connPids.push(...(await Promise.all(batch)))
      }
      return { owner, connPids }
    }),
  )
  told('all are up')
  for (const { connPids } of groups) for (const connPid of connPids) gun.wsUpgrade(connPid, '/')
  const streams = await Promise.all(groups.map(({ owner }) => each(owner, 'gun_upgrade', share)))
  assert.equal(server.wss.clients.size, MANY)
  told('all are WebSockets')

  await server.close()
  await Promise.all(groups.map(({ owner }) => each(owner, 'gun_down', share)))
  told('all are told')

  server = await serve(port)
  const again = await Promise.all(groups.map(({ owner }) => each(owner, 'gun_upgrade', share)))
  assert.equal(server.wss.clients.size, MANY)
  told('all are back')
  for (const [index, refs] of again.entries()) {
    assert.deepEqual(new Set(refs), new Set(streams[index]), 'each goes on under its own handle')
  }

  for (const { connPids } of groups) for (const connPid of connPids) gun.wsSend(connPid, ['text', connPid.id])
  for (const { owner } of groups) {
    for (let frames = 0; frames < share; frames++) {
      const { connPid, frame } = await owner.receive([{ type: 'gun_ws' }], 120_000)
      assert.deepEqual(frame, ['text', connPid.id])
    }
  }
  told('each has echoed')
  for (const { owner } of groups) owner.exit()
  await server.close()
})
