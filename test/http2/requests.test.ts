// Requests of HTTP/2: their header fields, and how their bodies are sent.

import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import * as gun from '@holster/gun'
import { onEachTransport } from '../support/http-scene.ts'
import * as h2 from '../support/http2-frames.ts'
import { headerOf, ok, type Scene, scene, sentTo } from '../support/http2-scene.ts'
import { assertNothingLeft, collectWarnings } from '../support/leftovers.ts'

// Node 20 warns at the first use, which no test has to answer for.
mock.timers.reset()
await turn()

const NO_CONTENT = [[':status', '204']] as const

/** The next request for a path; those before it are let go. */
async function requestFor(it: Scene, path: string): Promise<number> {
  for (;;) {
    const { headers, streamId } = await it.peer.request()
    if (headerOf(headers, ':path') === path) return streamId
  }
}

async function exchange(it: Scene, streamRef: gun.StreamRef): Promise<[name: string, value: string][]> {
  const { headers, streamId } = await it.peer.request()
  await it.peer.send(h2.headers(streamId, NO_CONTENT, { endStream: true }))
  assert.deepEqual(await it.story(streamRef), ['response 204 fin'])
  return headers
}

onEachTransport('a request has its four pseudo-headers first, and no host', async transport => {
  await using it = await scene({ transport })
  const headers = await exchange(it, gun.get(it.connPid, '/a?b=c', { 'X-A': 'b' }))
  const port = transport === 'unix' ? '' : `:${it.server.port}`
  assert.deepEqual(headers, [
    [':method', 'GET'],
    [':scheme', transport === 'tls' ? 'https' : 'http'],
    [':authority', `localhost${port}`],
    [':path', '/a?b=c'],
    ['x-a', 'b'],
  ])
})

test('the host header becomes :authority, and what concerns one connection of HTTP/1.1 is left out', async () => {
  await using _left = assertNothingLeft()
  await using it = await scene()
  const headers = await exchange(
    it,
    gun.get(it.connPid, '/', [
      ['Host', 'example.org'],
      ['Connection', 'keep-alive'],
      ['Keep-Alive', 'timeout=5'],
      ['Proxy-Connection', 'keep-alive'],
      ['Upgrade', 'h2c'],
      ['HTTP2-Settings', 'AAMAAABk'],
      ['TE', 'trailers'],
      ['x-a', 'b'],
    ]),
  )
  assert.deepEqual(headers.slice(2), [
    [':authority', 'example.org'],
    [':path', '/'],
    ['te', 'trailers'],
    ['x-a', 'b'],
  ])
  const gzip = await exchange(it, gun.get(it.connPid, '/', { te: 'gzip' }))
  assert.equal(headerOf(gzip, 'te'), undefined)
})

test('a header that is given again is sent again, in order', async () => {
  await using _left = assertNothingLeft()
  await using it = await scene()
  const headers = await exchange(
    it,
    gun.get(it.connPid, '/', [
      ['x-a', '1'],
      ['x-b', '2'],
      ['x-a', '3'],
      ['cookie', 'a=b'],
      ['cookie', 'c=d'],
      ['x-empty', ''],
    ]),
  )
  const values = (name: string) => headers.filter(([each]) => each === name).map(([, value]) => value)
  assert.deepEqual(values('x-a'), ['1', '3'])
  assert.deepEqual(values('x-b'), ['2'])
  assert.match(values('cookie').join('; '), /^a=b; c=d$/)
  assert.deepEqual(values('x-empty'), [''])
})

test('bytes of latin1 in a header are sent as they are', async () => {
  await using _left = assertNothingLeft()
  await using it = await scene()
  const headers = await exchange(it, gun.get(it.connPid, '/', { 'x-a': 'caf\xe9' }))
  assert.equal(headerOf(headers, 'x-a'), 'caf\xe9')
})

test('a field that has one value is sent twice where it is given twice', async () => {
  await using _left = assertNothingLeft()
  await using it = await scene()
  for (const name of [
    'authorization',
    'content-type',
    'user-agent',
    'referer',
    'from',
    'date',
    'etag',
    'max-forwards',
    'if-modified-since',
    'content-location',
    'retry-after',
    'access-control-request-method',
  ]) {
    const given = [
      [name, 'a'],
      [name, 'b'],
    ] as const
    const headers = await exchange(it, gun.get(it.connPid, '/', given))
    assert.deepEqual(
      headers.filter(([each]) => each === name),
      given,
    )
  }
})

