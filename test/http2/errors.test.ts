// Streams of HTTP/2 that fail, and what that means for the others and for the connection.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as gun from '@holster/gun'
import { onEachTransport } from '../support/http-scene.ts'
import * as h2 from '../support/http2-frames.ts'
import type { H2Peer } from '../support/http2-origin.ts'
import { ok, scene, sentTo } from '../support/http2-scene.ts'
import { assertNothingLeft, collectWarnings } from '../support/leftovers.ts'

const codeOf = (code: number): string => (code === 7 ? 'refused_stream' : 'stream_reset')

onEachTransport(
  'a reset with any code but NO_ERROR fails its stream alone, what came before it delivered',
  async transport => {
    await using it = await scene({ transport })
    for (const code of [...Object.values(h2.errorCodes), 0x1234]) {
      const early = gun.get(it.connPid, '/early')
      const head = gun.get(it.connPid, '/head')
      const body = gun.get(it.connPid, '/body')
      const other = gun.get(it.connPid, '/other')
      const ids: number[] = []
      for (const _ of [1, 2, 3, 4]) ids.push((await it.peer.request()).streamId)
      const [a = 0, b = 0, c = 0, d = 0] = ids
      await it.peer.send([
        h2.rstStream(a, code),
        h2.headers(b, ok),
        h2.rstStream(b, code),
        h2.headers(c, ok),
        h2.data(c, 'one'),
        h2.data(c, 'two'),
        h2.rstStream(c, code),
        h2.headers(d, ok),
        h2.data(d, 'fine', { endStream: true }),
      ])
      const error = `stream: stream_error ${codeOf(code)}`
      assert.deepEqual(await it.story(early), [error])
      // Node's server ends streams so now and then: what has come is all.
      const isEnd = code === h2.errorCodes.NO_ERROR
      assert.deepEqual(await it.story(head), ['response 200 nofin', isEnd ? 'data  fin' : error])
      const rest = isEnd ? ['data onetwo fin'] : ['data onetwo nofin', error]
      assert.deepEqual(await it.story(body), ['response 200 nofin', ...rest])
      assert.deepEqual(await it.story(other), ['response 200 nofin', 'data fine fin'])
    }
    assert.deepEqual(await it.waiting(), [])
  },
)

for (const code of [h2.errorCodes.NO_ERROR, h2.errorCodes.CANCEL, h2.errorCodes.REFUSED_STREAM]) {
  onEachTransport(`a reset with ${code} behind a complete response is not heard of`, async transport => {
    await using it = await scene({ transport })
    const streamRef = gun.post(it.connPid, '/', { 'content-length': '10' })
    const { streamId } = await it.peer.request()
    await it.peer.send([
      h2.headers(streamId, ok),
      h2.data(streamId, 'done', { endStream: true }),
      h2.rstStream(streamId, code),
    ])
    assert.deepEqual(await it.story(streamRef), ['response 200 nofin', 'data done fin'])
    await it.seen()
    gun.data(it.connPid, streamRef, 'fin', '0123456789')
    assert.deepEqual(await it.heard(1), ['stream: badstate badstate'])
    const next = gun.get(it.connPid, '/')
    const { streamId: id } = await it.peer.request()
    await it.peer.send(h2.headers(id, [[':status', '204']], { endStream: true }))
    assert.deepEqual(await it.story(next), ['response 204 fin'])
  })
}

test('what flow holds up is delivered before the reset behind it', async () => {
  await using _left = assertNothingLeft()
  await using it = await scene()
  const streamRef = gun.get(it.connPid, '/', {}, { flow: 1 })
  const { streamId } = await it.peer.request()
  await it.peer.send([
    h2.headers(streamId, ok),
    h2.data(streamId, 'a'),
    h2.data(streamId, 'b'),
    h2.data(streamId, 'c'),
  ])
  await it.seen()
  assert.deepEqual(await it.waiting(), ['response 200 nofin', 'data a nofin'])
  await it.peer.send(h2.rstStream(streamId, h2.errorCodes.INTERNAL_ERROR))
  assert.deepEqual(await it.story(streamRef), ['data bc nofin', 'stream: stream_error stream_reset'])
})

