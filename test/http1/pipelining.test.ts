// Requests sent without waiting for responses: each gets its own, in order, and what is lost is never sent again.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import * as gun from '@holster/gun'
import type { Peer, RequestHead, ScriptedServer } from '@holster/testing'
import { frame, opcodes, receiveFrame, switchingProtocols } from '@holster/testing/frames'
import fc from 'fast-check'
import { connect, defer, NO_CONTENT, PATIENCE, receiveError } from '../support/client.ts'
import { ends } from '../support/http-ends.ts'
import {
  collect,
  deliver,
  noContent,
  onEachTransport,
  onEachWire,
  type Short,
  shorten,
  transports,
} from '../support/http-scene.ts'
import { assertNothingLeft, collectWarnings } from '../support/leftovers.ts'
import { origin } from '../support/origin.ts'
import { runs } from '../support/runs.ts'
import { streamEnds } from '../support/stream-ends.ts'

const OK = 'HTTP/1.1 200 OK\r\n'
const sized = (body: string): string => `${OK}content-length: ${body.length}\r\n\r\n${body}`
const hostOf = ({ path, port, host }: ScriptedServer): string =>
  path === undefined ? `${host}:${port}` : 'localhost'

const ok = (length: number, isFin: gun.IsFin = 'nofin'): Short => [
  'response',
  200,
  [['content-length', `${length}`]],
  isFin,
]
const data = (text: string): Short => ['data', text, 'fin']

/** Sends a response while the client must send nothing, and gives what it sends then. */
async function answerAlone(peer: Peer, response: string): Promise<RequestHead> {
  let isEarly = false
  const next = peer.receiveRequest()
  next.then(
    () => {
      isEarly = true
    },
    () => {},
  )
  await peer.send(response.slice(0, -1), 'bytes')
  assert.equal(isEarly, false, 'the next request was sent too early')
  await peer.send(response.slice(-1))
  return next
}

