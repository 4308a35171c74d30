// Two of our nodes do what two nodes of the BEAM do: the same programs give the same traces.

import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startNode, stopNode } from '@holster/node'
import { nats } from '@holster/node/nats'
import { createProcess, setExitHook } from '@holster/process'
import fc from 'fast-check'
import { runs } from '../../../../test/support/runs.ts'
import { Beam, print, withoutErlang } from '../../../otp/test/support/beam.ts'
import { natsServer, needingNats } from '../support/nats-server.ts'
import { COOKIE, Peer } from '../support/peer.ts'
import { cuttingProxy } from '../support/proxy.ts'
import { Driver, type Op, PROCESSES } from './driver.ts'

const PEER = fileURLToPath(new URL('node_peer.erl', import.meta.url))

/**
 * How often the BEAM runs a program that has another trace there: the answer to a link or a monitor of a process that has ended overtakes, or
 * is overtaken by, what other processes of its node send, so that one program has several traces.
 */
const TRIES = 100

const one = fc.nat(PROCESSES - 1)
/** Two processes, not the same. */
const two = fc.tuple(one, fc.nat(PROCESSES - 2)).map(([x, y]) => [x, y >= x ? y + 1 : y] as const)
const reasons = fc.constantFrom('normal', 'shutdown', 'boom')

const ops: fc.Arbitrary<Op> = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(two, fc.nat(99)).map(([[x, y], n]): Op => ['send', x, y, `n${n}`]) },
  { weight: 4, arbitrary: two.map(([x, y]): Op => ['monitor', x, y]) },
  { weight: 1, arbitrary: two.map(([x, y]): Op => ['demonitor', x, y]) },
  { weight: 5, arbitrary: two.map(([x, y]): Op => ['link', x, y]) },
  { weight: 1, arbitrary: two.map(([x, y]): Op => ['unlink', x, y]) },
  { weight: 3, arbitrary: fc.tuple(one, fc.boolean()).map(([x, is]): Op => ['trap', x, is]) },
  { weight: 1, arbitrary: fc.tuple(one, reasons).map(([x, why]): Op => ['exit', x, why]) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(two, fc.constantFrom('normal', 'shutdown', 'boom', 'kill'))
      .map(([[x, y], why]): Op => ['signal', x, y, why]),
  },
  { weight: 1, arbitrary: fc.constant<Op>(['cut']) },
)

/** Gives a port that is free at this moment. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise(resolve => server.close(resolve))
  return port
}

test('a random program of messages, monitors, links, exits and partitions has the same trace on two nodes of the BEAM', {
  skip: withoutErlang || needingNats.skip,
}, async t => {
  const hook = setExitHook(() => {})
  t.after(() => setExitHook(hook))
  await using server = await natsServer()
  await using proxy = await cuttingProxy(server.port)
  await using peer = await Peer.start({
    name: 'b',
    cookie: COOKIE,
    nats: { servers: proxy.url, reconnectTimeWait: 10 },
    watch: ['a'],
  })
  await startNode({ name: 'a', cookie: COOKIE, carrier: nats({ servers: server.url }) })
  t.after(stopNode)
  const self = createProcess()
  self.monitorNode('b')
  await self.receive([{ type: 'nodeup' }])
  await peer.up('a')
  const cut = async () => {
    proxy.hold('ended')
    proxy.release()
    await self.receive([{ type: 'nodedown' }])
    await peer.down('a')
    await self.receive([{ type: 'nodeup' }])
    await peer.up('a')
  }
  const args = ['-name', 'a@127.0.0.1', '-setcookie', 'holster', '-start_epmd', 'false']
  args.push('-erl_epmd_port', String(await freePort()), '-kernel', 'inet_dist_use_interface', '{127,0,0,1}')
  await using beam = await Beam.start(PEER, args)
  const property = fc.asyncProperty(fc.array(ops, { minLength: 5, maxLength: 25 }), async program => {
    const ours = await new Driver(cut).run('b', program)
    let theirs: string[] = []
    for (let tries = 0; tries < TRIES && ours.join() !== theirs.join(); tries++) {
      theirs = (await beam.ask(`[${program.map(print).join(',')}].`)).split(';')
    }
    assert.deepEqual(ours, theirs)
  })
  await fc.assert(property, runs(60))
})