const unsendable: readonly [name: string, value: string][] = [
  ['', 'a'],
  ['x a', 'b'],
  ['x\0a', 'b'],
  ['x\na', 'b'],
  ['x:a', 'b'],
  [':path', '/other'],
  [':status', '200'],
  [':unknown', 'a'],
  ['x\u00e9', 'a'],
  ['x\u20ac', 'a'],
  ['x-a', 'b\0c'],
  ['x-a', 'b\u20acc'],
  ['host', 'a\0b'],
  ['host', ''],
  ['x-a', 'b\nc'],
  ['x-a', 'b\r\nc: d'],
  ['x-a', ' b '],
  ['__proto__', 'a'],
  ['constructor', 'a'],
]

for (const asked of ['headers', 'trailers'] as const) {
  onEachTransport(`what cannot be sent in ${asked} fails its stream at most`, async transport => {
    await using it = await scene({ transport })
    for (const [name, value] of unsendable) {
      const other = gun.get(it.connPid, '/other')
      const otherId = await requestFor(it, '/other')
      if (asked === 'headers') {
        try {
          gun.request(it.connPid, 'GET', '/', [[name, value]], '', { invalidRequestHeaders: 'ignore' })
        } catch {}
      } else {
        const streamRef = gun.post(it.connPid, '/', { 'x-a': 'b' })
        try {
          gun.trailers(it.connPid, streamRef, [[name, value]])
        } catch {
          gun.cancel(it.connPid, streamRef)
        }
      }
      await it.seen()
      await it.peer.send(h2.headers(otherId, NO_CONTENT, { endStream: true }))
      assert.deepEqual(await it.story(other), ['response 204 fin'])
      for (const word of await it.waiting()) assert.match(word, /^stream: stream_error/)
      assert.equal(gun.info(it.connPid).stateName, 'connected')
    }
    assert.deepEqual(it.peer.goaways, [])
    assert.equal(it.server.connections, 1)
  })
}

for (const path of ['/a\0b', '/a b', '/a\nb', '/\u20ac', '/\xe9', '', 'a', '*']) {
  test(`the path ${JSON.stringify(path)} is refused or sent, and harms nobody else`, async () => {
    await using _left = assertNothingLeft()
    await using _calm = collectWarnings()
    await using it = await scene()
    try {
      gun.options(it.connPid, path)
    } catch {}
    await it.seen()
    await it.waiting()
    const streamRef = gun.get(it.connPid, '/next')
    const streamId = await requestFor(it, '/next')
    await it.peer.send(h2.headers(streamId, NO_CONTENT, { endStream: true }))
    assert.deepEqual(await it.story(streamRef), ['response 204 fin'])
  })
}

onEachTransport(
  'a request with very large headers goes out in as many frames as it takes',
  async transport => {
    await using it = await scene({ transport })
    const value = 'v'.repeat(200_000)
    const headers = await exchange(it, gun.get(it.connPid, '/', { 'x-a': value, 'x-b': 'c' }))
    assert.equal(headerOf(headers, 'x-a')?.length, value.length)
    assert.ok(it.peer.frames.some(({ type }) => type === h2.types.CONTINUATION))
  },
)

test('a request with 5000 header fields goes out', async () => {
  await using _left = assertNothingLeft()
  await using it = await scene()
  const many = Array.from({ length: 5000 }, (_, i) => [`x-${i}`, `${i}`] as const)
  const headers = await exchange(it, gun.get(it.connPid, '/', many))
  assert.equal(headers.length, 5004)
})

onEachTransport('bodies stream both ways at once, and trailers end both', async transport => {
  await using it = await scene({ transport })
  const streamRef = gun.post(it.connPid, '/', { 'content-type': 'text/plain' })
  const { streamId, headers, isFin } = await it.peer.request()
  assert.equal(isFin, 'nofin')
  assert.equal(headerOf(headers, 'content-length'), undefined)
  assert.equal(headerOf(headers, 'transfer-encoding'), undefined)
  await it.peer.send(h2.headers(streamId, ok))
  assert.deepEqual(await it.heard(1), ['response 200 nofin'])
  for (const part of ['one', 'two', 'three']) {
    gun.data(it.connPid, streamRef, 'nofin', part)
    const { payload } = await it.peer.frame(h2.types.DATA, streamId)
    await it.peer.send(h2.data(streamId, payload))
    assert.deepEqual(await it.heard(1), [`data ${part} nofin`])
  }
  gun.trailers(it.connPid, streamRef, [
    ['X-A', 'b'],
    ['x-a', 'c'],
  ])
  assert.deepEqual(await it.peer.trailers(streamId), [
    ['x-a', 'b'],
    ['x-a', 'c'],
  ])
  await it.peer.send(h2.headers(streamId, [['x-b', 'd']], { endStream: true }))
  assert.deepEqual(await it.heard(1), ['trailers x-b=d'])
})

