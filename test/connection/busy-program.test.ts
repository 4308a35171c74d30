// A program that was busy, or whose machine was asleep, while its peers answered: their silence is its own.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import * as gun from '@holster/gun'
import { createProcess, type Process } from '@holster/process'
import { certificates } from '@holster/testing'
import { PATIENCE } from '../support/client.ts'
import { assertNothingLeft, collectWarnings } from '../support/leftovers.ts'

/** How long the peers are given, in milliseconds, and for how long the program is busy meanwhile. */
const GIVEN = 200
const BUSY = 600

/** Keeps this thread busy, so that no timer fires and no socket is read; peers are in threads of their own. */
function beBusy(): void {
  const end = performance.now() + BUSY
  while (performance.now() < end);
}

/** The same, and until the peer has given one more answer. */
function beBusyUntilAnswered({ answers }: PeerThread, before: number): void {
  const isInTime =
    Atomics.load(answers, 0) > before || Atomics.wait(answers, 0, before, PATIENCE) !== 'timed-out'
  assert.ok(isInTime, 'the peer answers')
  beBusy()
}

interface PeerThread extends AsyncDisposable {
  readonly port: number
  /** How many answers it has given. */
  readonly answers: Int32Array
}

/** A server in a thread of its own. `script` gets Node's modules, the certificates, and `listen(server)`. */
async function peerThread(script: string): Promise<PeerThread> {
  const code = `
    const { parentPort, workerData: { answers, identity } } = require('node:worker_threads')
    const answered = () => {
      Atomics.add(answers, 0, 1)
      Atomics.notify(answers, 0)
    }
    const net = require('node:net'), tls = require('node:tls'), http = require('node:http'), http2 = require('node:http2')
    const crypto = require('node:crypto')
    const sockets = new Set()
    const listen = server => {
      server.on('connection', socket => {
        sockets.add(socket.on('error', () => {}))
        socket.on('close', () => sockets.delete(socket))
      })
      server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port))
    }
    const upgrade = (request, socket) => {
      const key = request.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
      const accept = crypto.createHash('sha1').update(key).digest('base64')
      socket.write('HTTP/1.1 101 Switching Protocols\\r\\nconnection: upgrade\\r\\nupgrade: websocket\\r\\n' +
        'sec-websocket-accept: ' + accept + '\\r\\n\\r\\n')
    }
    ${script}
  `
  const answers = new Int32Array(new SharedArrayBuffer(4))
  const worker = new Worker(code, { eval: true, workerData: { answers, identity: certificates.server } })
  const [port] = (await once(worker, 'message')) as [number]
  return {
    port,
    answers,
    async [Symbol.asyncDispose]() {
      await worker.terminate()
    },
  }
}

/** Answers pings with pongs and close frames with their like, as soon as they come. */
const WEBSOCKET = `
  const server = http.createServer()
  server.on('upgrade', (request, socket) => {
    upgrade(request, socket)
    socket.on('data', bytes => {
      for (let at = 0; at < bytes.length; at += 6 + (bytes[at + 1] & 127)) {
        const opcode = bytes[at] & 15
        if (opcode === 9) socket.write(Buffer.from([0x8a, 0]))
        if (opcode === 8) socket.end(Buffer.from([0x88, 0]))
        answered()
      }
    })
  })
  listen(server)
`

/** Counts what it has answered: the client's settings, and its pings. */
const HTTP2 = `
  const server = http2.createServer()
  server.on('session', session => {
    session.on('remoteSettings', () => setImmediate(answered))
    session.on('ping', () => setImmediate(answered))
  })
  listen(server)
`

async function opened(
  port: number,
  opts: gun.Opts,
): Promise<{ owner: Process<gun.GunMessage>; connPid: gun.ConnPid }> {
  const owner = createProcess<gun.GunMessage>()
  const connPid = gun.open('127.0.0.1', port, { owner, retry: 0, ...opts })
  owner.monitor(connPid)
  return { owner, connPid }
}

/** Waits for the next message of the owner that is no drain and no such. */
async function next(owner: Process<gun.GunMessage>): Promise<string> {
  const message = await owner.receive(
    [
      { type: 'gun_up' },
      { type: 'gun_error' },
      { type: 'gun_down' },
      { type: 'gun_upgrade' },
      { type: 'DOWN' },
    ],
    PATIENCE,
  )
  if (message.type === 'gun_error') return `gun_error ${message.reason.code}`
  if (message.type === 'gun_down')
    return `gun_down ${message.reason === 'normal' ? 'normal' : message.reason.code}`
  return message.type
}