test('what flow holds up of a complete response waits through a reset behind it', async () => {
  await using _left = assertNothingLeft()
  await using it = await scene()
  const streamRef = gun.get(it.connPid, '/', {}, { flow: 1 })
  const { streamId } = await it.peer.request()
  await it.peer.send([
    h2.headers(streamId, ok),
    h2.data(streamId, 'a'),
    h2.data(streamId, 'b'),
    h2.data(streamId, 'c', { endStream: true }),
    h2.rstStream(streamId, h2.errorCodes.NO_ERROR),
  ])
  await it.seen()
  assert.deepEqual(await it.waiting(), ['response 200 nofin', 'data a nofin'])
  gun.updateFlow(it.connPid, streamRef, 10)
  assert.deepEqual(await it.story(streamRef), ['data bc fin'])
})

const malformed: readonly [what: string, frames: (id: number) => readonly Uint8Array[]][] = [
  ['without :status', id => [h2.headers(id, [['x-a', 'b']], { endStream: true })]],
  ['with an uppercase name', id => [h2.headers(id, [...ok, ['X-A', 'b']], { endStream: true })]],
  ['with a connection header', id => [h2.headers(id, [...ok, ['connection', 'close']], { endStream: true })]],
  [
    'with transfer-encoding',
    id => [h2.headers(id, [...ok, ['transfer-encoding', 'chunked']], { endStream: true })],
  ],
  ['with a status that is none', id => [h2.headers(id, [[':status', 'abc']], { endStream: true })]],
  ['with a status of two digits', id => [h2.headers(id, [[':status', '20']], { endStream: true })]],
  ['with a status of 99', id => [h2.headers(id, [[':status', '099']], { endStream: true })]],
  ['with a status of 101', id => [h2.headers(id, [[':status', '101']])]],
  ['with :status twice', id => [h2.headers(id, [...ok, ...ok], { endStream: true })]],
  ['with :status behind a header', id => [h2.headers(id, [['x-a', 'b'], ...ok], { endStream: true })]],
  ['with an unknown pseudo-header', id => [h2.headers(id, [...ok, [':x', 'b']], { endStream: true })]],
  ['with a request’s pseudo-header', id => [h2.headers(id, [...ok, [':path', '/']], { endStream: true })]],
  [
    'with a content-length that is none',
    id => [h2.headers(id, [...ok, ['content-length', 'a']]), h2.data(id, 'a', { endStream: true })],
  ],
  [
    'with two content-lengths',
    id => [
      h2.headers(id, [...ok, ['content-length', '1'], ['content-length', '2']]),
      h2.data(id, 'a', { endStream: true }),
    ],
  ],
  ['that begins with data', id => [h2.data(id, 'a', { endStream: true })]],
  ['that is interim and ends the stream', id => [h2.headers(id, [[':status', '103']], { endStream: true })]],
]

for (const [what, frames] of malformed) {
  onEachTransport(
    `a response ${what} is a protocol_error of its stream, and the connection goes on`,
    async transport => {
      await using it = await scene({ transport })
      const streamRef = gun.get(it.connPid, '/')
      const { streamId } = await it.peer.request()
      await it.peer.send(frames(streamId))
      assert.deepEqual(await it.story(streamRef), ['stream: stream_error protocol_error'])
      await goesOn(it)
    },
  )
}

const broken: readonly [what: string, frames: (id: number) => readonly Uint8Array[], body: string][] = [
  ['with less than its content-length', id => [h2.data(id, 'abc', { endStream: true })], 'abc'],
  ['with more than its content-length', id => [h2.data(id, 'abcdef')], ''],
  [
    'with a pseudo-header in its trailers',
    id => [h2.data(id, 'abcde'), h2.headers(id, [[':status', '200']], { endStream: true })],
    'abcde',
  ],
  [
    'with less than its content-length, and a reset with NO_ERROR behind it,',
    id => [h2.data(id, 'abc', { endStream: true }), h2.rstStream(id, 0)],
    'abc',
  ],
  ['that is reset with NO_ERROR before its end', id => [h2.data(id, 'abc'), h2.rstStream(id, 0)], 'abc'],
  [
    'that is reset with NO_ERROR before all of its length has come',
    id => [h2.data(id, 'abc'), h2.rstStream(id, 0), h2.data(id, 'de', { endStream: true })],
    'abc',
  ],
  ['with trailers that do not end it', id => [h2.data(id, 'abcde'), h2.headers(id, [['x-a', 'b']])], 'abcde'],
]

