// A connection is owned: who may own it, and what happens to it when its owner or its last link goes.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import * as gun from '@holster/gun'
import {
  createProcess,
  type ExitReason,
  exit,
  P,
  Process,
  register,
  setExitHook,
  spawn,
  whereis,
} from '@holster/process'
import { watch } from '@holster/process/internal'
import { certificates, type Peer, type ScriptedServer } from '@holster/testing'
import { closePayload, frame, opcodes, receiveFrame, switchingProtocols } from '@holster/testing/frames'
import { assign, createActor, fromCallback, setup } from 'xstate'
import {
  connect,
  type Deferred,
  defer,
  eventually,
  freePort,
  NO_CONTENT,
  PATIENCE,
  receiveError,
} from '../support/client.ts'
import { assertNothingLeft, collectWarnings } from '../support/leftovers.ts'
import { origin } from '../support/origin.ts'
import { websocketServer } from '../support/websocket-server.ts'

/** What the exit hook is given while this is in use. */
function hooked(): Disposable & { readonly reports: readonly (readonly [unknown, ExitReason])[] } {
  const reports: [unknown, ExitReason][] = []
  const previous = setExitHook((pid, reason) => reports.push([pid, reason]))
  return { reports, [Symbol.dispose]: () => setExitHook(previous) }
}

function reach(connPid: gun.ConnPid, stateName: string): Promise<void> {
  return eventually(() => gun.info(connPid).stateName === stateName, `${connPid} never was ${stateName}`)
}

async function downOf(watcher: Process<gun.GunMessage>, connPid: gun.ConnPid): Promise<ExitReason> {
  return (await watcher.receive([{ type: 'DOWN', pid: connPid }], PATIENCE)).reason
}

/** A way to bring a connection into a state. */
interface Situation extends AsyncDisposable {
  readonly connPid: gun.ConnPid
  readonly server?: ScriptedServer
}

/** Serves a request that it answers when told to, or a WebSocket that closes as it should. */
async function serve(peer: Peer): Promise<void> {
  const request = await peer.receiveRequest()
  if (request.header('upgrade') === undefined) return void (await peer.send(NO_CONTENT))
  await peer.send(switchingProtocols(request))
  const close = await receiveFrame(peer)
  assert.equal(close.opcode, opcodes.close)
  assert.deepEqual(close.payload, closePayload(1001))
  peer.end(frame({ opcode: opcodes.close, payload: close.payload }))
}

const situations: Record<string, (owner: Process<gun.GunMessage>) => Promise<Situation>> = {
  async domain_lookup(owner) {
    const connPid = gun.open('localhost', 1, { owner })
    return { connPid, async [Symbol.asyncDispose]() {} }
  },
  async connecting(owner) {
    const server = await origin(() => {})
    const connPid = gun.open(server.host, server.port, { owner })
    // An address is looked up without waiting for anything.
    for (let i = 0; i < 100 && gun.info(connPid).stateName !== 'connecting'; i++) await null
    return { connPid, server, [Symbol.asyncDispose]: server.close }
  },
  async initial_tls_handshake(owner) {
    const server = await origin(peer => peer.closed)
    const connPid = gun.open(server.host, server.port, { owner, transport: 'tls' })
    await reach(connPid, 'initial_tls_handshake')
    return { connPid, server, [Symbol.asyncDispose]: server.close }
  },
  async connected(owner) {
    const server = await origin(serve)
    const connPid = gun.open(server.host, server.port, { owner })
    await gun.awaitUp(connPid, PATIENCE)
    return { connPid, server, [Symbol.asyncDispose]: server.close }
  },
  async connected_ws_only(owner) {
    const server = await origin(serve)
    const connPid = gun.open(server.host, server.port, { owner })
    await gun.await(connPid, gun.wsUpgrade(connPid, '/'), PATIENCE)
    return { connPid, server, [Symbol.asyncDispose]: server.close }
  },
  async closing(owner) {
    const server = await origin(serve)
    const connPid = gun.open(server.host, server.port, { owner })
    await gun.awaitUp(connPid, PATIENCE)
    gun.get(connPid, '/')
    gun.shutdown(connPid)
    return { connPid, server, [Symbol.asyncDispose]: server.close }
  },
  async not_connected(owner) {
    const failed = defer<void>()
    const retryFun = () => {
      failed.resolve()
      return { retries: 1, timeout: 60_000 }
    }
    const connPid = gun.open('127.0.0.1', await freePort(), { owner, retryFun })
    await failed.promise
    await reach(connPid, 'not_connected')
    return { connPid, async [Symbol.asyncDispose]() {} }
  },
}