describe('pipelined requests', () => {
  onEachWire('leave at once and are answered in their order', async wire => {
    const count = 50
    await using server = await origin(
      async peer => {
        for (let i = 0; i < count; i++) assert.equal((await peer.receiveRequest()).path, `/${i}`)
        const responses = Array.from({ length: count }, (_, i) => sized(`body of ${i}`))
        await deliver(peer, responses, wire)
      },
      { transport: wire.transport },
    )
    await using client = await connect(server, wire.transport)
    const { owner, connPid } = client
    const streamRefs = Array.from({ length: count }, (_, i) => gun.get(connPid, `/${i}`))
    const order: gun.StreamRef[] = []
    for (let i = 0; i < count; i++) {
      order.push((await owner.receive([{ type: 'gun_response', connPid }], PATIENCE)).streamRef)
    }
    assert.deepEqual(order, streamRefs)
    for (const [i, streamRef] of streamRefs.entries()) {
      assert.equal(String((await gun.awaitBody(connPid, streamRef, PATIENCE)).body), `body of ${i}`)
    }
  })

  onEachWire('of any methods get the responses that these may have', async wire => {
    const answers = [
      sized('first'),
      `${OK}content-length: 3\r\n\r\n`,
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n',
      `${OK}transfer-encoding: chunked\r\n\r\n`,
      'HTTP/1.1 304 Not Modified\r\ncontent-length: 7\r\n\r\n',
      `${OK}transfer-encoding: chunked\r\n\r\n3\r\nput\r\n0\r\nx: y\r\n\r\n`,
      `${OK}content-length: 6\r\n\r\n`,
      NO_CONTENT,
      sized('HTTP/1.1 200 OK\r\n\r\n'),
      sized('last'),
    ]
    const chunked = ['transfer-encoding', 'chunked']
    const stories: Short[][] = [
      [ok(5), data('first')],
      [ok(3, 'fin')],
      [
        ['inform', 100, []],
        ['response', 201, [['content-length', '0']], 'fin'],
      ],
      [['response', 200, [chunked], 'fin']],
      [['response', 304, [['content-length', '7']], 'fin']],
      [
        ['response', 200, [chunked], 'nofin'],
        ['data', 'put', 'nofin'],
        ['trailers', [['x', 'y']]],
      ],
      [ok(6, 'fin')],
      [['response', 204, [], 'fin']],
      [ok(19), data('HTTP/1.1 200 OK\r\n\r\n')],
      [ok(4), data('last')],
    ]
    await using server = await origin(
      async peer => {
        const host = `HTTP/1.1\r\nhost: ${hostOf(server)}\r\n`
        const bytes =
          `GET /0 ${host}\r\nHEAD /1 ${host}\r\nPOST /2 ${host}content-length: 4\r\n\r\nbodyHEAD /3 ${host}\r\n` +
          `GET /4 ${host}\r\nPUT /5 ${host}transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n` +
          `HEAD /6 ${host}\r\nDELETE /7 ${host}\r\nOPTIONS /8 ${host}\r\n` +
          `PATCH /9 ${host}content-length: 3\r\n\r\nfgh`
        assert.equal(String(await peer.receive(bytes.length)), bytes)
        await deliver(peer, answers, wire)
        assert.equal((await peer.receiveAll()).length, 0)
      },
      { transport: wire.transport },
    )
    await using client = await connect(server, wire.transport)
    const { owner, connPid } = client
    const streamRefs = [
      gun.get(connPid, '/0'),
      gun.head(connPid, '/1'),
      gun.request(connPid, 'POST', '/2', [], 'body'),
      gun.head(connPid, '/3'),
      gun.get(connPid, '/4'),
      gun.headers(connPid, 'PUT', '/5'),
      gun.head(connPid, '/6'),
      gun.request(connPid, 'DELETE', '/7', [], ''),
      gun.request(connPid, 'OPTIONS', '/8', [], ''),
      gun.headers(connPid, 'PATCH', '/9', { 'content-length': 3 }),
    ]
    const [put, patch] = [streamRefs[5], streamRefs[9]]
    assert.ok(put && patch)
    gun.data(connPid, patch, 'nofin', 'f')
    gun.data(connPid, put, 'nofin', 'abc')
    gun.data(connPid, patch, 'fin', 'gh')
    gun.data(connPid, put, 'fin', 'de')
    const told: Short[][] = []
    for (const streamRef of streamRefs) told.push(await collect(client, streamRef))
    assert.deepEqual(told, stories)
    assert.equal(owner.messageQueueLength, 0)
    gun.close(connPid)
    await server.finished()
  })

  onEachTransport(
    'wait for the body of one before them, while those before it are answered',
    async transport => {
      const seen = defer<void>()
      await using server = await origin(
        async peer => {
          assert.equal((await peer.receiveRequest()).path, '/0')
          assert.equal((await peer.receiveRequest()).path, '/1')
          assert.equal(String(await peer.receive('ab\r\n')), '2\r\nab\r\n')
          await peer.send(sized('0'))
          await seen.promise
          assert.equal(String(await peer.receive('0\r\n\r\n')), '2\r\ncd\r\n0\r\n\r\n')
          assert.equal((await peer.receiveRequest()).path, '/2')
          assert.equal(String(await peer.receive(4)), 'body')
          assert.equal((await peer.receiveRequest()).path, '/3')
          assert.equal(String(await peer.receive(2)), 'ef')
          assert.equal((await peer.receiveRequest()).path, '/4')
          await peer.send(NO_CONTENT.repeat(4))
        },
        { transport },
      )
      await using client = await connect(server, transport)
      const { connPid } = client
      const first = gun.get(connPid, '/0')
      const put = gun.headers(connPid, 'PUT', '/1')
      const post = gun.request(connPid, 'POST', '/2', [], 'body')
      const held = gun.headers(connPid, 'PUT', '/3', { 'content-length': 2 })
      const last = gun.get(connPid, '/4')
      gun.data(connPid, held, 'nofin', 'e')
      gun.data(connPid, put, 'nofin', 'ab')
      gun.data(connPid, held, 'fin', 'f')
      assert.deepEqual(await collect(client, first), [ok(1), data('0')])
      gun.data(connPid, put, 'nofin', 'cd')
      seen.resolve()
      gun.data(connPid, put, 'fin', '')
      for (const streamRef of [put, post, held, last]) {
        assert.deepEqual(await collect(client, streamRef), noContent)
      }
      await server.finished()
    },
  )
})