for (const [what, frames, body] of broken) {
  onEachTransport(`a response ${what} is an error of its stream, never 'fin'`, async transport => {
    await using it = await scene({ transport })
    const streamRef = gun.get(it.connPid, '/')
    const { streamId } = await it.peer.request()
    await it.peer.send([h2.headers(streamId, [...ok, ['content-length', '5']]), ...frames(streamId)])
    assert.deepEqual(await it.story(streamRef), [
      'response 200 nofin',
      ...(body === '' ? [] : [`data ${body} nofin`]),
      `stream: stream_error ${what.startsWith('that is reset') ? 'stream_reset' : 'protocol_error'}`,
    ])
    await goesOn(it)
  })
}

const trailers: readonly [what: string, frame: (id: number) => Uint8Array][] = [
  ['a pseudo-header in its trailers', id => h2.headers(id, ok, { endStream: true })],
  ['an uppercase name in its trailers', id => h2.headers(id, [['X-A', 'b']], { endStream: true })],
  ['trailers that do not end it', id => h2.headers(id, [['x-a', 'b']])],
]

for (const code of [undefined, h2.errorCodes.NO_ERROR, h2.errorCodes.INTERNAL_ERROR]) {
  const behind = code === undefined ? '' : `, and a reset with ${code} behind it,`
  for (const [what, frame] of trailers) {
    onEachTransport(
      `a response that is whole but for ${what}${behind} is an error of its stream, never 'fin'`,
      async transport => {
        await using it = await scene({ transport })
        for (const length of [[], [['content-length', '5']]] as const) {
          const streamRef = gun.get(it.connPid, '/')
          const { streamId } = await it.peer.request()
          await it.peer.send([
            h2.headers(streamId, [...ok, ...length]),
            h2.data(streamId, 'abcde'),
            frame(streamId),
            ...(code === undefined ? [] : [h2.rstStream(streamId, code)]),
          ])
          const [response, data, error] = await it.story(streamRef)
          assert.deepEqual([response, data], ['response 200 nofin', 'data abcde nofin'])
          assert.equal(error, 'stream: stream_error protocol_error')
        }
        await goesOn(it)
      },
    )
  }
}

for (const code of [h2.errorCodes.NO_ERROR, h2.errorCodes.CANCEL]) {
  onEachTransport(`trailers come although a reset with ${code} is behind them`, async transport => {
    await using it = await scene({ transport })
    for (const fields of [[['x-a', 'b']], []] as const) {
      const streamRef = gun.get(it.connPid, '/')
      const { streamId } = await it.peer.request()
      await it.peer.send([
        h2.headers(streamId, ok),
        h2.data(streamId, 'abcde'),
        h2.headers(streamId, fields, { endStream: true }),
        h2.rstStream(streamId, code),
      ])
      const expected = [
        'response 200 nofin',
        'data abcde nofin',
        `trailers ${fields.map(each => each.join('=')).join()}`,
      ]
      assert.deepEqual(await it.story(streamRef), expected)
    }
    await goesOn(it)
  })
}

const wrongFields: readonly [what: string, field: readonly [name: string, value: string]][] = [
  ['a NUL in a value', ['x-a', 'b\0c']],
  ['a line feed in a value', ['x-a', 'b\nc']],
  ['a carriage return in a value', ['x-a', 'b\rc']],
  ['a blank before a value', ['x-a', ' b']],
  ['a blank behind a value', ['x-a', 'b ']],
  ['a tabulator before a value', ['x-a', '\tb']],
  ['a blank in a name', ['x a', 'b']],
  ['a capital in a name', ['X-a', 'b']],
  ['a colon in a name', ['x:a', 'b']],
  ['an octet beyond ASCII in a name', ['x\xe9', 'b']],
  ['a name without a character', ['', 'b']],
  ['a field of HTTP/1.1', ['connection', 'close']],
  ['a second :status', [':status', '200']],
  ['a pseudo field of requests', [':path', '/']],
]

for (const [what, wrong] of wrongFields) {
  onEachTransport(`a response with ${what} breaks its stream alone`, async transport => {
    await using it = await scene({ transport })
    for (const isTrailer of [false, true]) {
      const streamRef = gun.get(it.connPid, '/')
      const { streamId } = await it.peer.request()
      const frames = isTrailer
        ? [h2.headers(streamId, ok), h2.headers(streamId, [wrong, ['x-b', 'c']], { endStream: true })]
        : [h2.headers(streamId, [...ok, wrong, ['x-b', 'c']], { endStream: true })]
      await it.peer.send(frames)
      assert.deepEqual(await it.story(streamRef), [
        ...(isTrailer ? ['response 200 nofin'] : []),
        'stream: stream_error protocol_error',
      ])
      const reset = await it.peer.frame(h2.types.RST_STREAM, streamId)
      assert.equal(h2.readRstStream(reset), 'PROTOCOL_ERROR')
    }
    await goesOn(it)
  })
}