describe('when the owner exits', () => {
  for (const [stateName, arrange] of Object.entries(situations)) {
    test(`normally in ${stateName}, the connection ends gracefully with DOWN normal`, async () => {
      await using _left = assertNothingLeft()
      await using warnings = collectWarnings()
      await using watcher = createProcess<gun.GunMessage>()
      const owner = createProcess<gun.GunMessage>()
      await using situation = await arrange(owner)
      const { connPid, server } = situation
      assert.equal(gun.info(connPid).stateName, stateName)
      watcher.monitor(connPid)
      owner.exit()
      // A connection that was shutting down already does so for that reason.
      assert.equal(await downOf(watcher, connPid), stateName === 'closing' ? 'shutdown' : 'normal')
      assert.equal(gun.info(connPid).stateName, 'terminated')
      await server?.finished()
      await warnings.assertNone()
    })

    test(`with an error in ${stateName}, DOWN says that the owner is down, and why`, async () => {
      await using _left = assertNothingLeft()
      await using warnings = collectWarnings()
      using hook = hooked()
      await using watcher = createProcess<gun.GunMessage>()
      const owner = createProcess<gun.GunMessage>()
      await using situation = await arrange(owner)
      const { connPid, server } = situation
      watcher.monitor(connPid)
      const boom = new Error('boom')
      owner.exit(boom)
      const reason = await downOf(watcher, connPid)
      if (stateName === 'closing') {
        // The connection was shutting down already, by its owner's wish.
        assert.equal(reason, 'shutdown')
      } else {
        assert.ok(Array.isArray(reason) && reason.length === 2 && reason[0] === 'shutdown')
        assert.ok(reason[1] instanceof gun.GunError)
        assert.deepEqual([reason[1].code, reason[1].cause], ['owner_down', boom])
      }
      assert.deepEqual(hook.reports, [[owner, boom]])
      await server?.finished()
      await warnings.assertNone()
    })
  }

  test('requests of others are answered before the connection goes', async () => {
    await using _left = assertNothingLeft()
    const answer = defer<void>()
    await using server = await origin(async peer => {
      await peer.receiveRequest()
      await answer.promise
      await peer.send(NO_CONTENT)
    })
    await using other = createProcess<gun.GunMessage>()
    const owner = createProcess<gun.GunMessage>()
    const connPid = gun.open(server.host, server.port, { owner })
    await gun.awaitUp(connPid, PATIENCE)
    const ref = other.monitor(connPid)
    const streamRef = gun.get(connPid, '/', [], { replyTo: other })
    owner.exit()
    assert.equal(gun.info(connPid).stateName, 'closing')
    answer.resolve()
    const response = await gun.await(connPid, streamRef, PATIENCE, ref)
    assert.equal(response.type, 'gun_response')
    assert.equal(await downOf(other, connPid), 'normal')
  })

  for (const reason of ['normal', 'shutdown', ['shutdown', 'for tonight']]) {
    test(`in order, with ${reason}, the connection ends with the same reason`, async () => {
      await using _left = assertNothingLeft()
      await using server = await origin(serve)
      await using watcher = createProcess<gun.GunMessage>()
      const owner = createProcess<gun.GunMessage>()
      const connPid = gun.open(server.host, server.port, { owner })
      await gun.awaitUp(connPid, PATIENCE)
      watcher.monitor(connPid)
      owner.exit(reason)
      assert.equal(await downOf(watcher, connPid), reason)
    })
  }

  test('normally, a third process that is linked to the connection lives on', async () => {
    await using _left = assertNothingLeft()
    await using server = await origin(serve)
    await using linked = createProcess<gun.GunMessage>()
    const owner = createProcess<gun.GunMessage>()
    const connPid = gun.open(server.host, server.port, { owner })
    await gun.awaitUp(connPid, PATIENCE)
    linked.link(connPid)
    linked.monitor(connPid)
    owner.exit()
    await downOf(linked, connPid)
    assert.equal(linked.isAlive, true)
  })

  test('commands that were postponed fail', async () => {
    await using _left = assertNothingLeft()
    await using other = createProcess<gun.GunMessage>()
    const owner = createProcess<gun.GunMessage>()
    const connPid = gun.open('localhost', 1, { owner })
    const streamRef = gun.get(connPid, '/', [], { replyTo: other })
    owner.exit()
    const { reason } = await other.receive([{ type: 'gun_error', streamRef }], PATIENCE)
    assert.deepEqual([reason.kind, reason.code], ['connection_error', 'shutdown'])
  })

  test('before the connection was opened, the connection ends at once', async () => {
    await using _left = assertNothingLeft()
    await using watcher = createProcess<gun.GunMessage>()
    const owner = createProcess<gun.GunMessage>()
    owner.exit()
    const connPid = gun.open('localhost', 1, { owner })
    watcher.monitor(connPid)
    const reason = await downOf(watcher, connPid)
    assert.ok(Array.isArray(reason) && reason[1] instanceof gun.GunError)
    assert.deepEqual([reason[1].code, reason[1].cause], ['owner_down', 'noproc'])
  })
})

