// The events of a connection's life: their order and their fields, however the connection ends.

import assert from 'node:assert/strict'

import { describe, mock, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import * as gun from '@holster/gun'
import { createProcess, setExitHook } from '@holster/process'
import { certificates, type Peer, type ScriptedServer, type Transport } from '@holster/testing'
import { frame, opcodes, receiveFrame, switchingProtocols } from '@holster/testing/frames'
import { createActor, setup } from 'xstate'
import { eventually, freePort, NO_CONTENT, PATIENCE } from '../support/client.ts'
import { mockTimeouts } from '../support/clock.ts'
import { type HttpPeer, httpOrigin, lineName, lines, NOTHING, speaking } from '../support/http-server.ts'
import { assertNothingLeft, collectWarnings } from '../support/leftovers.ts'
import { LIFE, type LifeName, making, opened, recorder } from '../support/life-events.ts'
import { origin } from '../support/origin.ts'
import { onLinux, unanswering } from '../support/silent-address.ts'

// Node 20 warns at the first use, which no test has to answer for.
mock.timers.reset()
await turn()

const transports = ['tcp', 'tls', 'unix'] as const

const boom = new Error('boom')

/** Serves a request, or a WebSocket that closes as it should. */
async function serve(peer: Peer): Promise<void> {
  const request = await peer.receiveRequest()
  if (request.header('upgrade') === undefined) {
    await peer.send(NO_CONTENT)
    return peer.closed
  }
  await peer.send(switchingProtocols(request))
  const close = await receiveFrame(peer)
  assert.equal(close.opcode, opcodes.close)
  peer.end(frame({ opcode: opcodes.close, payload: close.payload }))
}

const hold = (peer: Peer) => peer.closed

const answer = async (peer: HttpPeer) => {
  await peer.serve(NOTHING)
  await peer.closed
}

/** Reads a request and leaves it unanswered. */
const leave = async (peer: HttpPeer) => {
  await peer.request()
  await peer.closed
}

const holding = (peer: HttpPeer) => peer.closed

function reach(connPid: gun.ConnPid, stateName: string): Promise<void> {
  return eventually(() => gun.info(connPid).stateName === stateName, `${connPid} never was ${stateName}`)
}

/** By microtasks only, so that the network gets no chance to answer. */
async function reachAtOnce(connPid: gun.ConnPid, stateName: string): Promise<void> {
  for (let i = 0; i < 100 && gun.info(connPid).stateName !== stateName; i++) await null
  assert.equal(gun.info(connPid).stateName, stateName)
}

/** Where nobody listens, though somebody may some day: of a Unix socket that does not exist nothing more is hoped for. */
const nowhere = (
  transport: Transport,
):
  | Promise<Pick<ScriptedServer, 'host' | 'port' | 'path'>>
  | Pick<ScriptedServer, 'host' | 'port' | 'path'> =>
  transport === 'unix'
    ? { host: '', port: 0, path: fileURLToPath(import.meta.url) }
    : freePort().then(port => ({ host: '127.0.0.1', port }))

for (const line of lines) {
  const { version, transport } = line
  const made = making(transport)

  describe(`the life of a connection over ${lineName(line)}`, () => {
    test('is told in order and with all that is known of each step', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using server = await httpOrigin(line, holding)
      const { told, names, eventHandler } = recorder()
      const times = { domainLookupTimeout: 20_000, connectTimeout: 30_000, tlsHandshakeTimeout: 40_000 }
      const tcpOpts = transport === 'unix' ? { allowHalfOpen: true } : { keepAlive: true }
      const tlsOpts = { ca: certificates.ca }
      const opts: gun.Opts = { eventHandler, ...times, tcpOpts, tlsOpts }
      await using it = opened(server, line, opts)
      const { connPid, self: owner } = it
      await it.up()
      const { socket } = gun.info(connPid)
      gun.close(connPid)
      const lookup = {
        connPid,
        host: server.path ?? '127.0.0.1',
        port: server.path === undefined ? server.port : undefined,
        tcpOpts,
        timeout: 20_000,
      }
      const lookupInfo = transport === 'unix' ? [] : [{ address: '127.0.0.1', family: 4 }]
      const connect = { connPid, lookupInfo, timeout: 30_000 }
      const isTls = transport === 'tls'
      const handshake = { connPid, tlsOpts, timeout: 40_000 }
      const scheme = isTls ? 'https' : 'http'
      const expected: [LifeName, Record<string, unknown>][] = [
        [
          'init',
          {
            connPid,
            owner,
            transport: isTls ? 'tls' : 'tcp',
            originScheme: scheme,
            originHost: transport === 'unix' ? 'localhost' : '127.0.0.1',
            originPort: transport === 'unix' ? 80 : server.port,
            opts: { owner, transport: isTls ? 'tls' : 'tcp', ...speaking(version, opts) },
          },
        ],
        ['domainLookupStart', lookup],
        ['domainLookupEnd', { ...lookup, lookupInfo }],
        ['connectStart', connect],
        ['connectEnd', { ...connect, socket, ...(isTls ? {} : { protocol: version }) }],
        ['tlsHandshakeStart', { ...handshake, socket }],
        ['tlsHandshakeEnd', { ...handshake, socket, protocol: version }],
        ['disconnect', { connPid, reason: 'normal' }],
        ['terminate', { connPid, state: 'connected', reason: 'shutdown' }],
      ]
      const all = expected.filter(([name]) => isTls || !name.startsWith('tls'))
      assert.deepEqual(
        names,
        all.map(([name]) => name),
      )
      assert.ok(socket !== undefined)
      assert.deepEqual(told, all)
    })

    test('takes for ever, and has no options of the socket, unless told otherwise', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using server = await httpOrigin(line, holding)
      const { told, eventHandler } = recorder()
      await using it = opened(server, line, { eventHandler })
      await it.up()
      for (const [, event] of told.slice(1)) assert.equal(event.timeout, Number.POSITIVE_INFINITY)
      assert.equal(told[1]?.[1].tcpOpts, undefined)
    })

    test('begins with a connection that can be used, before open has given it', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using server = await httpOrigin(line, answer)
      const given: { connPid: gun.ConnPid; streamRef: gun.StreamRef; stateName: string }[] = []
      const eventHandler: gun.EventHandler = {
        init({ connPid }) {
          const streamRef = gun.get(connPid, '/')
          given.push({ connPid, streamRef, stateName: gun.info(connPid).stateName })
        },
      }
      await using it = opened(server, line, { eventHandler })
      const [first] = given
      assert.ok(first !== undefined && given.length === 1)
      assert.equal(first.connPid, it.connPid)
      assert.equal(first.stateName, 'domain_lookup')
      const response = await gun.await(it.connPid, first.streamRef, PATIENCE)
      assert.ok(response.type === 'gun_response' && response.status === 204)
    })

    test('goes through the same steps again when the connection is lost, and ends once', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using server = await httpOrigin(line, (peer, index) => (index < 2 ? peer.end() : peer.closed))
      const { names, told, eventHandler } = recorder()
      await using it = opened(server, line, { eventHandler })
      for (let connection = 0; connection < 3; connection++) await it.up()
      gun.close(it.connPid)
      assert.deepEqual(names, [
        'init',
        ...made,
        'disconnect',
        ...made,
        'disconnect',
        ...made,
        'disconnect',
        'terminate',
      ])
      const reasons = told.filter(([name]) => name === 'disconnect').map(([, { reason }]) => reason)
      assert.ok(reasons[0] instanceof gun.GunError && reasons[0].code === 'closed')
      assert.ok(reasons[1] instanceof gun.GunError && reasons[1].code === 'closed')
      assert.equal(reasons[2], 'normal')
    })

    test('that is lost with no retry left ends with the reason, after the errors and before gun_down', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const close = async (peer: HttpPeer) => {
        await peer.request()
        peer.end()
      }
      await using server = await httpOrigin(line, close)
      const seen: number[] = []
      const { names, last, eventHandler } = recorder(name => {
        if (name === 'disconnect' || name === 'terminate') seen.push(it.self.messageQueueLength)
      })
      await using it = opened(server, line, { eventHandler, retry: 0 })
      await it.up()
      gun.get(it.connPid, '/')
      const down = await it.down()
      assert.deepEqual(names, ['init', ...made, 'disconnect', 'terminate'])
      const { connPid } = it
      const reason = last('disconnect')?.reason
      assert.ok(reason instanceof gun.GunError && reason.code === 'closed')
      assert.deepEqual(last('terminate'), { connPid, state: 'not_connected', reason: ['shutdown', reason] })
      assert.deepEqual(down, ['shutdown', reason])
      assert.deepEqual(await it.waiting(), ['gun_error', 'gun_down', 'gun_error'])
      assert.deepEqual(seen, [1, 3])
    })

    test('that the server ends in order has disconnect and terminate with normal', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using server = await httpOrigin(line, peer => peer.serveLast(NOTHING))
      const { told, eventHandler } = recorder()
      await using it = opened(server, line, { eventHandler, retry: 0 })
      await it.up()
      gun.get(it.connPid, '/')
      assert.equal(await it.down(), 'normal')
      const { connPid } = it
      assert.deepEqual(told.slice(-2), [
        ['disconnect', { connPid, reason: 'normal' }],
        ['terminate', { connPid, state: 'not_connected', reason: 'normal' }],
      ])
    })

    for (const [how, end, reason] of [
      ['shutdown', (it: ReturnType<typeof opened>) => gun.shutdown(it.connPid), 'shutdown'],
      ['close', (it: ReturnType<typeof opened>) => gun.close(it.connPid), 'shutdown'],
      ["the owner's exit", (it: ReturnType<typeof opened>) => it.self.exit(), 'normal'],
      ["the owner's exit with an error", (it: ReturnType<typeof opened>) => it.self.exit(boom), 'owner_down'],
    ] as const) {
      test(`ends with ${how} while it is up and nothing is under way`, async () => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        using _hook = silenced()
        await using server = await httpOrigin(line, holding)
        const { told, eventHandler } = recorder()
        await using it = opened(server, line, { eventHandler })
        await using watcher = createProcess<gun.GunMessage>()
        await it.up()
        watcher.monitor(it.connPid)
        end(it)
        const down = await watcher.receive([{ type: 'DOWN', pid: it.connPid }], PATIENCE)
        const { connPid } = it
        assert.deepEqual(told.slice(1 + made.length), [
          ['disconnect', { connPid, reason: 'normal' }],
          ['terminate', { connPid, state: 'connected', reason: down.reason }],
        ])
        assert.equal(codeOf(down.reason), reason)
      })
    }

    test('ends in closing when a shutdown waits for a response', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using server = await httpOrigin(line, answer)
      const { told, eventHandler } = recorder()
      await using it = opened(server, line, { eventHandler })
      await it.up()
      gun.get(it.connPid, '/')
      gun.shutdown(it.connPid)
      assert.equal(told.length, 1 + made.length)
      assert.equal(await it.down(), 'shutdown')
      const { connPid } = it
      assert.deepEqual(told.slice(1 + made.length), [
        ['disconnect', { connPid, reason: 'normal' }],
        ['terminate', { connPid, state: 'closing', reason: 'shutdown' }],
      ])
    })

    test('says why a shutdown was not orderly', async t => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using server = await httpOrigin(line, leave)
      const { last, eventHandler } = recorder()
      // Timers from before the clock is replaced could not be stopped behind it.
      const http2Opts = {
        prefaceTimeout: Number.POSITIVE_INFINITY,
        settingsTimeout: Number.POSITIVE_INFINITY,
      }
      await using it = opened(server, line, { eventHandler, http2Opts })
      await it.up()
      const tick = mockTimeouts(t)
      gun.get(it.connPid, '/')
      gun.shutdown(it.connPid)
      await tick(15_000)
      const { connPid } = it
      const reason = last('disconnect')?.reason
      assert.ok(reason instanceof gun.GunError && reason.code === 'closing_timeout')
      assert.deepEqual(last('terminate'), { connPid, state: 'closing', reason: 'shutdown' })
      // What lingers of the socket ends with this.
      await tick(1000)
    })

    test('ends with the machine that has invoked it', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using server = await httpOrigin(line, holding)
      const { names, last, eventHandler } = recorder()
      const opts: gun.Opts = speaking(version, {
        eventHandler,
        transport: transport === 'tls' ? 'tls' : 'tcp',
        tlsOpts: { ca: certificates.ca },
      })
      const { host, port, path } = server
      const input = path === undefined ? { host, port, opts } : { path, opts }
      const parent = createActor(
        setup({ actors: { connection: gun.connectionMachine } }).createMachine({
          invoke: { src: 'connection', id: 'connection', input },
        }),
      )
      assert.deepEqual(names, [])
      parent.start()
      const { connPid } = parent.getSnapshot().children.connection?.getSnapshot().context ?? {}
      assert.ok(connPid)
      assert.deepEqual(names, ['init', 'domainLookupStart'])
      assert.equal(last('init')?.owner, parent)
      await reach(connPid, 'connected')
      parent.stop()
      assert.deepEqual(names, ['init', ...made, 'disconnect', 'terminate'])
      assert.equal(last('disconnect')?.reason, 'normal')
      assert.deepEqual(last('terminate'), { connPid, state: 'connected', reason: 'shutdown' })
    })
  })
}