describe('requests without a response', () => {
  type Finish = (...given: Parameters<typeof deliver>) => Promise<void>
  const thenEnd: Finish = async (peer, ...given) => {
    await deliver(peer, ...given)
    peer.end()
  }
  const closing: Short = [
    'response',
    200,
    [
      ['connection', 'close'],
      ['content-length', '9'],
    ],
    'fin',
  ]
  const inform: Short = ['inform', 103, []]
  /** What is answered to the HEAD that is the second of them, what becomes of it, and of the connection. */
  const cases: Record<string, [answer: string, story: Short[], reason: string, finish: Finish]> = {
    'when one before them says connection: close': [
      `${OK}connection: close\r\ncontent-length: 9\r\n\r\n`,
      [closing],
      'normal',
      deliver,
    ],
    'when one before them says connection: close, and more is sent': [
      `${OK}connection: close\r\ncontent-length: 9\r\n\r\n${sized('more')}`,
      [closing],
      'normal',
      deliver,
    ],
    'when the server closes between two responses': [
      `${OK}content-length: 9\r\n\r\n`,
      [ok(9, 'fin')],
      'closed',
      thenEnd,
    ],
    'when the server closes within a response': [
      'HTTP/1.1 103 x\r\n\r\nHTTP/1.1 200 OK\r\nconte',
      [inform, ['error', 'closed']],
      'closed',
      thenEnd,
    ],
    'when the server breaks the protocol': [
      'HTTP/1.1 103 x\r\n\r\nHTTP/1.1 2000 OK\r\n',
      [inform, ['error', 'protocol_error']],
      'protocol_error',
      deliver,
    ],
  }
  for (const [name, [answer, story, reason, finish]] of Object.entries(cases)) {
    onEachWire(`are killed ${name}, and never sent again`, async wire => {
      const seen: string[] = []
      await using server = await origin(
        async (peer, index) => {
          const host = `HTTP/1.1\r\nhost: ${hostOf(server)}\r\n`
          const first =
            `GET /0 ${host}\r\nHEAD /1 ${host}\r\nPOST /2 ${host}content-length: 4\r\n\r\nbody` +
            `PUT /3 ${host}transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n`
          const expected = index === 0 ? first : `GET /again ${host}\r\n`
          const bytes = String(await peer.receive(expected.length))
          seen.push(bytes)
          assert.equal(bytes, expected)
          if (index === 0) await finish(peer, [sized('0'), answer], wire)
          else await peer.send(NO_CONTENT)
          seen.push(String(await peer.receiveAll()))
        },
        { transport: wire.transport },
      )
      await using client = await connect(server, wire.transport)
      const { owner, connPid } = client
      const [get, head] = [gun.get(connPid, '/0'), gun.head(connPid, '/1')]
      const post = gun.request(connPid, 'POST', '/2', [], 'body')
      const put = gun.headers(connPid, 'PUT', '/3')
      gun.data(connPid, put, 'nofin', 'abc')
      // These wait for the rest of that body.
      const delayed = gun.headers(connPid, 'PATCH', '/4')
      gun.data(connPid, delayed, 'fin', 'delayed')
      const upgrade = gun.wsUpgrade(connPid, '/5')
      const last = gun.get(connPid, '/6')

      assert.deepEqual(await collect(client, get), [ok(1), data('0')])
      assert.deepEqual(await collect(client, head), story)
      const unanswered = [post, put, delayed, upgrade, last]
      // With the head of the last response those behind it were told.
      const isTold = reason === 'normal'
      const killed = isTold ? [] : story.at(-1)?.[0] === 'error' ? [head, ...unanswered] : unanswered
      // The errors are in the mailbox when the connection is told to be down: none of these waits.
      const down = await owner.receive([{ type: 'gun_down', connPid }], PATIENCE)
      assert.deepEqual(down.killedStreams, killed)
      assert.equal(down.reason instanceof gun.GunError ? down.reason.code : down.reason, reason)
      for (const streamRef of unanswered) {
        const message = await owner.receive([{ connPid }], 0)
        assert.ok(message.type === 'gun_error')
        assert.equal(message.streamRef, streamRef)
        const isSent = streamRef === post || streamRef === put
        assert.equal(message.reason.code, isSent && !isTold ? reason : 'refused_stream')
        assert.equal(message.reason.kind, 'connection_error')
      }

      assert.equal(await gun.awaitUp(connPid, PATIENCE), 'http')
      for (const streamRef of [put, delayed]) {
        gun.data(connPid, streamRef, 'fin', 'late')
        assert.equal((await receiveError(client, streamRef)).code, 'badstate')
      }
      assert.deepEqual(await collect(client, gun.get(connPid, '/again')), noContent)
      assert.equal(owner.messageQueueLength, 0)
      gun.close(connPid)
      await server.finished()
      assert.equal(server.connections, 2)
      assert.equal(seen.filter(bytes => bytes.includes('/again')).length, 1)
      assert.equal(seen.at(-1), '')
    })
  }

  onEachWire('do not include those asked for while the last response is still coming', async wire => {
    const asked = defer<void>()
    await using server = await origin(
      async (peer, index) => {
        if (index > 0) {
          assert.equal((await peer.receiveRequest()).path, '/4')
          assert.equal((await peer.receiveRequest()).path, '/5')
          await deliver(peer, [NO_CONTENT, NO_CONTENT], wire)
          return
        }
        for (let i = 0; i < 4; i++) await peer.receiveRequest()
        await deliver(peer, [NO_CONTENT, `${OK}connection: close\r\ncontent-length: 4\r\n\r\nla`], wire)
        await asked.promise
        await deliver(peer, ['st'], wire)
        peer.end()
      },
      { transport: wire.transport },
    )
    await using client = await connect(server, wire.transport)
    const { owner, connPid } = client
    const streamRefs = [0, 1, 2, 3].map(i => gun.get(connPid, `/${i}`))
    const [first, second, third, fourth] = streamRefs
    assert.ok(first && second && third && fourth)
    assert.deepEqual(await collect(client, first), noContent)
    let body = ''
    while (body !== 'la') {
      const message = await gun.await(connPid, second, PATIENCE)
      if (message.type === 'gun_data') body += message.data
    }
    assert.equal(gun.info(connPid).stateName, 'connected')
    for (const streamRef of [third, fourth]) {
      assert.equal((await receiveError(client, streamRef)).code, 'refused_stream')
    }
    const postponed = [gun.get(connPid, '/4'), gun.get(connPid, '/5')]
    asked.resolve()
    assert.deepEqual(await collect(client, second), [data('st')])
    const down = await owner.receive([{ type: 'gun_down', connPid }], PATIENCE)
    assert.equal(down.reason, 'normal')
    assert.deepEqual(down.killedStreams, [])
    assert.equal(await gun.awaitUp(connPid, PATIENCE), 'http')
    for (const streamRef of postponed) assert.deepEqual(await collect(client, streamRef), noContent)
    await server.finished()
  })

  onEachTransport('are not asked for by who asks again from within the last response', async transport => {
    await using server = await origin(
      async (peer, index) => {
        assert.equal((await peer.receiveRequest()).path, `/${index}`)
        await peer.send('HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
        peer.end()
      },
      { transport },
    )
    await using client = await connect(server, transport)
    const { connPid } = client
    const got: Short[] = []
    const done = defer<void>()
    const replyTo = (message: gun.GunMessage): void => {
      got.push(shorten(message).slice(0, 2))
      if (got.length === 1) gun.get(connPid, '/1', [], { replyTo })
      else done.resolve()
    }
    gun.get(connPid, '/0', [], { replyTo })
    await done.promise
    assert.deepEqual(got, [
      ['response', 200],
      ['response', 200],
    ])
    await server.finished()
  })
})

describe('an upgrade among requests', () => {
  const refusals: Record<string, [answer: string, story: Short[]]> = {
    'of a known length': [
      'HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno',
      [['response', 403, [['content-length', '2']], 'nofin'], data('no')],
    ],
    'in chunks': [
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n',
      [['response', 200, [['transfer-encoding', 'chunked']], 'nofin'], data('no')],
    ],
    'without a body': [
      'HTTP/1.1 426 x\r\nupgrade: other\r\ncontent-length: 0\r\n\r\n',
      [
        [
          'response',
          426,
          [
            ['upgrade', 'other'],
            ['content-length', '0'],
          ],
          'fin',
        ],
      ],
    ],
  }
  for (const [name, [refusal, story]] of Object.entries(refusals)) {
    onEachTransport(
      `waits for the responses before it, and those behind it for its refusal ${name}`,
      async transport => {
        await using server = await origin(
          async peer => {
            const host = `HTTP/1.1\r\nhost: ${hostOf(server)}\r\n`
            const bytes = `GET /0 ${host}\r\nHEAD /1 ${host}\r\n`
            assert.equal(String(await peer.receive(bytes.length)), bytes)
            await peer.send(sized('0'))
            const upgrade = await answerAlone(peer, `${OK}content-length: 2\r\n\r\n`)
            assert.deepEqual([upgrade.path, upgrade.header('upgrade')], ['/2', 'websocket'])
            const next = await answerAlone(peer, refusal)
            assert.equal(next.path, '/3')
            assert.equal(String(await peer.receive('0\r\n\r\n')), '3\r\nabc\r\n0\r\n\r\n')
            assert.equal((await peer.receiveRequest()).path, '/4')
            await peer.send(NO_CONTENT.repeat(2))
            assert.equal((await peer.receiveAll()).length, 0)
          },
          { transport },
        )
        await using client = await connect(server, transport)
        const { owner, connPid } = client
        const get = gun.get(connPid, '/0')
        const head = gun.head(connPid, '/1')
        const upgrade = gun.wsUpgrade(connPid, '/2')
        const put = gun.headers(connPid, 'PUT', '/3')
        const last = gun.get(connPid, '/4')
        gun.data(connPid, put, 'nofin', 'abc')
        gun.data(connPid, put, 'fin', '')
        assert.deepEqual(await collect(client, get), [ok(1), data('0')])
        assert.deepEqual(await collect(client, head), [ok(2, 'fin')])
        assert.deepEqual(await collect(client, upgrade), story)
        for (const streamRef of [put, last]) assert.deepEqual(await collect(client, streamRef), noContent)
        assert.equal(owner.messageQueueLength, 0)
        gun.close(connPid)
        await server.finished()
      },
    )
  }

  onEachTransport('fails those behind it with badstate when it succeeds', async transport => {
    await using server = await origin(
      async peer => {
        assert.equal((await peer.receiveRequest()).path, '/0')
        const request = await answerAlone(peer, sized('0'))
        await peer.send(switchingProtocols(request))
        // The first bytes that follow the upgrade are a frame, and not a request.
        const { opcode, payload } = await receiveFrame(peer)
        assert.deepEqual([opcode, String(payload)], [opcodes.text, 'hello'])
        await peer.send(frame({ opcode: opcodes.text, payload: 'back' }))
        await peer.closed
      },
      { transport },
    )
    await using client = await connect(server, transport)
    const { owner, connPid } = client
    const get = gun.get(connPid, '/0')
    const upgrade = gun.wsUpgrade(connPid, '/1')
    const behind = [gun.get(connPid, '/2'), gun.headers(connPid, 'PUT', '/3'), gun.wsUpgrade(connPid, '/4')]
    gun.data(connPid, behind[1] as gun.StreamRef, 'nofin', 'abc')
    assert.deepEqual(await collect(client, get), [ok(1), data('0')])
    assert.equal((await gun.await(connPid, upgrade, PATIENCE)).type, 'gun_upgrade')
    for (const streamRef of behind) {
      const error = await receiveError(client, streamRef)
      assert.deepEqual([error.code, error.kind], ['badstate', 'badstate'])
    }
    gun.wsSend(connPid, upgrade, ['text', 'hello'])
    const { frame: received } = await owner.receive([{ type: 'gun_ws', streamRef: upgrade }], PATIENCE)
    assert.deepEqual(received, ['text', 'back'])
    assert.equal(owner.messageQueueLength, 0)
    gun.close(connPid)
    await server.finished()
  })
})

describe('a limit on pipelining', () => {
  const limited = (pipelining: number, more: gun.HttpOpts = {}): gun.Opts => ({
    httpOpts: { pipelining, ...more },
  })

  onEachTransport('of 1 sends each request when the response before it is complete', async transport => {
    await using it = await ends(transport, limited(1))
    const { connPid, peer } = it
    const upload = gun.headers(connPid, 'PUT', '/0', { 'content-length': 2 })
    for (const path of ['/1', '/2']) gun.get(connPid, path)
    gun.data(connPid, upload, 'fin', 'ab')
    assert.equal((await peer.receiveRequest()).path, '/0')
    assert.equal(String(await peer.receive(2)), 'ab')
    assert.equal((await answerAlone(peer, sized('0'))).path, '/1')
    const chunks = `${OK}transfer-encoding: chunked\r\n\r\n1\r\n1\r\n0\r\nx: y\r\n\r\n`
    assert.equal((await answerAlone(peer, chunks)).path, '/2')
    await peer.send(NO_CONTENT)
    const told = await it.heard(6)
    assert.deepEqual(
      told.filter(words => !words.startsWith('data')),
      ['response 200 nofin', 'response 200 nofin', 'trailers x=y', 'response 204 fin'],
    )
  })

  onEachTransport('of 2 sends the third with the end of the first response', async transport => {
    await using it = await ends(transport, limited(2))
    const { connPid, peer } = it
    for (const path of ['/0', '/1', '/2', '/3']) gun.get(connPid, path)
    assert.equal((await peer.receiveRequest()).path, '/0')
    assert.equal((await peer.receiveRequest()).path, '/1')
    assert.equal((await answerAlone(peer, sized('a'))).path, '/2')
    assert.equal((await answerAlone(peer, sized('b'))).path, '/3')
  })

  onEachTransport('counts a cancelled request until its response has come', async transport => {
    await using it = await ends(transport, limited(1))
    const { connPid, peer } = it
    const cancelled = gun.get(connPid, '/0')
    gun.get(connPid, '/1')
    assert.equal((await peer.receiveRequest()).path, '/0')
    gun.cancel(connPid, cancelled)
    assert.equal((await answerAlone(peer, sized('a'))).path, '/1')
    await peer.send(NO_CONTENT)
    assert.deepEqual(await it.heard(1), ['response 204 fin'])
  })

  onEachTransport('lets one that waits be cancelled, and never sends it', async transport => {
    await using it = await ends(transport, limited(1))
    const { connPid, peer } = it
    const [, waiting] = ['/0', '/1', '/2'].map(path => gun.get(connPid, path))
    gun.cancel(connPid, waiting as gun.StreamRef)
    assert.equal((await peer.receiveRequest()).path, '/0')
    assert.equal((await answerAlone(peer, NO_CONTENT)).path, '/2')
    assert.deepEqual(await it.heard(1), ['response 204 fin'])
    assert.deepEqual(await it.waiting(), [])
  })

  for (const [how, lose, code] of [
    ['is lost', (peer: Peer) => peer.reset(), 'socket_error'],
    ['ends', (peer: Peer) => peer.end(), 'closed'],
  ] as const) {
    onEachTransport(
      `says of those that wait that they were not sent when the connection ${how}`,
      async on => {
        await using it = await ends(on, { retry: 0, ...limited(1) })
        const { connPid, peer, self } = it
        const [sent, ...waiting] = ['/0', '/1', '/2'].map(path => gun.get(connPid, path))
        await peer.receiveRequest()
        lose(peer)
        const client = { connPid, owner: self }
        const error = await receiveError(client, sent)
        if (on !== 'unix') assert.equal(error.code, code)
        for (const streamRef of waiting) {
          assert.equal((await receiveError(client, streamRef)).code, 'refused_stream')
        }
        const { killedStreams } = await self.receive([{ type: 'gun_down' }], PATIENCE)
        assert.deepEqual(killedStreams, [sent, ...waiting])
      },
    )
  }

  onEachTransport('is the one that protocols gives, too', async transport => {
    await using it = await ends(transport, { protocols: [['http', { pipelining: 1 }]] })
    const { connPid, peer } = it
    for (const path of ['/0', '/1']) gun.get(connPid, path)
    assert.equal((await peer.receiveRequest()).path, '/0')
    assert.equal((await answerAlone(peer, NO_CONTENT)).path, '/1')
  })
})

// Any pipeline, against a model of it.

interface Plan {
  readonly method: string
  /** A whole body, the parts of one that follow, or none. */
  readonly body: string | readonly string[] | undefined
  readonly isCounted: boolean
  readonly informs: number
  readonly status: number
  readonly framing: 'length' | 'chunked' | 'trailers'
  readonly parts: readonly string[]
}

type Finale = { readonly type: 'stays' | 'close' | 'cut'; readonly at: number }

interface Scenario {
  readonly plans: readonly Plan[]
  readonly schedule: readonly number[]
  /** Where the responses are cut, as parts of their length. */
  readonly cuts: readonly number[]
  readonly finale: Finale
  readonly transport: (typeof transports)[number]
}

const text = fc.oneof(
  fc.uint8Array({ maxLength: 12 }).map(bytes => Buffer.from(bytes).toString('latin1')),
  fc.constantFrom('\r\n', '0\r\n\r\n', NO_CONTENT, 'a'.repeat(300)),
)
const filledText = text.map(it => it || 'x')
const requestShape = fc.oneof(
  fc.record({ method: fc.constantFrom('GET', 'HEAD', 'DELETE', 'OPTIONS'), body: fc.constant(undefined) }),
  fc.record({ method: fc.constantFrom('POST', 'PUT', 'GET', 'HEAD'), body: text }),
  fc.record({ method: fc.constantFrom('PUT', 'PATCH', 'HEAD'), body: fc.array(text, { maxLength: 4 }) }),
)
const responseShape = fc.record({
  isCounted: fc.boolean(),
  informs: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 2 })),
  status: fc.constantFrom(200, 200, 204, 304, 404, 299),
  framing: fc.constantFrom<Plan['framing']>('length', 'chunked', 'trailers'),
  parts: fc.array(filledText, { maxLength: 3 }),
})
const plan: fc.Arbitrary<Plan> = fc
  .tuple(requestShape, responseShape)
  .map(([request, response]) => ({ ...request, ...response }))