describe('the owner', () => {
  test('is a process made for it when none is given', async () => {
    await using _left = assertNothingLeft()
    await using server = await websocketServer()
    await using connPid = gun.open(server.host, server.port)
    const { owner } = connPid
    assert.ok(owner instanceof Process)
    assert.equal(gun.info(connPid).owner, owner)
    assert.equal(await gun.awaitUp(connPid, PATIENCE), 'http')
    const response = await gun.await(connPid, gun.get(connPid, '/'), PATIENCE)
    assert.equal(response.type, 'gun_response')
  })

  test('may be changed: from then on the messages and the life of the connection are the new one’s', async () => {
    await using _left = assertNothingLeft()
    const answer = defer<void>()
    await using server = await origin(async (peer, index) => {
      for (let i = 0; i < 2; i++) await peer.receiveRequest()
      await answer.promise
      await peer.send(NO_CONTENT.repeat(2))
      if (index === 0) peer.end()
    })
    await using first = createProcess<gun.GunMessage>()
    await using second = createProcess<gun.GunMessage>()
    await using watcher = createProcess<gun.GunMessage>()
    await using connPid = gun.open(server.host, server.port, { owner: first })
    await gun.awaitUp(connPid, PATIENCE)
    const before = gun.get(connPid, '/')
    gun.setOwner(connPid, second)
    assert.equal(connPid.owner, second)
    assert.equal(gun.info(connPid).owner, second)
    const after = gun.get(connPid, '/')
    answer.resolve()
    await second.receive([{ type: 'gun_response', streamRef: after }], PATIENCE)
    await second.receive([{ type: 'gun_down', connPid }], PATIENCE)
    await second.receive([{ type: 'gun_up', connPid }], PATIENCE)
    await first.receive([{ type: 'gun_response', streamRef: before }], 0)
    assert.equal(first.messageQueueLength, 0)
    first.exit()
    assert.equal(gun.info(connPid).stateName, 'connected')
    watcher.monitor(connPid)
    second.exit()
    assert.equal(await downOf(watcher, connPid), 'normal')
  })

  test('cannot be changed while the connection shuts down', async () => {
    await using _left = assertNothingLeft()
    await using server = await websocketServer()
    await using first = createProcess<gun.GunMessage>()
    await using second = createProcess<gun.GunMessage>()
    await using connPid = gun.open(server.host, server.port, { owner: first })
    await gun.awaitUp(connPid, PATIENCE)
    gun.shutdown(connPid)
    gun.setOwner(connPid, second)
    assert.equal(connPid.owner, first)
    const { reason } = await first.receive([{ type: 'gun_error', streamRef: undefined }], PATIENCE)
    assert.equal(reason.code, 'badstate')
    assert.equal(second.messageQueueLength, 0)
  })

  test('that is none throws, and the connection keeps the one it has', async () => {
    await using _left = assertNothingLeft()
    await using server = await websocketServer()
    await using owner = createProcess<gun.GunMessage>()
    await using watcher = createProcess<gun.GunMessage>()
    await using connPid = gun.open(server.host, server.port, { owner })
    for (const wrong of [undefined, {}, { send() {} }, () => {}, connPid]) {
      assert.throws(() => gun.setOwner(connPid, wrong as gun.Owner), {
        name: 'TypeError',
        message: /^newOwner must be /,
      })
    }
    assert.equal(connPid.owner, owner)
    assert.equal(await gun.awaitUp(connPid, PATIENCE), 'http')
    watcher.monitor(connPid)
    owner.exit()
    assert.equal(await downOf(watcher, connPid), 'normal')
  })

  test('that has exited may be followed by one that lives: the connection lives too', async () => {
    await using _left = assertNothingLeft()
    await using server = await websocketServer()
    await using client = await connect(server)
    const { connPid } = client
    await using alive = createProcess<gun.GunMessage>()
    const dead = createProcess<gun.GunMessage>()
    dead.exit()
    gun.setOwner(connPid, dead)
    gun.setOwner(connPid, alive)
    await turn()
    assert.equal(gun.info(connPid).stateName, 'connected')
    assert.equal(connPid.owner, alive)
    const response = await gun.await(connPid, gun.get(connPid, '/'), PATIENCE)
    assert.equal(response.type, 'gun_response')
  })

  test('that has exited when it is set ends the connection', async () => {
    await using _left = assertNothingLeft()
    await using server = await websocketServer()
    await using client = await connect(server)
    const { connPid } = client
    await using watcher = createProcess<gun.GunMessage>()
    watcher.monitor(connPid)
    const dead = createProcess<gun.GunMessage>()
    dead.exit()
    gun.setOwner(connPid, dead)
    const reason = await downOf(watcher, connPid)
    assert.ok(Array.isArray(reason) && reason[1] instanceof gun.GunError)
    assert.deepEqual([reason[1].code, reason[1].cause], ['owner_down', 'noproc'])
  })

  test('may be a process whose body opens the connection, and ends it by returning', async () => {
    await using _left = assertNothingLeft()
    await using server = await websocketServer()
    await using watcher = createProcess<gun.GunMessage>()
    await spawn<gun.GunMessage>(async self => {
      const connPid = gun.open(server.host, server.port, { owner: self })
      watcher.monitor(connPid)
      await gun.awaitUp(connPid, PATIENCE)
    }).exited
    assert.equal((await watcher.receive([{ type: 'DOWN' }], PATIENCE)).reason, 'normal')
  })
})