test('a body without a chunk ends with an empty one or with trailers', async () => {
  await using _left = assertNothingLeft()
  await using it = await scene()
  const empty = gun.post(it.connPid, '/', {})
  gun.data(it.connPid, empty, 'fin', '')
  const first = await it.peer.request()
  assert.equal(String(await it.peer.body(first.streamId)), '')
  await it.peer.send(h2.headers(first.streamId, NO_CONTENT, { endStream: true }))
  assert.deepEqual(await it.story(empty), ['response 204 fin'])
  const trailing = gun.post(it.connPid, '/', {})
  gun.trailers(it.connPid, trailing, { 'x-a': 'b' })
  const second = await it.peer.request()
  assert.deepEqual(await it.peer.trailers(second.streamId), [['x-a', 'b']])
  await it.peer.send(h2.headers(second.streamId, NO_CONTENT, { endStream: true }))
  assert.deepEqual(await it.story(trailing), ['response 204 fin'])
  const none = gun.post(it.connPid, '/', {})
  gun.trailers(it.connPid, none, {})
  const third = await it.peer.request()
  await it.peer.body(third.streamId)
  await it.peer.send(h2.headers(third.streamId, NO_CONTENT, { endStream: true }))
  assert.deepEqual(await it.story(none), ['response 204 fin'])
})

test('a whole body has its content-length, and waits for the window', async () => {
  await using _left = assertNothingLeft()
  await using it = await scene({ server: { settings: { INITIAL_WINDOW_SIZE: 10 } } })
  await it.seen()
  const streamRef = gun.post(it.connPid, '/', {}, 'x'.repeat(25))
  const { headers, streamId } = await it.peer.request()
  assert.equal(headerOf(headers, 'content-length'), '25')
  for (const expected of [10, 10, 5]) {
    let size = 0
    while (size < expected) size += (await it.peer.frame(h2.types.DATA, streamId)).payload.length
    assert.equal(size, expected)
    if (expected === 10) await it.peer.send(h2.windowUpdate(streamId, 10))
  }
  await it.peer.send(h2.headers(streamId, NO_CONTENT, { endStream: true }))
  assert.deepEqual(await it.story(streamRef), ['response 204 fin'])
})

onEachTransport('a body of 5 MB arrives as it is', async transport => {
  await using it = await scene({ transport })
  const body = Buffer.alloc(5_000_000, 'abcdefghijk')
  const streamRef = gun.put(it.connPid, '/', {}, body)
  const { streamId } = await it.peer.request()
  await it.peer.send([h2.windowUpdate(0, 10_000_000), h2.windowUpdate(streamId, 10_000_000)])
  assert.ok((await it.peer.body(streamId)).equals(body))
  await it.peer.send(h2.headers(streamId, NO_CONTENT, { endStream: true }))
  assert.deepEqual(await it.story(streamRef), ['response 204 fin'])
})

test('a body that is not as long as its content-length is badstate', async () => {
  await using _left = assertNothingLeft()
  await using _calm = collectWarnings()
  await using it = await scene()
  const long = gun.post(it.connPid, '/long', { 'content-length': '3' })
  gun.data(it.connPid, long, 'nofin', 'abcd')
  assert.deepEqual(await it.heard(1), ['stream: badstate badstate'])
  gun.data(it.connPid, long, 'fin', 'abc')
  const { streamId } = await it.peer.request()
  assert.equal(String(await it.peer.body(streamId)), 'abc')
  await it.peer.send(h2.headers(streamId, NO_CONTENT, { endStream: true }))
  assert.deepEqual(await it.story(long), ['response 204 fin'])
  for (const end of ['fin', 'trailers'] as const) {
    const short = gun.post(it.connPid, '/short', { 'content-length': '3' })
    const { streamId: id } = await it.peer.request()
    if (end === 'fin') gun.data(it.connPid, short, 'fin', 'a')
    else gun.trailers(it.connPid, short, { 'x-a': 'b' })
    assert.deepEqual(await it.heard(1), ['stream: badstate badstate'])
    const reset = await it.peer.frame(h2.types.RST_STREAM, id)
    assert.equal(h2.readRstStream(reset), 'CANCEL')
  }
  assert.deepEqual(await it.waiting(), [])
})