async function goesOn(it: Awaited<ReturnType<typeof scene>>): Promise<void> {
  const next = gun.get(it.connPid, '/next')
  const { streamId } = await it.peer.request()
  await it.peer.send(h2.headers(streamId, [[':status', '204']], { endStream: true }))
  assert.deepEqual(await it.story(next), ['response 204 fin'])
  assert.deepEqual(await it.waiting(), [])
}

const cut: readonly [what: string, cut: (peer: H2Peer) => unknown][] = [
  ['ended', peer => peer.end()],
  ['reset', peer => peer.reset()],
  [
    'cut within a frame’s header',
    async peer => {
      await peer.send(h2.data(1, 'never').subarray(0, 5))
      peer.end()
    },
  ],
  [
    'cut within a frame',
    async peer => {
      await peer.send(h2.data(1, 'never').subarray(0, 11))
      peer.end()
    },
  ],
]

for (const [what, cutOff] of cut) {
  for (const flow of [Number.POSITIVE_INFINITY, 1]) {
    onEachTransport(
      `responses whose connection is ${what} are errors behind all that came, with a flow of ${flow}`,
      async transport => {
        await using it = await scene({ transport, opts: { retry: 0 } })
        const opts = flow === 1 ? { flow } : {}
        const begun = gun.get(it.connPid, '/begun', {}, opts)
        const unanswered = gun.get(it.connPid, '/')
        const done = gun.get(it.connPid, '/done', {}, opts)
        const ids: number[] = []
        for (const _ of [1, 2, 3]) ids.push((await it.peer.request()).streamId)
        const [a = 0, , c = 0] = ids
        await it.peer.send([
          h2.headers(a, ok),
          h2.data(a, 'one'),
          h2.data(a, 'two'),
          h2.headers(c, ok),
          h2.data(c, 'three'),
          h2.data(c, 'four', { endStream: true }),
        ])
        await it.seen()
        await cutOff(it.peer)
        const [first, ...rest] = await it.story(begun)
        assert.equal(first, 'response 200 nofin')
        assert.match(rest.join(), /^data onetwo(ne)? nofin,stream: connection_error \w+$/)
        assert.match((await it.story(unanswered)).join(), /^stream: connection_error \w+$/)
        assert.deepEqual(await it.story(done), ['response 200 nofin', 'data threefour fin'])
        assert.match(
          (await it.end()).join(),
          /^down connection_error \w+, killed 2,connection: connection_error \w+,DOWN shutdown connection_error \w+$/,
        )
      },
    )
  }
}

const fatal: readonly [what: string, code: string, frames: (id: number) => readonly Uint8Array[]][] = [
  ['DATA on stream 0', 'protocol_error', () => [h2.data(0, 'a')]],
  ['HEADERS on stream 0', 'protocol_error', () => [h2.headers(0, ok)]],
  ['DATA on a stream that never was', 'protocol_error', () => [h2.data(99, 'a')]],
  ['HEADERS on a stream that never was', 'protocol_error', () => [h2.headers(99, ok)]],
  ['a reset of a stream that never was', 'protocol_error', () => [h2.rstStream(99, 0)]],
  ['a header block that cannot be read', 'protocol_error', id => [h2.headers(id, Buffer.of(0x80))]],
  ['a PING of 7 bytes', 'protocol_error', () => [h2.ping('1234567')]],
  ['a PING on a stream', 'protocol_error', id => [h2.frame(h2.types.PING, 0, id, Buffer.alloc(8))]],
  ['a SETTINGS of 5 bytes', 'protocol_error', () => [h2.frame(h2.types.SETTINGS, 0, 0, Buffer.alloc(5))]],
  ['a SETTINGS that allows us pushes', 'protocol_error', () => [h2.settings({ ENABLE_PUSH: 2 })]],
  ['a window too large', 'protocol_error', () => [h2.settings({ INITIAL_WINDOW_SIZE: 2 ** 31 })]],
  ['a window update of 0', 'protocol_error', () => [h2.windowUpdate(0, 0)]],
  [
    'a window updated too far',
    'protocol_error',
    () => [h2.windowUpdate(0, 2 ** 31 - 1), h2.windowUpdate(0, 2 ** 31 - 1)],
  ],
  ['a frame too large', 'protocol_error', id => [h2.headers(id, ok), h2.data(id, Buffer.alloc(16_385))]],
  [
    'padding longer than its frame',
    'protocol_error',
    id => [h2.headers(id, ok), h2.frame(0, 8, id, Buffer.of(9, 1))],
  ],
  ['CONTINUATION out of place', 'protocol_error', id => [h2.continuation(id, ok)]],
  [
    'a header block that is interrupted',
    'protocol_error',
    id => [h2.headers(id, ok, { endHeaders: false }), h2.ping()],
  ],
]