describe('an xstate actor', () => {
  const collector = (got: gun.GunMessage[], stop: gun.GunMessage['type'], done: Deferred<void>) =>
    fromCallback<gun.GunMessage>(({ receive }) => {
      receive(message => {
        got.push(message)
        if (message.type === stop) done.resolve()
      })
    })

  test('may own a connection: it gets the messages as events, and stopping it ends the connection', async () => {
    await using _left = assertNothingLeft()
    await using warnings = collectWarnings()
    await using server = await websocketServer()
    await using watcher = createProcess<gun.GunMessage>()
    const got: gun.GunMessage[] = []
    const done = defer<void>()
    const owner = createActor(collector(got, 'gun_data', done)).start()
    await using connPid = gun.open(server.host, server.port, { owner })
    watcher.monitor(connPid)
    gun.get(connPid, '/')
    await done.promise
    assert.deepEqual(
      got.map(({ type }) => type),
      ['gun_up', 'gun_response', 'gun_data'],
    )
    owner.stop()
    assert.equal(await downOf(watcher, connPid), 'shutdown')
    await warnings.assertNone()
  })

  test('that fails takes its connection along, and its error is reported once', async () => {
    await using _left = assertNothingLeft()
    await using warnings = collectWarnings()
    using hook = hooked()
    await using server = await websocketServer()
    await using watcher = createProcess<gun.GunMessage>()
    const boom = new Error('boom')
    const owner = createActor(
      setup({ types: {} as { events: gun.GunMessage } }).createMachine({
        on: {
          gun_response: {
            actions: () => {
              throw boom
            },
          },
        },
      }),
    ).start()
    await using connPid = gun.open(server.host, server.port, { owner })
    watcher.monitor(connPid)
    gun.get(connPid, '/')
    const reason = await downOf(watcher, connPid)
    assert.ok(Array.isArray(reason) && reason[1] instanceof gun.GunError)
    assert.deepEqual([reason[1].code, reason[1].cause], ['owner_down', boom])
    assert.deepEqual(hook.reports, [[owner, boom]])
    await warnings.assertNone()
  })

  test('that has stopped owns nothing: the connection ends at once', async () => {
    await using _left = assertNothingLeft()
    await using watcher = createProcess<gun.GunMessage>()
    const owner = createActor(collector([], 'gun_up', defer())).start()
    owner.stop()
    const connPid = gun.open('localhost', 1, { owner })
    watcher.monitor(connPid)
    const reason = await downOf(watcher, connPid)
    assert.ok(Array.isArray(reason) && reason[0] === 'shutdown')
  })
})

