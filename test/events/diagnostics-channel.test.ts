// The channels of node:diagnostics_channel: who subscribes to them gets the events of all connections, without an option.

import assert from 'node:assert/strict'
import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel'
import { describe, test } from 'node:test'
import * as gun from '@holster/gun'
import { createProcess } from '@holster/process'
import type { Peer } from '@holster/testing'
import { frame, opcodes, receiveFrame, switchingProtocols } from '@holster/testing/frames'
import { PATIENCE } from '../support/client.ts'
import { assertNothingLeft, collectWarnings } from '../support/leftovers.ts'
import { LIFE, type LifeName, making, opened, recorder } from '../support/life-events.ts'
import { origin } from '../support/origin.ts'

const transports = ['tcp', 'tls', 'unix'] as const

const nameOf = (name: gun.EventName) => `holster:gun:${name}`

/** Subscribes to these events until it is disposed of. */
function listening<Name extends gun.EventName>(
  names: readonly Name[],
  listener: (name: Name, event: gun.EventMap[Name]) => void,
): Disposable {
  const entries = names.map(
    name => [nameOf(name), (event: unknown) => listener(name, event as gun.EventMap[Name])] as const,
  )
  for (const entry of entries) subscribe(...entry)
  return {
    [Symbol.dispose]() {
      for (const entry of entries) unsubscribe(...entry)
    },
  }
}

/** A WebSocket that closes as it should. */
async function serve(peer: Peer): Promise<void> {
  await peer.send(switchingProtocols(await peer.receiveRequest()))
  const close = await receiveFrame(peer)
  peer.end(frame({ opcode: opcodes.close, payload: close.payload }))
}

/** Upgrades and closes. */
async function live(it: ReturnType<typeof opened>): Promise<void> {
  await gun.await(it.connPid, gun.wsUpgrade(it.connPid, '/'), PATIENCE)
  gun.wsSend(it.connPid, 'close')
  await it.self.receive([{ type: 'gun_down' }], PATIENCE)
  await it.connPid[Symbol.asyncDispose]()
}

for (const transport of transports) {
  const life: LifeName[] = ['init', ...making(transport), 'protocolChanged', 'disconnect', 'terminate']

  describe(`a subscriber, with a connection over ${transport}`, () => {
    test('gets the events in order, each with its connection, without any option', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using server = await origin(serve, { transport })
      const told: [LifeName, gun.ConnPid][] = []
      using _heard = listening(LIFE, (name, { connPid }) => told.push([name, connPid]))
      await using it = opened(server, transport, { retry: 0 })
      await live(it)
      assert.deepEqual(
        told,
        life.map(name => [name, it.connPid]),
      )
    })

    test('gets what the event handler gets, after it', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using server = await origin(serve, { transport })
      const told: [string, LifeName, object][] = []
      using _heard = listening(LIFE, (name, event) => told.push(['channel', name, event]))
      const record = (name: LifeName) => (event: object) => told.push(['handler', name, event])
      const eventHandler: gun.EventHandler = Object.fromEntries(LIFE.map(name => [name, record(name)]))
      await using it = opened(server, transport, { retry: 0, eventHandler })
      await live(it)
      assert.equal(told.length, 2 * life.length)
      for (const [at, name] of life.entries()) {
        const [first, second] = told.slice(2 * at, 2 * at + 2)
        assert.deepEqual(
          [first?.slice(0, 2), second?.slice(0, 2)],
          [
            ['handler', name],
            ['channel', name],
          ],
        )
        assert.equal(first?.[2], second?.[2])
      }
    })

    test('gets the events of every connection, and can tell them apart', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using server = await origin(serve, { transport })
      const told = new Map<gun.ConnPid, LifeName[]>()
      using _heard = listening(LIFE, (name, { connPid }) => {
        told.set(connPid, [...(told.get(connPid) ?? []), name])
      })
      await using first = opened(server, transport, { retry: 0 })
      await using second = opened(server, transport, { retry: 0 })
      await Promise.all([live(first), live(second)])
      assert.deepEqual([...told.keys()], [first.connPid, second.connPid])
      for (const names of told.values()) assert.deepEqual(names, life)
    })

    test('that throws is an uncaught exception, and the connection goes on', async () => {
      await using _left = assertNothingLeft()
      await using calm = collectWarnings()
      await using server = await origin(serve, { transport })
      const boom = new Error('boom')
      const { names, eventHandler } = recorder()
      {
        using _heard = listening(LIFE, () => {
          throw boom
        })
        await using it = opened(server, transport, { retry: 0, eventHandler })
        await live(it)
      }
      const { exceptions } = await calm.take()
      assert.deepEqual(names, life)
      assert.deepEqual(
        exceptions,
        life.map(() => boom),
      )
    })
  })
}

describe('a subscriber who comes and goes', () => {
  test('gets the events in between', async () => {
    await using _left = assertNothingLeft()
    await using _calm = collectWarnings()
    await using server = await origin(serve)
    const told: LifeName[] = []
    await using it = opened(server, 'tcp', { retry: 0 })
    await it.up()
    {
      using _heard = listening(LIFE, name => told.push(name))
      await gun.await(it.connPid, gun.wsUpgrade(it.connPid, '/'), PATIENCE)
    }
    gun.close(it.connPid)
    assert.deepEqual(told, ['protocolChanged'])
  })

  test('costs nothing once it has left: no event is made', async () => {
    await using _left = assertNothingLeft()
    await using _calm = collectWarnings()
    await using server = await origin(serve)
    // Each event of a look-up holds tcpOpts.
    const reads = async (): Promise<number> => {
      let count = 0
      await using owner = createProcess<gun.GunMessage>()
      const opts: gun.Opts = {
        owner,
        get tcpOpts() {
          count++
          return {}
        },
      }
      const connPid = gun.open('127.0.0.1', server.port, opts)
      await gun.awaitUp(connPid, PATIENCE)
      gun.close(connPid)
      return count
    }
    // The scenes listen for some of them all the time.
    const heard = () => LIFE.filter(name => channel(nameOf(name)).hasSubscribers)
    const heardBefore = heard()
    const before = await reads()
    {
      using _heard = listening(LIFE, () => {})
      assert.equal(await reads(), before + 2)
    }
    assert.equal(await reads(), before)
    assert.deepEqual(heard(), heardBefore)
  })
})