const ratio = fc.double({ min: 0, max: 1, noNaN: true })
const scenario: fc.Arbitrary<Scenario> = fc.record({
  plans: fc.array(plan, { minLength: 1, maxLength: 8 }),
  schedule: fc.array(fc.nat(100), { minLength: 5, maxLength: 40 }),
  cuts: fc.array(ratio, { maxLength: 12 }),
  finale: fc.record({ type: fc.constantFrom<Finale['type']>('stays', 'close', 'cut'), at: ratio }),
  transport: fc.constantFrom(...transports),
})

const latin1 = (given: string): Buffer => Buffer.from(given, 'latin1')

function requestBytes({ method, body, isCounted }: Plan, index: number, host: string): string {
  const head = `${method} /${index} HTTP/1.1\r\nhost: ${host}\r\n`
  if (body === undefined) return `${head}\r\n`
  if (typeof body === 'string') {
    const hasLength = body !== '' || method === 'POST' || method === 'PUT'
    return `${head}${hasLength ? `content-length: ${body.length}\r\n` : ''}\r\n${body}`
  }
  if (isCounted) return `${head}content-length: ${body.join('').length}\r\n\r\n${body.join('')}`
  const chunks = body.filter(part => part !== '').map(part => `${part.length.toString(16)}\r\n${part}\r\n`)
  return `${head}transfer-encoding: chunked\r\n\r\n${chunks.join('')}0\r\n\r\n`
}