describe('connectionMachine invoked by a machine of the user', () => {
  interface Chat {
    readonly port: number
    readonly log: readonly string[]
  }

  const chat = setup({
    types: {} as { context: Chat; events: gun.GunMessage | { type: 'leave' }; input: { port: number } },
    actors: { connection: gun.connectionMachine },
    actions: {
      note: assign(({ context, event }) => ({
        log: [...context.log, event.type === 'gun_ws' ? String(event.frame[1]) : event.type],
      })),
    },
  }).createMachine({
    context: ({ input }) => ({ port: input.port, log: [] }),
    invoke: {
      id: 'connection',
      src: 'connection',
      input: ({ context }) => ({ host: '127.0.0.1', port: context.port }),
    },
    initial: 'connecting',
    states: {
      connecting: {
        on: {
          gun_up: {
            actions: ['note', ({ event }) => gun.wsUpgrade(event.connPid, '/websocket')],
            target: 'upgrading',
          },
        },
      },
      upgrading: {
        on: {
          gun_upgrade: {
            actions: ['note', ({ event }) => gun.wsSend(event.connPid, event.streamRef, ['text', 'Hello!'])],
            target: 'talking',
          },
        },
      },
      talking: { on: { gun_ws: { actions: 'note', target: 'content' } } },
      content: {},
      left: { type: 'final' },
    },
    on: { leave: '.left' },
  })

  for (const [how, leave] of [
    ['stopped', actor => actor.stop()],
    ['done', actor => actor.send({ type: 'leave' })],
  ] as const satisfies [string, (actor: ReturnType<typeof createActor<typeof chat>>) => void][]) {
    test(`is owned by it, and the socket closes when it is ${how}`, async () => {
      await using _left = assertNothingLeft()
      await using warnings = collectWarnings()
      const closed = defer<void>()
      await using server = await websocketServer({
        onConnection: socket => {
          socket.on('message', data => socket.send(String(data)))
          socket.on('close', () => closed.resolve())
        },
      })
      const actor = createActor(chat, { input: { port: server.port } })
      const content = defer<void>()
      actor.subscribe(snapshot => {
        if (snapshot.matches('content')) content.resolve()
      })
      actor.start()
      const { connPid } = actor.getSnapshot().children.connection?.getSnapshot().context ?? {}
      assert.ok(connPid)
      assert.equal(connPid.owner, actor)
      await using watcher = createProcess<gun.GunMessage>()
      watcher.monitor(connPid)
      await content.promise
      assert.deepEqual(actor.getSnapshot().context.log, ['gun_up', 'gun_upgrade', 'Hello!'])
      leave(actor)
      assert.equal(await downOf(watcher, connPid), 'shutdown')
      await closed.promise
      await warnings.assertNone()
    })
  }

  test('takes the path of a Unix socket and options as input', async () => {
    await using _left = assertNothingLeft()
    await using server = await websocketServer({ transport: 'unix' })
    await using owner = createProcess<gun.GunMessage>()
    assert.ok(server.path)
    const actor = createActor(gun.connectionMachine, {
      input: { path: server.path, opts: { owner } },
    }).start()
    const { connPid } = actor.getSnapshot().context
    assert.equal(await gun.awaitUp(connPid, PATIENCE), 'http')
    actor.stop()
    assert.equal(gun.info(connPid).socket, undefined)
  })
})

describe('a function that throws as replyTo', () => {
  test('harms only itself: its error goes to the exit hook', async () => {
    await using _left = assertNothingLeft()
    await using warnings = collectWarnings()
    using hook = hooked()
    await using server = await websocketServer()
    await using owner = createProcess<gun.GunMessage>()
    await using connPid = gun.open(server.host, server.port, { owner })
    const boom = new Error('boom')
    const replyTo = () => {
      throw boom
    }
    gun.get(connPid, '/', [], { replyTo })
    const streamRef = gun.get(connPid, '/')
    assert.equal((await gun.await(connPid, streamRef, PATIENCE)).type, 'gun_response')
    assert.deepEqual(hook.reports, [
      [connPid, boom],
      [connPid, boom],
    ])
    const webSocket = gun.wsUpgrade(connPid, '/websocket', [], { replyTo })
    await reach(connPid, 'connected_ws_only')
    gun.wsSend(connPid, webSocket, 'close')
    await owner.receive([{ type: 'gun_down', connPid }], PATIENCE)
    assert.equal(hook.reports.length, 4)
    await warnings.assertNone()
  })
})

