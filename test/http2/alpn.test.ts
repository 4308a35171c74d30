// The choice of HTTP/2, by ALPN or beforehand, and servers that do not speak it.

import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import * as gun from '@holster/gun'
import { createProcess, P } from '@holster/process'
import { certificates, type ScriptedServer, type Transport } from '@holster/testing'
import { PATIENCE } from '../support/client.ts'
import { onEachTransport } from '../support/http-scene.ts'
import * as h2 from '../support/http2-frames.ts'
import { h2Peer } from '../support/http2-origin.ts'
import { tell } from '../support/http2-scene.ts'
import { h2Server } from '../support/http2-server.ts'
import { assertNothingLeft, collectWarnings } from '../support/leftovers.ts'
import { origin } from '../support/origin.ts'

// Node 20 warns at the first use, which no test has to answer for.
mock.timers.reset()
await turn()

async function told(
  server: Pick<ScriptedServer, 'host' | 'port' | 'path'>,
  transport: Transport,
  opts: gun.Opts,
  count: number,
  act: (connPid: gun.ConnPid) => unknown = () => {},
): Promise<{ told: string[]; errors: gun.GunError[] }> {
  const owner = createProcess<gun.GunMessage>()
  const all: gun.Opts = {
    owner,
    retry: 0,
    transport: transport === 'tls' ? 'tls' : 'tcp',
    tlsOpts: { ca: certificates.ca },
    ...opts,
  }
  const connPid =
    server.path === undefined ? gun.open('localhost', server.port, all) : gun.openUnix(server.path, all)
  const words: string[] = []
  const errors: gun.GunError[] = []
  while (words.length < count) {
    const message = await owner.receive([P._], PATIENCE)
    words.push(tell(message))
    if (message.type === 'gun_error') errors.push(message.reason)
    if (message.type === 'gun_up') await act(connPid)
  }
  gun.close(connPid)
  await connPid[Symbol.asyncDispose]()
  owner.exit()
  return { told: words, errors }
}

for (const [what, alpn, protocols, expected] of [
  ['chooses h2 by default', ['h2', 'http/1.1'], undefined, 'http2'],
  ['knows only http/1.1', ['http/1.1'], undefined, 'http'],
  ['knows no ALPN', undefined, undefined, 'http'],
  ['knows no ALPN, where only HTTP/2 may be spoken', undefined, ['http2'], 'http2'],
  ['prefers http/1.1, as we do', ['http/1.1', 'h2'], ['http', 'http2'], 'http'],
  ['knows no ALPN, where HTTP/1.1 comes second', undefined, ['http2', 'http'], 'http'],
] as const) {
  test(`a server that ${what} is spoken to in ${expected}`, async () => {
    await using _left = assertNothingLeft()
    const names = alpn === undefined ? {} : { ALPNProtocols: [...alpn] }
    await using server = await origin(peer => peer.closed, { transport: 'tls', tls: names })
    const { told: words } = await told(server, 'tls', protocols === undefined ? {} : { protocols }, 1)
    assert.deepEqual(words, [`up ${expected}`])
  })
}

test('a server that accepts nothing of what is offered is a tls_error', async () => {
  await using _left = assertNothingLeft()
  await using _calm = collectWarnings()
  await using server = await origin(peer => peer.closed, {
    transport: 'tls',
    tls: { ALPNProtocols: ['http/1.1'] },
  })
  const { errors } = await told(server, 'tls', { protocols: ['http2'] }, 1)
  assert.equal(errors[0]?.code, 'tls_error')
})

test('a server of node:http2 with HTTP/1.1 beside it serves each', async () => {
  await using _left = assertNothingLeft()
  await using server = await h2Server({ transport: 'tls', tls: { allowHTTP1: true } })
  for (const [protocols, expected] of [
    [undefined, 'http2'],
    [['http'], 'http'],
    [['http2'], 'http2'],
  ] as const) {
    const { told: words } = await told(
      server,
      'tls',
      protocols === undefined ? {} : { protocols },
      3,
      connPid => gun.get(connPid, '/'),
    )
    assert.deepEqual(words.slice(0, 2), [`up ${expected}`, 'response 200 nofin'])
    assert.match(words[2] ?? '', /^data Hello/)
  }
})

