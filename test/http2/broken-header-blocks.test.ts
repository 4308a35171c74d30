// Header blocks whose end never comes, since the connection is lost within them, while a body is being sent.

import { setImmediate as turn } from 'node:timers/promises'
import * as gun from '@holster/gun'
import { createProcess } from '@holster/process'
import { certificates, type Peer, type ScriptedServer, type Transport } from '@holster/testing'
import { onEachTransport } from '../support/http-scene.ts'
import * as h2 from '../support/http2-frames.ts'
import { h2Origin } from '../support/http2-origin.ts'

const FIELDS = [
  [':status', '200'],
  ['x-a', 'value'],
] as const
const PROMISED = [
  [':method', 'GET'],
  [':path', '/p'],
] as const

/** All of them answer stream 1. */
const SEQUENCES: Readonly<Record<string, Buffer>> = {
  HEADERS: h2.headers(1, FIELDS),
  'HEADERS and CONTINUATION': Buffer.concat([
    h2.headers(1, FIELDS.slice(0, 1), { endHeaders: false }),
    h2.continuation(1, FIELDS.slice(1)),
  ]),
  'PUSH_PROMISE and CONTINUATION': Buffer.concat([
    h2.pushPromise(1, 2, PROMISED.slice(0, 1), { endHeaders: false }),
    h2.continuation(1, PROMISED.slice(1)),
  ]),
  'an interrupted block': Buffer.concat([h2.headers(1, FIELDS, { endHeaders: false }), h2.ping()]),
  trailers: Buffer.concat([
    h2.headers(1, FIELDS.slice(0, 1)),
    h2.headers(1, FIELDS.slice(1), { endStream: true }),
  ]),
}

const ENDS: Readonly<Record<string, (peer: Peer) => void>> = {
  'a FIN': peer => peer.end(),
  'a RST': peer => peer.reset(),
}

async function one(server: ScriptedServer, transport: Transport): Promise<void> {
  const owner = createProcess<gun.GunMessage>()
  const opts: gun.Opts = {
    owner,
    retry: 0,
    transport: transport === 'tls' ? 'tls' : 'tcp',
    tlsOpts: { ca: certificates.ca },
    protocols: ['http2'],
  }
  const { path, port } = server
  const connPid = path === undefined ? gun.open('localhost', port, opts) : gun.openUnix(path, opts)
  owner.monitor(connPid)
  const streamRef = gun.post(connPid, '/', {})
  let isUp = true
  const down = owner.receive([{ type: 'DOWN' }], 60_000).then(() => {
    isUp = false
  })
  while (isUp) {
    gun.data(connPid, streamRef, 'nofin', 'x'.repeat(10))
    await turn()
  }
  await down
  owner.exit()
}

async function collect(): Promise<void> {
  for (let i = 0; i < 3; i++) {
    globalThis.gc?.()
    await turn()
  }
}

for (const [what, sequence] of Object.entries(SEQUENCES)) {
  for (const [how, cutOff] of Object.entries(ENDS)) {
    onEachTransport(
      `${what}, cut by ${how} at any byte while a body is sent, harms nobody`,
      async transport => {
        // Each point once over TLS, whose handshakes cost more than all else.
        const step = transport === 'tls' ? 2 : 1
        let at = how === 'a RST' ? step - 1 : 0
        await using server = await h2Origin(
          async peer => {
            const part = sequence.subarray(0, at)
            at += step
            await peer.request()
            await peer.send(part)
            await turn()
            cutOff(peer.peer)
          },
          { transport, onError: () => {} },
        )
        const length = Math.ceil((sequence.length + 1) / step)
        await Promise.all(Array.from({ length }, () => one(server, transport)))
        await collect()
      },
    )
  }
}