describe('when the connection has ended', () => {
  test('a function that asks again on each gun_error does not call itself, and has the ref by then', async () => {
    await using _left = assertNothingLeft()
    await using warnings = collectWarnings()
    await using owner = createProcess<gun.GunMessage>()
    const connPid = gun.open('localhost', 1, { owner })
    gun.close(connPid)
    const errors: gun.GunErrorMessage[] = []
    const returned = new Set<gun.StreamRef | undefined>()
    const early: gun.GunMessage[] = []
    const done = defer<void>()
    let depth = 0
    let deepest = 0
    const ask = (): void => {
      returned.add(gun.get(connPid, '/', [], { replyTo }))
    }
    const replyTo = (message: gun.GunMessage): void => {
      depth++
      deepest = Math.max(deepest, depth)
      assert.ok(message.type === 'gun_error')
      if (!returned.has(message.streamRef)) early.push(message)
      errors.push(message)
      if (errors.length === 100) done.resolve()
      else ask()
      depth--
    }
    ask()
    await done.promise
    assert.equal(deepest, 1)
    assert.deepEqual(early, [])
    assert.equal(new Set(errors.map(({ streamRef }) => streamRef)).size, 100)
    for (const { reason } of errors) assert.equal(reason.code, 'closed')
    await warnings.assertNone()
  })

  test('a command that comes too late does not keep it alive in its owner', async () => {
    await using _left = assertNothingLeft()
    const { gc } = globalThis
    assert.ok(gc, 'run with --expose-gc')
    await using server = await websocketServer()
    await using owner = createProcess<gun.GunMessage>()
    const used = async (): Promise<WeakRef<gun.ConnPid>> => {
      const connPid = gun.open(server.host, server.port, { owner })
      await gun.awaitUp(connPid, PATIENCE)
      gun.close(connPid)
      const error = await receiveError({ owner, connPid }, gun.get(connPid, '/'))
      assert.equal(error.code, 'closed')
      owner.flush()
      return new WeakRef(connPid)
    }
    const ended = await used()
    for (let turns = 0; turns < 100 && ended.deref() !== undefined; turns++) {
      await turn()
      gc()
    }
    assert.equal(ended.deref(), undefined)
    assert.ok(owner.isAlive)
  })
})

describe('a closingTimeout of 0', () => {
  for (const [what, opts, ask] of [
    ['request', { httpOpts: { closingTimeout: 0 } }, connPid => gun.get(connPid, '/')],
    ['WebSocket', { wsOpts: { closingTimeout: 0 } }, connPid => gun.wsUpgrade(connPid, '/')],
  ] as const satisfies [string, gun.Opts, (connPid: gun.ConnPid) => gun.StreamRef][]) {
    test(`ends a ${what} at once with the code shutdown when the connection is shut down`, async () => {
      await using _left = assertNothingLeft()
      const arrived = defer<void>()
      await using server = await origin(async peer => {
        const request = await peer.receiveRequest()
        if (request.header('upgrade') !== undefined) await peer.send(switchingProtocols(request))
        arrived.resolve()
        await peer.closed
      })
      await using client = await connect(server, 'tcp', opts)
      const { owner, connPid } = client
      const ref = owner.monitor(connPid)
      const streamRef = ask(connPid)
      await arrived.promise
      if (what === 'WebSocket') await gun.await(connPid, streamRef, PATIENCE)
      gun.shutdown(connPid)
      assert.equal(gun.info(connPid).stateName, 'terminated')
      const { reason } = await owner.receive([{ type: 'gun_error', streamRef }], 0)
      assert.deepEqual([reason.kind, reason.code], ['connection_error', 'shutdown'])
      assert.equal((await owner.receive([{ type: 'DOWN', ref }], 0)).reason, 'shutdown')
      assert.equal(owner.messageQueueLength, 0)
    })
  }
})