describe('the life of a connection', () => {
  test('has no beginning when the machine is never started', async () => {
    const { names, eventHandler } = recorder()
    const actor = createActor(gun.connectionMachine, {
      input: { host: 'localhost', port: 1, opts: { eventHandler } },
    })
    actor.stop()
    assert.deepEqual(names, [])
  })
})

for (const transport of transports) {
  const made = making(transport)

  describe(`an attempt to connect over ${transport} that fails`, () => {
    test('because nobody listens has the error in connectEnd, each time', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const { names, told, eventHandler } = recorder()
      await using it = opened(await nowhere(transport), transport, { eventHandler, retry: 1 })
      const down = await it.down()
      const attempt = ['domainLookupStart', 'domainLookupEnd', 'connectStart', 'connectEnd']
      assert.deepEqual(names, ['init', ...attempt, ...attempt, 'terminate'])
      const ends = told.filter(([name]) => name === 'connectEnd').map(([, event]) => event)
      for (const event of ends) {
        assert.deepEqual(Object.keys(event), ['connPid', 'lookupInfo', 'timeout', 'error'])
        assert.equal(codeOf(event.error), 'connect_error')
      }
      const { connPid } = it
      const reason = ['shutdown', ends[1]?.error]
      assert.deepEqual(told.at(-1), ['terminate', { connPid, state: 'not_connected', reason }])
      assert.deepEqual(down, reason)
    })

    test('because an option cannot be has the error in connectEnd', {
      skip: transport === 'unix',
    }, async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const { names, last, eventHandler } = recorder()
      // An address of nobody's (RFC 5737).
      const opts = { eventHandler, retry: 0, tcpOpts: { localAddress: '192.0.2.1' } }
      await using server = await origin(() => {}, { transport })
      await using it = opened(server, transport, opts)
      await it.down()
      assert.deepEqual(names.slice(-3), ['connectStart', 'connectEnd', 'terminate'])
      assert.equal(codeOf(last('connectEnd')?.error), 'connect_error')
    })

    // A Unix socket is connected to at once, or not at all.
    const slow = transport === 'unix' ? { skip: true } : onLinux
    test('because it takes too long has the error in connectEnd', slow, async t => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using silent = await unanswering()
      const server = { host: '127.0.0.1', port: silent.port }
      const tick = mockTimeouts(t)
      const { names, last, eventHandler } = recorder()
      await using it = opened(server, transport, { eventHandler, retry: 0, connectTimeout: 1000 })
      await reachAtOnce(it.connPid, 'connecting')
      assert.equal(names.at(-1), 'connectStart')
      await tick(1000)
      assert.deepEqual(names.slice(-3), ['connectStart', 'connectEnd', 'terminate'])
      assert.equal(codeOf(last('connectEnd')?.error), 'connect_timeout')
      assert.equal(last('connectEnd')?.socket, undefined)
      assert.deepEqual(last('terminate')?.reason, ['shutdown', last('connectEnd')?.error])
    })
  })

  describe(`a step of connecting over ${transport} that is given up`, () => {
    const ways = {
      close: it => gun.close(it.connPid),
      shutdown: it => gun.shutdown(it.connPid),
      "the owner's exit": it => it.self.exit(),
    } as const satisfies Record<string, (it: ReturnType<typeof opened>) => void>
    const states = ['domain_lookup', 'connecting', 'initial_tls_handshake', 'not_connected'] as const
    for (const [how, end] of Object.entries(ways)) {
      for (const state of states) {
        if (state === 'initial_tls_handshake' && transport !== 'tls') continue
        test(`by ${how} in ${state} has no end, and terminate follows`, async () => {
          await using _left = assertNothingLeft()
          await using _calm = collectWarnings()
          await using server = await origin(hold)
          const target = state === 'not_connected' ? await nowhere(transport) : server
          const { names, last, eventHandler } = recorder()
          const retryFun = () => ({ retries: 1, timeout: 60_000 })
          await using it = opened(target, transport, { eventHandler, retryFun })
          if (state === 'connecting') await reachAtOnce(it.connPid, state)
          else if (state !== 'domain_lookup') await reach(it.connPid, state)
          const before = [...names]
          assert.ok(state === 'not_connected' || before.at(-1)?.endsWith('Start'), before.at(-1))
          end(it)
          assert.equal(gun.info(it.connPid).stateName, 'terminated')
          // What was under way gets the chance to say something.
          for (let turns = 0; turns < 5; turns++) await turn()
          assert.deepEqual(names, [...before, 'terminate'])
          const { connPid } = it
          const reason = how === "the owner's exit" ? 'normal' : 'shutdown'
          assert.deepEqual(last('terminate'), { connPid, state, reason })
        })
      }
    }
  })

  describe(`an event handler over ${transport}`, () => {
    for (const name of LIFE) {
      if (name.startsWith('tls') && transport !== 'tls') continue
      test(`that closes the connection in ${name} hears of nothing more but its end`, async () => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        await using server = await origin(serve, { transport })
        const { names, eventHandler } = recorder((each, { connPid }) => {
          if (each === name) gun.close(connPid)
        })
        await using it = opened(server, transport, { eventHandler, retry: 0 })
        gun.wsUpgrade(it.connPid, '/')
        const ends = name === 'disconnect' || name === 'terminate'
        if (ends) {
          await it.self.receive([{ type: 'gun_upgrade' }], PATIENCE)
          gun.wsSend(it.connPid, 'close')
        }
        await it.down()
        for (let turns = 0; turns < 5; turns++) await turn()
        const all: LifeName[] = ['init', ...made, 'protocolChanged', 'disconnect', 'terminate']
        const until = all.slice(0, all.indexOf(name) + 1)
        if (name === 'protocolChanged') until.push('disconnect')
        if (name !== 'terminate') until.push('terminate')
        assert.deepEqual(names, until)
        assert.equal(gun.info(it.connPid).socket, undefined)
      })

      test(`that throws in ${name} is reported, and changes nothing`, async () => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        await using server = await origin(serve, { transport })
        const reports: unknown[] = []
        const previous = setExitHook((pid, reason) => reports.push([pid, reason]))
        try {
          const { names, eventHandler } = recorder(each => {
            if (each === name) throw boom
          })
          await using it = opened(server, transport, { eventHandler, retry: 0 })
          const { connPid } = it
          gun.wsUpgrade(connPid, '/')
          await it.self.receive([{ type: 'gun_upgrade' }], PATIENCE)
          gun.wsSend(connPid, 'close')
          assert.equal(await it.down(), 'normal')
          assert.deepEqual(names, ['init', ...made, 'protocolChanged', 'disconnect', 'terminate'])
          assert.deepEqual(reports, [[connPid, boom]])
          assert.deepEqual(await it.waiting(), ['gun_up', 'gun_ws', 'gun_down'])
        } finally {
          setExitHook(previous)
        }
      })
    }
  })

  describe(`a WebSocket over ${transport}`, () => {
    test('is told of as the new protocol, before gun_upgrade, in its state; its end is told, too', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using server = await origin(serve, { transport })
      const infos: unknown[] = []
      const { names, last, eventHandler } = recorder((name, { connPid }) => {
        if (name !== 'protocolChanged') return
        const { stateName, protocol } = gun.info(connPid)
        infos.push([stateName, protocol, it.self.messageQueueLength])
      })
      await using it = opened(server, transport, { eventHandler, retry: 0 })
      await it.up()
      const { connPid } = it
      const streamRef = gun.wsUpgrade(connPid, '/')
      await it.self.receive([{ type: 'gun_upgrade' }], PATIENCE)
      assert.deepEqual(infos, [['connected_ws_only', 'ws', 0]])
      assert.deepEqual(last('protocolChanged'), { connPid, streamRef, protocol: 'ws' })
      gun.wsSend(connPid, 'close')
      assert.equal(await it.down(), 'normal')
      assert.deepEqual(names, ['init', ...made, 'protocolChanged', 'disconnect', 'terminate'])
      assert.equal(last('disconnect')?.reason, 'normal')
      assert.deepEqual(last('terminate'), { connPid, state: 'closing', reason: 'normal' })
    })

    test('that is refused changes no protocol', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const refuse = async (peer: Peer) => {
        await peer.receiveRequest()
        await peer.send(NO_CONTENT)
        await peer.closed
      }
      await using server = await origin(refuse, { transport })
      const { names, eventHandler } = recorder()
      await using it = opened(server, transport, { eventHandler })
      await gun.await(it.connPid, gun.wsUpgrade(it.connPid, '/'), PATIENCE)
      assert.deepEqual(names, ['init', ...made])
    })

    test('that comes back is a new protocol again', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const script = async (peer: Peer, index: number) => {
        await peer.send(switchingProtocols(await peer.receiveRequest()))
        await peer.send(frame({ opcode: opcodes.text, payload: 'hello' }))
        if (index === 0) peer.end()
        else await peer.closed
      }
      await using server = await origin(script, { transport })
      const { names, told, eventHandler } = recorder()
      await using it = opened(server, transport, { eventHandler })
      const streamRef = gun.wsUpgrade(it.connPid, '/', {}, { reupgrade: true })
      for (let i = 0; i < 2; i++) await it.self.receive([{ type: 'gun_upgrade' }], PATIENCE)
      gun.close(it.connPid)
      const once: LifeName[] = [...made, 'protocolChanged', 'disconnect']
      assert.deepEqual(names, ['init', ...once, ...once, 'terminate'])
      for (const [name, event] of told)
        if (name === 'protocolChanged') assert.equal(event.streamRef, streamRef)
      assert.equal(told.at(-1)?.[1].state, 'connected_ws_only')
    })
  })
}

