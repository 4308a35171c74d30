// A connection that is ended on this side, in whatever way and state, ends, tells everybody once, and leaves nothing behind.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import * as gun from '@holster/gun'
import { createProcess, type Down, type Exit, exit, P, type Process } from '@holster/process'
import { certificates, type Peer, type ScriptedServer } from '@holster/testing'
import { closePayload, frame, opcodes, receiveFrame, switchingProtocols } from '@holster/testing/frames'
import { assertNothingLeft, collectWarnings } from '../support/leftovers.ts'
import { origin } from '../support/origin.ts'

type Transport = 'tcp' | 'tls'

/** A connection in some state, with a stream. */
interface Place {
  readonly connPid: gun.ConnPid
  /** What the server does so that streams that are open can finish. */
  finish(): unknown
  /** `false` where it ends at once, however it is ended. */
  readonly lingers: boolean
}

interface World {
  readonly transport: Transport
  readonly server: ScriptedServer
  readonly opts: gun.Opts
  /** Whom the stream replies to: it outlives the owner. */
  readonly replyTo: Process<gun.GunMessage>
  peer(): Promise<Peer>
}

interface State {
  readonly name: string
  readonly stateName: string
  readonly transports: readonly Transport[]
  reach(world: World): Promise<Place>
}

function open({ server, opts }: World): gun.ConnPid {
  return gun.open('localhost', server.port, opts)
}

const nothing = (): void => {}

async function waitFor(connPid: gun.ConnPid, stateName: string, step: () => unknown): Promise<void> {
  while (gun.info(connPid).stateName !== stateName) await step()
}

async function up(world: World): Promise<gun.ConnPid> {
  const connPid = open(world)
  await gun.awaitUp(connPid, 10_000)
  return connPid
}

async function websocket(
  world: World,
): Promise<{ connPid: gun.ConnPid; peer: Peer; streamRef: gun.StreamRef }> {
  const connPid = await up(world)
  const { replyTo } = world
  const streamRef = gun.wsUpgrade(connPid, '/', {}, { replyTo })
  const peer = await world.peer()
  await peer.send(switchingProtocols(await peer.receiveRequest()))
  await replyTo.receive([{ type: 'gun_upgrade' }], 10_000)
  return { connPid, peer, streamRef }
}

async function answerClose(peer: Peer): Promise<void> {
  for (;;) {
    const { opcode, payload } = await receiveFrame(peer)
    if (opcode === opcodes.close) return peer.end(frame({ opcode, payload }))
  }
}

async function body(world: World, head: string): Promise<{ connPid: gun.ConnPid; peer: Peer }> {
  const connPid = await up(world)
  gun.get(connPid, '/', {}, { replyTo: world.replyTo })
  const peer = await world.peer()
  await peer.receiveRequest()
  await peer.send(`HTTP/1.1 200 OK\r\n${head}\r\n\r\nhello`)
  await world.replyTo.receive([{ type: 'gun_data' }], 10_000)
  return { connPid, peer }
}

const both = ['tcp', 'tls'] as const