/** Some bytes of a response, and what is told once all of them have come; of data, each byte by itself. */
interface Piece {
  readonly bytes: string
  readonly tells?: Short
  readonly isData?: boolean
  readonly ends?: boolean
}

function responsePieces({ method, informs, status, framing, parts }: Plan, isLast: boolean): Piece[] {
  const pieces: Piece[] = []
  for (let i = 0; i < informs; i++) {
    pieces.push({ bytes: `HTTP/1.1 103 x\r\nlink: ${i}\r\n\r\n`, tells: ['inform', 103, [['link', `${i}`]]] })
  }
  const body = parts.join('')
  const fields: [string, string][] = isLast ? [['connection', 'close']] : []
  if (framing === 'length') fields.push(['content-length', `${body.length}`])
  else fields.push(['transfer-encoding', 'chunked'])
  const head = `HTTP/1.1 ${status} x\r\n${fields.map(field => `${field.join(': ')}\r\n`).join('')}\r\n`
  const isBodiless = method === 'HEAD' || status === 204 || status === 304
  const ends = isBodiless || (framing === 'length' && body === '')
  pieces.push({ bytes: head, tells: ['response', status, fields, ends ? 'fin' : 'nofin'], ends })
  if (ends) return pieces
  if (framing === 'length') return [...pieces, { bytes: body, isData: true, ends: true }]
  for (const part of parts) {
    pieces.push(
      { bytes: `${part.length.toString(16)};ext\r\n` },
      { bytes: part, isData: true },
      { bytes: '\r\n' },
    )
  }
  if (framing === 'chunked') return [...pieces, { bytes: '0\r\n\r\n', ends: true }]
  return [...pieces, { bytes: '0\r\nx-t: é\r\n\r\n', tells: ['trailers', [['x-t', 'é']]], ends: true }]
}