describe('a look-up', () => {
  test('of a name gives all its addresses, or one of them', async () => {
    await using _left = assertNothingLeft()
    await using _calm = collectWarnings()
    await using server = await origin(hold)
    const { last, eventHandler } = recorder()
    await using it = opened({ host: 'localhost', port: server.port }, 'tcp', { eventHandler })
    await it.up()
    const { lookupInfo } = last('domainLookupEnd') as { lookupInfo?: { address: string }[] }
    assert.ok(lookupInfo?.some(({ address }) => address === '127.0.0.1'))
    assert.equal(last('connectStart')?.lookupInfo, lookupInfo)
    assert.equal(last('connectEnd')?.lookupInfo, lookupInfo)
  })

  test('that fails has the error in its end, and nothing is connected', async () => {
    await using _left = assertNothingLeft()
    await using _calm = collectWarnings()
    const { told, eventHandler } = recorder()
    const host = 'does-not-exist.invalid'
    await using it = opened({ host, port: 80 }, 'tcp', { eventHandler, retry: 0 })
    const down = await it.down()
    const { connPid } = it
    const error = told[2]?.[1].error
    assert.equal(codeOf(error), 'domain_lookup_error')
    const lookup = { connPid, host, port: 80, tcpOpts: undefined, timeout: Number.POSITIVE_INFINITY }
    assert.deepEqual(told.slice(1), [
      ['domainLookupStart', lookup],
      ['domainLookupEnd', { ...lookup, error }],
      ['terminate', { connPid, state: 'not_connected', reason: ['shutdown', error] }],
    ])
    assert.deepEqual(down, ['shutdown', error])
  })

  test('that takes too long has the error in its end, once', async t => {
    await using _left = assertNothingLeft()
    await using _calm = collectWarnings()
    const tick = mockTimeouts(t)
    const { names, last, eventHandler } = recorder()
    const opts = { eventHandler, retry: 0, domainLookupTimeout: 1000, tcpOpts: { lookup: () => {} } }
    await using it = opened({ host: 'silent.test', port: 80 }, 'tcp', opts)
    assert.deepEqual(names, ['init', 'domainLookupStart'])
    await tick(1000)
    assert.deepEqual(names, ['init', 'domainLookupStart', 'domainLookupEnd', 'terminate'])
    assert.equal(codeOf(last('domainLookupEnd')?.error), 'domain_lookup_timeout')
    assert.equal(last('domainLookupEnd')?.lookupInfo, undefined)
    assert.deepEqual(last('terminate')?.reason, ['shutdown', last('domainLookupEnd')?.error])
    await it.down()
  })
})