describe('links and signals', () => {
  test('a listener of watch that throws keeps no DOWN from others, nor harms whoever ends the connection', async () => {
    await using _left = assertNothingLeft()
    await using warnings = collectWarnings()
    using hook = hooked()
    await using server = await websocketServer()
    await using client = await connect(server)
    const { owner, connPid } = client
    const boom = new Error('boom')
    const fail = () => {
      throw boom
    }
    watch(connPid, fail)
    const ref = owner.monitor(connPid)
    watch(connPid, fail)
    gun.close(connPid)
    assert.equal((await owner.receive([{ type: 'DOWN', ref }], 0)).reason, 'shutdown')
    assert.deepEqual(
      hook.reports.map(([, reason]) => reason),
      [boom, boom],
    )
    await warnings.assertNone()
  })

  test('await using shuts the connection down and waits for its end', async () => {
    await using _left = assertNothingLeft()
    await using server = await origin(serve)
    await using owner = createProcess<gun.GunMessage>()
    let last: gun.ConnPid
    {
      await using connPid = gun.open(server.host, server.port, { owner })
      last = connPid
      await gun.await(connPid, gun.wsUpgrade(connPid, '/'), PATIENCE)
    }
    assert.equal(gun.info(last).stateName, 'terminated')
    await last[Symbol.asyncDispose]()
    await server.finished()
  })

  test('a linked process ends with the connection', async () => {
    await using _left = assertNothingLeft()
    await using server = await websocketServer()
    await using owner = createProcess<gun.GunMessage>()
    const linked = createProcess<gun.GunMessage>()
    const connPid = gun.open(server.host, server.port, { owner })
    linked.link(connPid)
    await gun.awaitUp(connPid, PATIENCE)
    gun.close(connPid)
    assert.equal(await linked.exited, 'shutdown')
  })

  test('a linked process that traps exits is told', async () => {
    await using _left = assertNothingLeft()
    await using owner = createProcess<gun.GunMessage>()
    await using linked = createProcess<gun.GunMessage>({ trapExit: true })
    const connPid = gun.open('127.0.0.1', await freePort(), { owner, retry: 0 })
    linked.link(connPid)
    const message = await linked.receive([{ type: 'EXIT', from: connPid }], PATIENCE)
    assert.ok(Array.isArray(message.reason) && message.reason[1] instanceof gun.GunError)
    assert.equal(message.reason[1].code, 'connect_error')
  })

  test('a link is told of the end before a monitor, and a name is free before both', async () => {
    await using _left = assertNothingLeft()
    await using server = await websocketServer()
    await using owner = createProcess<gun.GunMessage>()
    await using watcher = createProcess<gun.GunMessage>({ trapExit: true })
    const connPid = gun.open(server.host, server.port, { owner })
    await gun.awaitUp(connPid, PATIENCE)
    const named: unknown[] = []
    watch(connPid, () => named.push(whereis('connection')))
    watcher.monitor(connPid)
    watcher.link(connPid)
    register('connection', Object.assign(connPid, { send: () => undefined }))
    gun.close(connPid)
    const types = [
      (await watcher.receive([P._], PATIENCE)).type,
      (await watcher.receive([P._], PATIENCE)).type,
    ]
    assert.deepEqual(types, ['EXIT', 'DOWN'])
    assert.deepEqual(named, [undefined])
  })

  test('the connection shuts down with a linked process whose reason is kill, as with any other', async () => {
    await using _left = assertNothingLeft()
    await using server = await origin(async peer => {
      await peer.receiveRequest()
      await peer.send(NO_CONTENT)
      await peer.closed
    })
    using _hooked = hooked()
    await using owner = createProcess<gun.GunMessage>()
    const connPid = gun.open(server.host, server.port, { owner })
    await gun.awaitUp(connPid, PATIENCE)
    const linked = createProcess()
    linked.link(connPid)
    owner.monitor(connPid)
    const streamRef = gun.get(connPid, '/')
    linked.exit('kill')
    assert.equal((await owner.receive([{ type: 'gun_response', streamRef }], PATIENCE)).status, 204)
    assert.equal(await downOf(owner, connPid), 'shutdown')
  })

  test('the connection shuts down with a linked process that exits, but not with one that was unlinked', async () => {
    await using _left = assertNothingLeft()
    await using server = await websocketServer()
    await using owner = createProcess<gun.GunMessage>()
    await using connPid = gun.open(server.host, server.port, { owner })
    await gun.awaitUp(connPid, PATIENCE)
    const [first, second] = [createProcess(), createProcess()]
    first.link(connPid)
    first.unlink(connPid)
    first.exit('shutdown')
    assert.equal(gun.info(connPid).stateName, 'connected')
    second.link(connPid)
    owner.monitor(connPid)
    second.exit('shutdown')
    assert.equal(await downOf(owner, connPid), 'shutdown')
  })

  test("exit signals: 'normal' is ignored, 'kill' closes at once, another reason shuts down", async () => {
    await using _left = assertNothingLeft()
    await using server = await origin(async peer => {
      await peer.receiveRequest()
      await peer.closed
    })
    await using owner = createProcess<gun.GunMessage>()
    const connPid = gun.open(server.host, server.port, { owner })
    await gun.awaitUp(connPid, PATIENCE)
    const streamRef = gun.get(connPid, '/')
    exit(connPid, 'normal')
    assert.equal(gun.info(connPid).stateName, 'connected')
    exit(connPid, 'reason')
    assert.equal(gun.info(connPid).stateName, 'closing')
    exit(connPid, 'kill')
    assert.equal(gun.info(connPid).stateName, 'terminated')
    const error = await owner.receive([{ type: 'gun_error', streamRef }], 0)
    assert.equal(error.reason.code, 'shutdown')
    exit(connPid, 'kill')
    owner.monitor(connPid)
    assert.equal(await downOf(owner, connPid), 'noproc')
  })
})