const states: State[] = [
  {
    name: 'while the name is looked up',
    stateName: 'domain_lookup',
    transports: both,
    async reach(world) {
      const connPid = open(world)
      gun.get(connPid, '/', {}, { replyTo: world.replyTo })
      return { connPid, finish: nothing, lingers: false }
    },
  },
  {
    name: 'while connecting',
    stateName: 'connecting',
    transports: both,
    async reach({ server, opts, replyTo }) {
      // An address needs no look-up, so that microtasks are enough to get there.
      const connPid = gun.open('127.0.0.1', server.port, opts)
      gun.get(connPid, '/', {}, { replyTo })
      await waitFor(connPid, 'connecting', () => null)
      return { connPid, finish: nothing, lingers: false }
    },
  },
  {
    name: 'while shaking hands',
    stateName: 'initial_tls_handshake',
    transports: ['tls'],
    async reach(world) {
      const connPid = open(world)
      gun.get(connPid, '/', {}, { replyTo: world.replyTo })
      await waitFor(connPid, 'initial_tls_handshake', turn)
      return { connPid, finish: nothing, lingers: false }
    },
  },
  {
    name: 'when it is up and idle',
    stateName: 'connected',
    transports: both,
    async reach(world) {
      return { connPid: await up(world), finish: nothing, lingers: false }
    },
  },
  {
    name: 'while a response is awaited',
    stateName: 'connected',
    transports: both,
    async reach(world) {
      const connPid = await up(world)
      gun.get(connPid, '/', {}, { replyTo: world.replyTo })
      const peer = await world.peer()
      await peer.receiveRequest()
      return { connPid, finish: () => peer.send('HTTP/1.1 204 No Content\r\n\r\n'), lingers: true }
    },
  },
  {
    name: 'while a body streams',
    stateName: 'connected',
    transports: both,
    async reach(world) {
      const { connPid, peer } = await body(world, 'content-length: 10')
      return { connPid, finish: () => peer.send('world'), lingers: true }
    },
  },
  {
    name: 'while a body streams that lasts until the end',
    stateName: 'connected',
    transports: both,
    async reach(world) {
      const { connPid, peer } = await body(world, 'x-length: unknown')
      return { connPid, finish: () => peer.end('world'), lingers: true }
    },
  },
  {
    name: 'while frames arrive',
    stateName: 'connected_ws_only',
    transports: both,
    async reach(world) {
      const { connPid, peer } = await websocket(world)
      const tick = frame({ opcode: opcodes.text, payload: 'tick' })
      await peer.send(Buffer.concat([tick, tick.subarray(0, 3)]))
      await world.replyTo.receive([{ type: 'gun_ws' }], 10_000)
      const finish = async () => {
        await peer.send(tick.subarray(3))
        await answerClose(peer)
      }
      return { connPid, finish, lingers: true }
    },
  },
  {
    name: 'while a close frame of ours waits for its answer',
    stateName: 'closing',
    transports: both,
    async reach(world) {
      const { connPid, peer, streamRef } = await websocket(world)
      gun.wsSend(connPid, streamRef, 'close')
      return { connPid, finish: () => answerClose(peer), lingers: true }
    },
  },
  {
    name: 'after a close frame of the server was answered',
    stateName: 'closing',
    transports: both,
    async reach(world) {
      const { connPid, peer } = await websocket(world)
      await peer.send(frame({ opcode: opcodes.close, payload: closePayload(1000) }))
      await world.replyTo.receive([{ type: 'gun_ws' }], 10_000)
      await receiveFrame(peer)
      return { connPid, finish: () => peer.end(), lingers: true }
    },
  },
  {
    name: 'while a shutdown waits for a response',
    stateName: 'closing',
    transports: both,
    async reach(world) {
      const { connPid, peer } = await body(world, 'content-length: 10')
      gun.shutdown(connPid)
      return { connPid, finish: () => peer.send('world'), lingers: true }
    },
  },
  {
    name: 'between retries',
    stateName: 'not_connected',
    transports: both,
    async reach(world) {
      const { server, opts, replyTo } = world
      const connPid = open({
        ...world,
        opts: { ...opts, retryFun: () => ({ retries: 9, timeout: 100_000 }) },
      })
      await gun.awaitUp(connPid, 10_000)
      const peer = await world.peer()
      // Out of the callback of OpenSSL in which the server's handshake ends: to reset there crashes Node 20.
      await turn()
      peer.reset()
      await (opts.owner as Process<gun.GunMessage>).receive([{ type: 'gun_down' }], 10_000)
      assert.equal(server.connections, 1)
      gun.get(connPid, '/', {}, { replyTo })
      return { connPid, finish: nothing, lingers: false }
    },
  },
]

interface Way {
  readonly name: string
  /** Streams that are open may finish. */
  readonly graceful: boolean
  end(connPid: gun.ConnPid, owner: Process<gun.GunMessage>): void
  readonly reason: string
  readonly reports: number
}

const ways: Way[] = [
  { name: 'close', graceful: false, end: gun.close, reason: 'shutdown', reports: 0 },
  {
    name: 'close, twice,',
    graceful: false,
    end: connPid => {
      gun.close(connPid)
      gun.close(connPid)
    },
    reason: 'shutdown',
    reports: 0,
  },
  { name: 'shutdown', graceful: true, end: gun.shutdown, reason: 'shutdown', reports: 0 },
  {
    name: 'shutdown, twice,',
    graceful: true,
    end: connPid => {
      gun.shutdown(connPid)
      gun.shutdown(connPid)
    },
    reason: 'shutdown',
    reports: 0,
  },
  {
    name: 'shutdown and then close',
    graceful: false,
    end: connPid => {
      gun.shutdown(connPid)
      gun.close(connPid)
    },
    reason: 'shutdown',
    reports: 0,
  },
  {
    name: 'close and then shutdown',
    graceful: false,
    end: connPid => {
      gun.close(connPid)
      gun.shutdown(connPid)
    },
    reason: 'shutdown',
    reports: 0,
  },
  {
    name: "the owner's normal exit",
    graceful: true,
    end: (_, owner) => owner.exit(),
    reason: 'normal',
    reports: 0,
  },
  {
    name: "the owner's crash",
    graceful: true,
    end: (_, owner) => owner.exit(new Error('crash')),
    reason: 'shutdown owner_down: Error: crash',
    reports: 1,
  },
  {
    name: "the owner's being killed",
    graceful: true,
    end: (_, owner) => exit(owner, 'kill'),
    reason: 'shutdown owner_down: killed',
    reports: 1,
  },
  {
    name: 'the kill signal',
    graceful: false,
    end: connPid => exit(connPid, 'kill'),
    reason: 'shutdown',
    reports: 0,
  },
]

