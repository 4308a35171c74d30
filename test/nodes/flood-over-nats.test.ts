// A server that sends without end is held up by an owner in another program, behind NATS, and nothing is lost.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import * as gun from '@holster/gun'
import { moduleAt, type NodeChange, spawnAt, startNode, stopNode } from '@holster/node'
import { nats } from '@holster/node/nats'
import { createProcess } from '@holster/process'
import { createWebSocketStream } from 'ws'
import { natsServer, needingNats } from '../../packages/node/test/support/nats-server.ts'
import { COOKIE, Peer } from '../../packages/node/test/support/peer.ts'
import type { News } from '../support/slow-owner.ts'
import { websocketServer } from '../support/websocket-server.ts'

const MIB = 1024 * 1024
/** How much the server sends. By hand: FLOOD_MIB=1024. */
const TOTAL = Number(process.env.FLOOD_MIB ?? 128) * MIB
/** The mark of a mailbox, the window and the outbox between two nodes, the NATS server, and what sockets take. */
const MOST = (16 + 4 + 2 + 4 + 24) * MIB

const bodies = moduleAt<typeof import('../support/slow-owner.ts')>(
  new URL('../support/slow-owner.ts', import.meta.url),
)

test(
  'a server is held up by an owner behind NATS that does not receive, and all arrives later',
  needingNats,
  async t => {
    let written = 0
    await using server = await websocketServer({
      async onConnection(socket) {
        const stream = createWebSocketStream(socket)
        stream.on('error', () => {})
        const chunk = Buffer.alloc(MIB / 4)
        while (written < TOTAL) {
          written += chunk.length
          if (!stream.write(chunk)) await once(stream, 'drain')
        }
        socket.send('all')
      },
    })
    await using engine = await natsServer()
    await using peer = await Peer.start({
      name: 'b',
      cookie: COOKIE,
      nats: { servers: engine.url },
      watch: ['a'],
    })
    await startNode({ name: 'a', cookie: COOKIE, carrier: nats({ servers: engine.url }) })
    t.after(stopNode)
    const self = createProcess<News | NodeChange>()
    self.monitorNode('b')
    await Promise.all([self.receive([{ type: 'nodeup' }]), peer.up('a')])
    const keeper = await spawnAt('b', bodies, 'keeper', self)
    const { pid } = await self.receive([{ type: 'owner' }])
    const look = async () => {
      keeper.send({ type: 'look' })
      return self.receive([{ type: 'looked' }])
    }
    const before = await look()
    const connPid = gun.open('127.0.0.1', server.port, { owner: pid })
    gun.wsUpgrade(connPid, '/')
    while (written === 0) await turn()
    for (let seen = '', same = 0; same < 20; same++) {
      const { waiting } = await look()
      const now = `${written} ${waiting}`
      if (now !== seen) same = 0
      seen = now
      assert.ok(written < TOTAL, 'the server was never held up')
    }
    assert.ok(written < MOST, `the server could write ${written / MIB} MiB`)
    const { memory } = await look()
    const grown = memory - before.memory
    if (process.env.FLOOD_MIB !== undefined) console.log({ written: written / MIB, grown: grown / MIB })
    assert.ok(grown < MOST, `the owner's program has grown by ${grown / MIB} MiB`)
    keeper.send({ type: 'drain' })
    assert.equal((await self.receive([{ type: 'drained' }])).bytes, TOTAL)
    gun.close(connPid)
  },
)