describe('info', () => {
  for (const [stateName, arrange] of Object.entries(situations)) {
    test(`in ${stateName}`, async () => {
      await using _left = assertNothingLeft()
      await using owner = createProcess<gun.GunMessage>()
      await using situation = await arrange(owner)
      const { connPid } = situation
      const isUp = ['connected', 'connected_ws_only', 'closing'].includes(stateName)
      const { socket, sockIp, sockPort, originPort, ...rest } = gun.info(connPid)
      const isTls = stateName === 'initial_tls_handshake'
      assert.deepEqual(rest, {
        owner,
        transport: isTls ? 'tls' : 'tcp',
        protocol: stateName === 'connected_ws_only' ? 'ws' : isUp ? 'http' : undefined,
        stateName,
        originScheme: isTls ? 'https' : 'http',
        originHost: stateName === 'domain_lookup' ? 'localhost' : '127.0.0.1',
        intermediaries: [],
        cookieStore: undefined,
        eventHandler: undefined,
      })
      assert.equal(socket !== undefined, isUp)
      assert.equal(sockIp, isUp ? '127.0.0.1' : undefined)
      assert.equal(typeof sockPort, isUp ? 'number' : 'undefined')
      assert.ok(originPort > 0)
      gun.close(connPid)
      assert.equal(gun.info(connPid).stateName, 'terminated')
      assert.equal(gun.info(connPid).socket, undefined)
      assert.equal(gun.info(connPid).owner, owner)
    })
  }

  test('of TLS and of a Unix socket', async () => {
    await using _left = assertNothingLeft()
    await using secure = await websocketServer({ transport: 'tls' })
    await using local = await websocketServer({ transport: 'unix' })
    assert.ok(local.path)
    await using first = gun.open(secure.host, secure.port, {
      transport: 'tls',
      tlsOpts: { ca: certificates.ca },
    })
    await using second = gun.openUnix(local.path)
    await gun.awaitUp(first, PATIENCE)
    await gun.awaitUp(second, PATIENCE)
    assert.equal(gun.info(first).originScheme, 'https')
    const { originScheme, originHost, originPort, sockIp, transport } = gun.info(second)
    assert.deepEqual(
      { originScheme, originHost, originPort, sockIp, transport },
      { originScheme: 'http', originHost: 'localhost', originPort: 80, sockIp: undefined, transport: 'tcp' },
    )
  })

  test('handles print readably and can be keys', async () => {
    await using owner = createProcess<gun.GunMessage>()
    await using connPid = gun.open('localhost', 1, { owner })
    const streamRef = gun.get(connPid, '/')
    assert.match(String(connPid), /^#Conn<\d+>$/)
    assert.match(String(streamRef), /^#Stream<\d+>$/)
    assert.equal(connPid.id, String(connPid))
    assert.equal(new Map([[connPid, 1]]).get(connPid), 1)
    assert.equal('then' in connPid, false)
    // An await must not take it for a promise.
    assert.equal(await connPid, connPid)
  })
})