function codeOf(reason: unknown): string {
  if (Array.isArray(reason)) return reason.map(codeOf).join(' ')
  if (!(reason instanceof gun.GunError)) return String(reason)
  return reason.cause === undefined ? reason.code : `${reason.code}: ${reason.cause}`
}

/** What the rest of a mailbox says of errors and ends. */
function lastWords(messages: readonly (gun.GunMessage | Down | Exit)[]): string[] {
  return messages.flatMap(message => {
    switch (message.type) {
      case 'gun_error':
        assert.ok(message.reason.message.length > 10)
        return [
          `error of the ${message.streamRef === undefined ? 'connection' : 'stream'}: ${message.reason.code}`,
        ]
      case 'gun_down':
        return ['down']
      case 'DOWN':
        return [`DOWN: ${codeOf(message.reason)}`]
      default:
        return []
    }
  })
}

async function drain(mailbox: Process<gun.GunMessage>): Promise<(gun.GunMessage | Down | Exit)[]> {
  const all: (gun.GunMessage | Down | Exit)[] = []
  while (mailbox.messageQueueLength > 0) all.push(await mailbox.receive([P._], 0))
  return all
}

for (const state of states) {
  for (const transport of state.transports) {
    describe(`${state.name} over ${transport}`, () => {
      for (const way of ways) {
        test(`${way.name} ends the connection`, async () => {
          await using _left = assertNothingLeft()
          await using calm = collectWarnings()
          const peers = createProcess<{ type: 'peer'; peer: Peer }>()
          await using server = await origin(peer => peers.send({ type: 'peer', peer }), { transport })
          await using owner = createProcess<gun.GunMessage>()
          await using replyTo = createProcess<gun.GunMessage>()
          const place = await state.reach({
            transport,
            server,
            opts: { owner, transport, tlsOpts: { ca: certificates.ca } },
            replyTo,
            peer: async () => (await peers.receive([{ type: 'peer' }], 10_000)).peer,
          })
          const { connPid, lingers } = place
          assert.equal(gun.info(connPid).stateName, state.stateName)
          const mine = owner.monitor(connPid)
          const theirs = replyTo.monitor(connPid)

          way.end(connPid, owner)
          const atOnce = !way.graceful || !lingers
          if (atOnce) assert.equal(gun.info(connPid).stateName, 'terminated')
          else assert.equal(gun.info(connPid).stateName, 'closing')
          if (way.graceful) await place.finish()
          const down = await replyTo.receive([{ type: 'DOWN', ref: theirs }], 10_000)
          // What ended it first is the reason that stands.
          const isAsked = state.name.startsWith('while a shutdown')
          assert.equal(codeOf(down.reason), isAsked ? 'shutdown' : way.reason)
          assert.equal(gun.info(connPid).stateName, 'terminated')

          const streamWords = lastWords(await drain(replyTo))
          const hasStream = state.name !== 'when it is up and idle'
          const closedByBoth = state.name.startsWith('after a close frame')
          const survives = !hasStream || (way.graceful && lingers) || closedByBoth
          assert.deepEqual(streamWords, survives ? [] : ['error of the stream: shutdown'])
          if (owner.isAlive) {
            const words = lastWords(await drain(owner))
            assert.deepEqual(words, ['DOWN: shutdown'])
            assert.equal(owner.demonitor(mine), false)
          }

          // Whatever is asked for from now on is answered, too.
          for (const end of [gun.close, gun.shutdown]) end(connPid)
          const late = gun.get(connPid, '/', {}, { replyTo })
          const answer = await gun.await(connPid, late).catch(error => error)
          assert.ok(answer instanceof gun.GunError && answer.code === 'closed', String(answer))

          const { warnings, rejections, exceptions } = await calm.take()
          assert.deepEqual([warnings.length, rejections, exceptions], [way.reports, [], []])
        })
      }
    })
  }
}