for (const [what, bytes, text] of [
  ['HTTP/1.1', 'HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n', /HTTP\/1\.1/],
  ['HTTP/1.0', 'HTTP/1.0 400 Bad Request\r\n\r\n', /HTTP\/1/],
  ['garbage', 'SSH-2.0-OpenSSH_9.6\r\n', /does not speak HTTP\/2/],
  ['a frame other than SETTINGS', h2.ping(), /SETTINGS/],
  ['an acknowledgement in place of SETTINGS', h2.settingsAck(), /./],
] as const) {
  for (const how of ['whole', 'bytes'] as const) {
    onEachTransport(`a server that answers with ${what} breaks the protocol, ${how}`, async transport => {
      await using server = await origin(
        async peer => {
          await peer.receive(24)
          await peer.send(bytes, how)
          await peer.closed
        },
        { transport, onError: () => {} },
      )
      const { told: words, errors } = await told(server, transport, { protocols: ['http2'] }, 4, connPid =>
        gun.get(connPid, '/'),
      )
      assert.deepEqual(words, [
        'up http2',
        'stream: connection_error protocol_error',
        'down connection_error protocol_error, killed 1',
        'connection: connection_error protocol_error',
      ])
      assert.match(errors[0]?.message ?? '', text)
    })
  }
}

onEachTransport('a server that closes without a word is closed', async transport => {
  await using server = await origin(
    async peer => {
      await peer.receive(24)
      peer.end()
      await peer.closed
    },
    { transport, onError: () => {} },
  )
  const { told: words } = await told(server, transport, { protocols: ['http2'] }, 4, connPid =>
    gun.get(connPid, '/'),
  )
  assert.equal(words[1], 'stream: connection_error closed')
})

for (const [what, answers, code, ms, http2Opts] of [
  ['its SETTINGS', 'nothing', 'preface_timeout', 5000, { settingsTimeout: 60_000 }],
  ['its SETTINGS', 'nothing', 'preface_timeout', 70, { prefaceTimeout: 70 }],
  ['its acknowledgement', 'settings', 'settings_timeout', 5000, {}],
  ['its acknowledgement', 'settings', 'settings_timeout', 70, { settingsTimeout: 70 }],
] as const) {
  test(`a server that does not send ${what} within ${ms} ms has ended: ${code}`, async t => {
    await using _left = assertNothingLeft()
    await using _calm = collectWarnings()
    await using server = await origin(async peer => {
      const it = await h2Peer(peer, { manual: true })
      await it.frame(h2.types.SETTINGS)
      if (answers !== 'nothing') await it.send([h2.settings(), h2.ping()])
      await it.rest()
    })
    const owner = createProcess<gun.GunMessage>()
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const connPid = gun.open('127.0.0.1', server.port, { owner, retry: 0, protocols: ['http2'], http2Opts })
    await owner.receive([{ type: 'gun_up' }])
    const { socket } = gun.info(connPid)
    // Our own SETTINGS have their time from gun_up on; the server's are there before it is over.
    if (answers !== 'nothing') while ((socket?.bytesRead ?? 0) < 26) await turn()
    await turn()
    t.mock.timers.tick(ms - 1)
    assert.equal(gun.info(connPid).stateName, 'connected')
    t.mock.timers.tick(1)
    t.mock.timers.reset()
    const heard = [tell(await owner.receive([P._])), tell(await owner.receive([P._]))]
    assert.deepEqual(heard, [
      `down connection_error ${code}, killed 0`,
      `connection: connection_error ${code}`,
    ])
    gun.close(connPid)
    await connPid[Symbol.asyncDispose]()
    owner.exit()
  })
}