for (const [what, code, frames] of fatal) {
  onEachTransport(`${what} ends the connection, which is told why`, async transport => {
    await using it = await scene({ transport, opts: { retry: 0 } })
    const streamRef = gun.get(it.connPid, '/')
    const { streamId } = await it.peer.request()
    await it.peer.send(frames(streamId))
    const story = await it.story(streamRef)
    assert.equal(story.at(-1), `stream: connection_error ${code}`)
    assert.deepEqual(await it.end(), [
      `down connection_error ${code}, killed 1`,
      `connection: connection_error ${code}`,
      `DOWN shutdown connection_error ${code}`,
    ])
    const goaway = await it.peer.frame(h2.types.GOAWAY)
    assert.notEqual(h2.readGoaway(goaway).errorCode, 'NO_ERROR')
  })
}

test('a stream that was cancelled sends one reset, and what still comes of it is dropped', async () => {
  await using _left = assertNothingLeft()
  await using _calm = collectWarnings()
  await using it = await scene()
  const streamRef = gun.get(it.connPid, '/')
  const { streamId } = await it.peer.request()
  gun.cancel(it.connPid, streamRef)
  const reset = await it.peer.frame(h2.types.RST_STREAM, streamId)
  assert.equal(h2.readRstStream(reset), 'CANCEL')
  await it.peer.send([
    h2.headers(streamId, ok),
    h2.data(streamId, 'late'),
    h2.data(streamId, 'late', { endStream: true }),
    h2.rstStream(streamId, 0),
  ])
  await it.seen()
  await goesOn(it)
  assert.deepEqual(
    sentTo(it.peer).filter(text => text.startsWith('RST')),
    [`RST_STREAM of ${streamId} CANCEL`],
  )
  gun.cancel(it.connPid, streamRef)
  assert.deepEqual(await it.heard(1), ['stream: badstate badstate'])
})

for (const [what, method, head] of [
  ['the answer to HEAD', 'HEAD', ok],
  ['a 204', 'GET', [[':status', '204']]],
  ['a response of no bytes', 'GET', [...ok, ['content-length', '0']]],
] as const) {
  for (const code of [h2.errorCodes.NO_ERROR, h2.errorCodes.CANCEL]) {
    onEachTransport(
      `a body of ${what} is an error, though a reset with ${code} is behind it`,
      async transport => {
        for (const padding of [0, 3]) {
          await using it = await scene({ transport })
          const streamRef = gun.request(it.connPid, method, '/', {}, '')
          const { streamId } = await it.peer.request()
          await it.peer.send(
            Buffer.concat([
              h2.headers(streamId, head),
              h2.data(streamId, 'abc', { endStream: true, padding }),
              h2.rstStream(streamId, code),
            ]),
          )
          const [, error] = await it.story(streamRef)
          assert.equal(error, 'stream: stream_error protocol_error')
        }
      },
    )
  }
}

for (const isHeld of [false, true]) {
  onEachTransport(
    `a padded response is whole though a reset is behind it${isHeld ? ', and it is held up' : ''}`,
    async transport => {
      await using it = await scene({ transport })
      const streamRef = gun.get(it.connPid, '/', {}, isHeld ? { flow: 1 } : {})
      const { streamId } = await it.peer.request()
      await it.peer.send(
        Buffer.concat([
          h2.headers(streamId, [...ok, ['content-length', '6']]),
          h2.data(streamId, 'abc', { padding: 200 }),
          h2.data(streamId, 'def', { endStream: true, padding: 5 }),
          h2.rstStream(streamId, h2.errorCodes.NO_ERROR),
        ]),
      )
      if (isHeld) {
        await it.seen()
        gun.updateFlow(it.connPid, streamRef, 5)
      }
      assert.deepEqual(await it.story(streamRef), ['response 200 nofin', 'data abcdef fin'])
      await goesOn(it)
    },
  )
}