test('a body is sent on while its response is complete already, unless the server resets it', async () => {
  await using _left = assertNothingLeft()
  await using it = await scene()
  const streamRef = gun.post(it.connPid, '/', {})
  const { streamId } = await it.peer.request()
  await it.peer.send([h2.headers(streamId, ok), h2.data(streamId, 'early', { endStream: true })])
  assert.deepEqual(await it.story(streamRef), ['response 200 nofin', 'data early fin'])
  gun.data(it.connPid, streamRef, 'fin', 'late')
  assert.equal(String(await it.peer.body(streamId)), 'late')
  await it.seen()
  assert.deepEqual(await it.waiting(), [])
  assert.deepEqual(
    sentTo(it.peer).filter(text => text.startsWith('RST')),
    [],
  )
})

for (const [what, frames] of [
  ['100', (id: number) => [h2.headers(id, [[':status', '100']])]],
  [
    '103 before the 100',
    (id: number) => [h2.headers(id, [[':status', '103']]), h2.headers(id, [[':status', '100']])],
  ],
] as const) {
  onEachTransport(`a body that expects 100 Continue waits for ${what}`, async transport => {
    await using it = await scene({ transport })
    const streamRef = gun.post(it.connPid, '/', { expect: '100-continue' }, 'body')
    const { streamId } = await it.peer.request()
    await it.seen()
    assert.ok(!it.peer.frames.some(({ type }) => type === h2.types.DATA))
    await it.peer.send(frames(streamId))
    assert.equal(String(await it.peer.body(streamId)), 'body')
    await it.peer.send(h2.headers(streamId, NO_CONTENT, { endStream: true }))
    assert.deepEqual((await it.story(streamRef)).slice(-2), ['inform 100', 'response 204 fin'])
  })
}

test('a body that expects 100 Continue is sent after a second without it', async t => {
  await using _left = assertNothingLeft()
  await using it = await scene()
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const streamRef = gun.post(it.connPid, '/', { expect: '100-continue' }, 'body')
  const { streamId } = await it.peer.request()
  t.mock.timers.tick(999)
  await it.seen()
  assert.ok(!it.peer.frames.some(({ type }) => type === h2.types.DATA))
  t.mock.timers.tick(1)
  t.mock.timers.reset()
  assert.equal(String(await it.peer.body(streamId)), 'body')
  await it.peer.send(h2.headers(streamId, NO_CONTENT, { endStream: true }))
  assert.deepEqual(await it.story(streamRef), ['response 204 fin'])
})

for (const endStream of [true, false]) {
  onEachTransport(
    `a body that expects 100 Continue is never sent after a final response ${endStream ? 'without' : 'with'} a body`,
    async transport => {
      await using it = await scene({ transport })
      const streamRef = gun.post(it.connPid, '/', { expect: '100-continue' }, 'body')
      const { streamId } = await it.peer.request()
      await it.peer.send([
        h2.headers(streamId, [[':status', '417']], { endStream }),
        ...(endStream ? [] : [h2.data(streamId, 'no', { endStream: true })]),
      ])
      assert.deepEqual(
        await it.story(streamRef),
        endStream ? ['response 417 fin'] : ['response 417 nofin', 'data no fin'],
      )
      await it.peer.frame(h2.types.RST_STREAM, streamId)
      assert.ok(!it.peer.frames.some(({ type }) => type === h2.types.DATA))
      await exchange(it, gun.get(it.connPid, '/'))
      assert.deepEqual(await it.waiting(), [])
    },
  )
}

onEachTransport('HEAD, 204 and 304 have no body, whatever their content-length', async transport => {
  await using it = await scene({ transport })
  for (const [ask, status] of [
    [gun.head, '200'],
    [gun.get, '304'],
  ] as const) {
    const streamRef = ask(it.connPid, '/')
    const { streamId } = await it.peer.request()
    await it.peer.send(
      h2.headers(
        streamId,
        [
          [':status', status],
          ['content-length', '5'],
        ],
        { endStream: true },
      ),
    )
    assert.deepEqual(await it.story(streamRef), [`response ${status} fin`])
    const split = ask(it.connPid, '/')
    const { streamId: id } = await it.peer.request()
    await it.peer.send([
      h2.headers(id, [
        [':status', status],
        ['content-length', '5'],
      ]),
      h2.data(id, '', { endStream: true }),
    ])
    assert.deepEqual(await it.story(split), [`response ${status} nofin`, 'data  fin'])
  }
})