/** What is told of a response of which only so many bytes have come, and whether it is complete. */
function model(pieces: readonly Piece[], count: number, code: string): { story: Short[]; isWhole: boolean } {
  const story: Short[] = []
  let left = count
  let body: string | undefined
  for (const { bytes, tells, isData, ends } of pieces) {
    if (isData && left > 0) body = `${body ?? ''}${bytes.slice(0, left)}`
    const isWhole = left >= bytes.length
    left -= bytes.length
    if (!isWhole) break
    if (tells !== undefined) {
      if (body !== undefined) story.push(['data', body, 'nofin'])
      body = undefined
      story.push(tells)
    }
    if (!ends) continue
    if (tells === undefined) story.push(['data', body ?? '', 'fin'])
    return { story, isWhole: true }
  }
  if (body !== undefined) story.push(['data', body, 'nofin'])
  return { story: [...story, ['error', code]], isWhole: false }
}

/** Tells how to ask for each plan, in their order, and to send the parts of each body, in theirs. */
async function act(
  { plans, schedule }: Scenario,
  connPid: gun.ConnPid,
  replyTo: (index: number) => (message: gun.GunMessage) => void,
): Promise<gun.StreamRef[]> {
  const streamRefs: gun.StreamRef[] = []
  const open: { ref: gun.StreamRef; parts: string[] }[] = []
  let step = 0
  while (streamRefs.length < plans.length || open.length > 0) {
    const choice = schedule[step % schedule.length] ?? 0
    step += 1
    if (choice % 7 === 0) await turn()
    const stream =
      streamRefs.length < plans.length && choice % 2 === 0 ? undefined : open[choice % open.length]
    if (stream !== undefined) {
      const part = stream.parts.shift()
      gun.data(connPid, stream.ref, part === undefined ? 'fin' : 'nofin', latin1(part ?? ''))
      if (part === undefined) open.splice(open.indexOf(stream), 1)
      continue
    }
    const next = plans[streamRefs.length]
    if (next === undefined) continue
    const { method, body, isCounted } = next
    const path = `/${streamRefs.length}`
    const reqOpts = { replyTo: replyTo(streamRefs.length) }
    if (body === undefined || typeof body === 'string') {
      streamRefs.push(gun.request(connPid, method, path, [], latin1(body ?? ''), reqOpts))
    } else {
      const fields = isCounted ? { 'content-length': body.join('').length } : undefined
      const ref = gun.headers(connPid, method, path, fields, reqOpts)
      streamRefs.push(ref)
      open.push({ ref, parts: [...body] })
    }
  }
  return streamRefs
}