describe('a peer that has answered while this program was busy is heard', () => {
  for (const [what, script, opts] of [
    ['as it accepts a connection', 'listen(net.createServer())', { connectTimeout: GIVEN }],
    [
      'as it shakes hands',
      `listen(tls.createServer({ ...identity, ALPNCallback: () => { setImmediate(answered); return 'http/1.1' } }))`,
      { transport: 'tls', tlsOpts: { ca: certificates.ca }, protocols: ['http'], tlsHandshakeTimeout: GIVEN },
    ],
  ] as const satisfies readonly (readonly [string, string, gun.Opts])[]) {
    test(what, async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using server = await peerThread(script)
      // Busy as the step begins, in which the peer can answer alone.
      const eventHandler: gun.EventHandler = {
        connectStart: () => setImmediate(beBusy),
        tlsHandshakeStart: () => setImmediate(() => beBusyUntilAnswered(server, 0)),
      }
      const { owner, connPid } = await opened(server.port, { ...opts, eventHandler })
      assert.equal(await next(owner), 'gun_up')
      gun.close(connPid)
      owner.exit()
    })
  }

  test('as it states its settings, and acknowledges ours', async () => {
    await using _left = assertNothingLeft()
    await using _calm = collectWarnings()
    await using server = await peerThread(HTTP2)
    const http2Opts = { prefaceTimeout: GIVEN, settingsTimeout: GIVEN, notifySettingsChanged: true }
    const { owner, connPid } = await opened(server.port, { protocols: ['http2'], http2Opts })
    assert.equal(await next(owner), 'gun_up')
    // Our preface leaves first.
    setImmediate(() => beBusyUntilAnswered(server, 0))
    await owner.receive([{ type: 'gun_notify', event: 'settings_changed' }], PATIENCE)
    const streamRef = gun.ping(connPid)
    await owner.receive([{ type: 'gun_notify', event: 'ping_ack', streamRef }], PATIENCE)
    assert.equal(gun.info(connPid).stateName, 'connected')
    gun.close(connPid)
    owner.exit()
  })

  for (const [what, script, protocol] of [
    ['a WebSocket', WEBSOCKET, 'http'],
    ['HTTP/2', HTTP2, 'http2'],
  ] as const) {
    test(`as it answers pings of ${what}`, async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using server = await peerThread(script)
      const pings = { keepalive: GIVEN, keepaliveTolerance: 1 }
      const { owner, connPid } = await opened(server.port, { protocols: [protocol], http2Opts: pings })
      assert.equal(await next(owner), 'gun_up')
      if (protocol === 'http') {
        gun.wsUpgrade(connPid, '/', {}, pings)
        assert.equal(await next(owner), 'gun_upgrade')
      }
      const { socket } = gun.info(connPid)
      const isUp = () => gun.info(connPid).stateName.startsWith('connected')
      /** The next ping has left, since nothing else does by now. */
      const pinged = async () => {
        const before = socket?.bytesWritten
        while (isUp() && socket?.bytesWritten === before) await turn()
      }
      const first = Atomics.load(server.answers, 0)
      while (isUp() && Atomics.load(server.answers, 0) <= first + 1) await turn()
      for (let n = 0; n < 2; n++) {
        const answered = Atomics.load(server.answers, 0)
        await pinged()
        // The next one is due meanwhile, and nothing is read.
        beBusyUntilAnswered(server, answered)
      }
      await pinged()
      assert.ok(isUp())
      gun.close(connPid)
      owner.exit()
    })
  }

  test('as it closes a WebSocket', async () => {
    await using _left = assertNothingLeft()
    await using _calm = collectWarnings()
    await using server = await peerThread(WEBSOCKET)
    const { owner, connPid } = await opened(server.port, { wsOpts: { closingTimeout: GIVEN } })
    assert.equal(await next(owner), 'gun_up')
    const streamRef = gun.wsUpgrade(connPid, '/')
    assert.equal(await next(owner), 'gun_upgrade')
    gun.wsSend(connPid, streamRef, 'close')
    setImmediate(() => beBusyUntilAnswered(server, 0))
    assert.equal(await next(owner), 'gun_down normal')
    assert.equal(await next(owner), 'DOWN')
    owner.exit()
  })

  test('as it refuses a body with 417, before that is sent', async () => {
    await using _left = assertNothingLeft()
    await using _calm = collectWarnings()
    await using server = await peerThread(`
      const server = http.createServer()
      server.on('checkContinue', (request, response) => {
        response.writeHead(417, { 'content-length': 0 }).end()
        setImmediate(answered)
      })
      listen(server)
    `)
    const { owner, connPid } = await opened(server.port, {})
    assert.equal(await next(owner), 'gun_up')
    const { socket } = gun.info(connPid)
    const streamRef = gun.post(connPid, '/', { expect: '100-continue' }, 'the body')
    await turn()
    const written = socket?.bytesWritten
    // Longer than the second that a body waits.
    beBusyUntilAnswered(server, 0)
    beBusy()
    const response = await gun.await(connPid, streamRef, PATIENCE)
    assert.ok(response.type === 'gun_response' && response.status === 417)
    assert.equal(socket?.bytesWritten, written)
    gun.close(connPid)
    owner.exit()
  })
})