onEachTransport('interim responses come before the final one, byte by byte', async transport => {
  await using it = await scene({ transport })
  const streamRef = gun.get(it.connPid, '/')
  const { streamId } = await it.peer.request()
  await it.peer.send(
    Buffer.concat([
      h2.headers(streamId, [
        [':status', '103'],
        ['link', '</a>'],
      ]),
      h2.headers(streamId, [[':status', '103']]),
      h2.headers(streamId, [[':status', '199']]),
      h2.headers(streamId, ok, { padding: 5 }),
      h2.data(streamId, 'abc', { padding: 3 }),
      h2.data(streamId, ''),
      h2.headers(streamId, [['x-a', 'b']], { endStream: true }),
    ]),
    'bytes',
  )
  assert.deepEqual(await it.story(streamRef), [
    'inform 103',
    'inform 103',
    'inform 199',
    'response 200 nofin',
    'data abc nofin',
    'trailers x-a=b',
  ])
})

test('a response in CONTINUATION frames, and headers given again, come whole and in order', async () => {
  await using _left = assertNothingLeft()
  await using it = await scene()
  const streamRef = gun.get(it.connPid, '/')
  const { streamId } = await it.peer.request()
  await it.peer.send([
    h2.headers(streamId, ok, { endHeaders: false, endStream: true }),
    h2.continuation(
      streamId,
      [
        ['set-cookie', 'a=b'],
        ['x-a', '1'],
      ],
      false,
    ),
    h2.continuation(streamId, [
      ['set-cookie', 'c=d'],
      ['x-a', '2'],
    ]),
  ])
  const { headers, isFin } = await it.self.receive([{ type: 'gun_response', streamRef }])
  assert.equal(isFin, 'fin')
  assert.deepEqual(headers, [
    ['set-cookie', 'a=b'],
    ['x-a', '1'],
    ['set-cookie', 'c=d'],
    ['x-a', '2'],
  ])
})

onEachTransport('a body that is cancelled does not look as if it had ended', async transport => {
  await using it = await scene({ transport })
  for (const answered of [false, true]) {
    const streamRef = gun.post(it.connPid, '/', {})
    const { streamId } = await it.peer.request()
    gun.data(it.connPid, streamRef, 'nofin', 'one')
    await it.peer.frame(h2.types.DATA, streamId)
    if (answered) {
      await it.peer.send(h2.headers(streamId, ok))
      assert.deepEqual(await it.heard(1), ['response 200 nofin'])
    }
    gun.data(it.connPid, streamRef, 'nofin', 'two')
    gun.cancel(it.connPid, streamRef)
    await it.peer.frame(h2.types.RST_STREAM, streamId)
    const sent = sentTo(it.peer).filter(text => text.includes(` of ${streamId}`))
    assert.ok(!sent.some(text => text.includes('END_STREAM')), sent.join())
  }
  await exchange(it, gun.get(it.connPid, '/'))
})

test('a trailer field is sent twice where it is given twice', async () => {
  await using _left = assertNothingLeft()
  await using it = await scene()
  const streamRef = gun.post(it.connPid, '/', {})
  const { streamId } = await it.peer.request()
  const given = [
    ['etag', 'a'],
    ['etag', 'b'],
  ] as const
  gun.trailers(it.connPid, streamRef, given)
  assert.deepEqual(await it.peer.trailers(streamId), given)
  await it.peer.send(h2.headers(streamId, NO_CONTENT, { endStream: true }))
  assert.deepEqual(await it.story(streamRef), ['response 204 fin'])
})

for (const body of ['', 'abc']) {
  onEachTransport(
    `a request ${body === '' ? 'without' : 'with'} a body that is cancelled as its head is told is not told to have ended`,
    async transport => {
      const told: string[] = []
      await using it = await scene({
        transport,
        opts: {
          eventHandler: {
            requestStart: () => told.push('requestStart'),
            requestHeaders: ({ connPid, streamRef }) => {
              told.push('requestHeaders')
              gun.cancel(connPid, streamRef)
            },
            requestEnd: () => told.push('requestEnd'),
            cancel: () => told.push('cancel'),
          },
        },
      })
      const streamRef = gun.request(it.connPid, 'POST', '/', {}, body)
      assert.deepEqual(told, ['requestStart', 'requestHeaders', 'cancel'])
      assert.equal(gun.streamInfo(it.connPid, streamRef), undefined)
      const { streamId } = await it.peer.request()
      assert.equal(h2.readRstStream(await it.peer.frame(h2.types.RST_STREAM, streamId)), 'CANCEL')
    },
  )
}