async function play(it: Scenario): Promise<void> {
  const { plans, cuts, finale, transport } = it
  const last = finale.type === 'close' ? Math.floor(finale.at * (plans.length - 1)) : -1
  const responses = plans.map((plan, i) => responsePieces(plan, i === last))
  const lengths = responses.map(pieces => pieces.reduce((sum, { bytes }) => sum + bytes.length, 0))
  const sum = (counts: readonly number[]): number => counts.reduce((a, b) => a + b, 0)
  const total = sum(lengths)
  const sent =
    finale.type === 'stays'
      ? total
      : finale.type === 'close'
        ? sum(lengths.slice(0, last + 1))
        : Math.floor(finale.at * total)
  const isClosed = finale.type === 'close'
  const expected = responses.map((pieces, i) =>
    model(pieces, sent - sum(lengths.slice(0, i)), isClosed ? 'refused_stream' : 'closed'),
  )

  const acted = defer<void>()
  await using server = await origin(
    async (peer, index) => {
      const host = hostOf(server)
      const asked =
        index === 0
          ? plans.map((plan, i) => requestBytes(plan, i, host)).join('')
          : `GET /again HTTP/1.1\r\nhost: ${host}\r\n\r\n`
      assert.equal((await peer.receive(asked.length)).toString('latin1'), asked)
      // The last of a body may be an empty part, which nobody sees here and which a lost stream would refuse.
      if (finale.type !== 'stays') await acted.promise
      const all =
        index > 0
          ? latin1(NO_CONTENT)
          : latin1(
              responses
                .flat()
                .map(({ bytes }) => bytes)
                .join(''),
            ).subarray(0, sent)
      const ends = [...cuts.map(cut => Math.floor(cut * all.length)).sort((a, b) => a - b), all.length]
      let at = 0
      for (const end of ends) {
        if (end > at) await peer.send(all.subarray(at, end))
        await turn()
        at = end
      }
      if (index === 0 && finale.type === 'cut') peer.end()
      assert.equal((await peer.receiveAll()).length, 0)
    },
    { transport },
  )
  await using client = await connect(server, transport)
  const { owner, connPid } = client

  const stories: Short[][] = plans.map(() => [])
  const order: number[] = []
  const done = defer<void>()
  let open = plans.length
  const heard = (index: number) => (message: gun.GunMessage) => {
    const story = stories[index] ?? []
    order.push(index)
    const before = story.at(-1)
    if (message.type === 'gun_data' && before?.[0] === 'data') {
      assert.equal(before[2], 'nofin', 'no data follows the last')
      story[story.length - 1] = ['data', `${before[1]}${message.data.toString('latin1')}`, message.isFin]
    } else {
      story.push(shorten(message))
    }
    const isLast =
      message.type === 'gun_error' ||
      message.type === 'gun_trailers' ||
      ('isFin' in message && message.isFin === 'fin')
    if (isLast) open -= 1
    if (open === 0) done.resolve()
  }
  const streamRefs = await act(it, connPid, index => streamEnds.watch(heard(index)))
  acted.resolve()
  await done.promise
  assert.deepEqual(
    stories,
    expected.map(({ story }) => story),
  )
  // The streams behind the last response hear of their end with its head.
  const answered = isClosed ? order.filter(index => index <= last) : order
  assert.deepEqual(
    answered,
    [...answered].sort((a, b) => a - b),
    'all of a stream comes before any of the next',
  )

  if (finale.type !== 'stays') {
    const down = await owner.receive([{ type: 'gun_down', connPid }], PATIENCE)
    assert.deepEqual(down.killedStreams, isClosed ? [] : streamRefs.filter((_, i) => !expected[i]?.isWhole))
    assert.equal(
      down.reason instanceof gun.GunError ? down.reason.code : down.reason,
      isClosed ? 'normal' : 'closed',
    )
    assert.equal(await gun.awaitUp(connPid, PATIENCE), 'http')
    assert.deepEqual(await collect(client, gun.get(connPid, '/again')), noContent)
  }
  assert.equal(owner.messageQueueLength, 0)
  gun.close(connPid)
  await server.finished()
}