describe('a TLS handshake', () => {
  test('that fails has the error in its end, with the socket', async () => {
    await using _left = assertNothingLeft()
    await using _calm = collectWarnings()
    await using server = await origin(() => {}, { transport: 'tls' })
    const { names, last, eventHandler } = recorder()
    const tlsOpts = {}
    await using it = opened(server, 'tls', { eventHandler, retry: 0, tlsOpts })
    const down = await it.down()
    assert.deepEqual(names, ['init', ...making('tls'), 'terminate'])
    const { connPid } = it
    const { socket } = last('connectEnd') ?? {}
    const error = last('tlsHandshakeEnd')?.error
    assert.equal(codeOf(error), 'tls_error')
    const timeout = Number.POSITIVE_INFINITY
    assert.deepEqual(last('tlsHandshakeEnd'), { connPid, socket, tlsOpts, timeout, error })
    assert.deepEqual(down, ['shutdown', error])
    assert.deepEqual(last('terminate'), { connPid, state: 'not_connected', reason: down })
  })

  test('with an option that cannot be has the error in its end', async () => {
    await using _left = assertNothingLeft()
    await using _calm = collectWarnings()
    await using server = await origin(() => {}, { transport: 'tls' })
    const { names, last, eventHandler } = recorder()
    await using it = opened(server, 'tls', { eventHandler, retry: 0, tlsOpts: { cert: 'nonsense' } })
    await it.down()
    assert.deepEqual(names, ['init', ...making('tls'), 'terminate'])
    assert.equal(codeOf(last('tlsHandshakeEnd')?.error), 'tls_error')
  })

  test('that takes too long has the error in its end, once', async t => {
    await using _left = assertNothingLeft()
    await using _calm = collectWarnings()
    await using server = await origin(hold)
    const tick = mockTimeouts(t)
    const { names, last, eventHandler } = recorder()
    await using it = opened(server, 'tls', { eventHandler, retry: 0, tlsHandshakeTimeout: 1000 })
    await reach(it.connPid, 'initial_tls_handshake')
    await tick(1000)
    assert.deepEqual(names, ['init', ...making('tls'), 'terminate'])
    assert.equal(codeOf(last('tlsHandshakeEnd')?.error), 'tls_handshake_timeout')
    await it.down()
  })
})

function codeOf(reason: unknown): unknown {
  if (Array.isArray(reason)) return codeOf(reason[1])
  return reason instanceof gun.GunError ? reason.code : reason
}

function silenced(): Disposable {
  const previous = setExitHook(() => {})
  return { [Symbol.dispose]: () => setExitHook(previous) }
}