/** In milliseconds; a run that takes so long hangs, and fails with its seed. */
const longestRun = 120_000

test('any pipeline is answered as a model of it says', async () => {
  await using _left = assertNothingLeft()
  await using _calm = collectWarnings()
  await fc.assert(fc.asyncProperty(scenario, play), { ...runs(150), timeout: longestRun })
})

test('a receiver that asks again as a shutdown refuses its stream is refused, too, and once', async () => {
  await using _left = assertNothingLeft()
  await using it = await ends('tcp', { retry: 0 })
  const { connPid, peer } = it
  gun.headers(connPid, 'POST', '/sent', { 'content-length': '1' })
  await peer.receiveRequest()
  const codes: string[] = []
  const replyTo = (message: gun.GunMessage): void => {
    if (message.type === 'gun_error') codes.push(message.reason.code)
    if (codes.length < 3) gun.get(connPid, '/again', {}, { replyTo })
  }
  gun.get(connPid, '/waits', {}, { replyTo })
  gun.shutdown(connPid)
  assert.deepEqual(codes, ['closing'])
  while (codes.length < 3) await turn()
  assert.deepEqual(codes, ['closing', 'closing', 'closing'])
})

for (const [how, lose] of [
  ['was lost', (peer: Peer) => peer.reset()],
  ['has ended', (peer: Peer) => peer.end()],
] as const) {
  onEachTransport(`a request that was not sent says so when its connection ${how}`, async transport => {
    await using it = await ends(transport, { retry: 0 })
    const { connPid, peer, self } = it
    const sent = gun.headers(connPid, 'POST', '/sent', { 'content-length': '2' })
    const unsent = gun.get(connPid, '/unsent')
    await peer.receiveRequest()
    lose(peer)
    const client = { connPid, owner: self }
    const known = await receiveError(client, sent)
    const error = await receiveError(client, unsent)
    assert.deepEqual([error.kind, error.code, error.cause], ['connection_error', 'refused_stream', known])
    assert.notEqual(known.code, 'refused_stream')
    const { killedStreams } = await self.receive([{ type: 'gun_down' }], PATIENCE)
    assert.deepEqual(killedStreams, [sent, unsent])
  })
}
