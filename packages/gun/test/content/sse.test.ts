import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { runs } from '../../../../test/support/runs.ts'
import { type SseOpts, sse } from '../../src/content/sse.ts'
import { GunError } from '../../src/errors.ts'
import type { GunSse } from '../../src/messages.ts'
import { connPid, feed, places, scene, split, streamRef } from '../support/content.ts'

const headers = [['content-type', 'text/event-stream']] as const

async function events(parts: readonly Buffer[], opts?: SseOpts): Promise<GunSse['event'][]> {
  const { chain, posted, parts: handedOn } = scene([sse(opts)], headers)
  await feed(chain, parts)
  chain?.dispose()
  assert.deepEqual(handedOn, [])
  return (posted as GunSse[]).map(({ event }) => event)
}

const message = (data: string, lastEventId = '', eventType = 'message') => ({ lastEventId, eventType, data })

const cases: readonly [name: string, stream: string, ...expected: object[]][] = [
  ['an event has data', 'data: a\n\n', message('a')],
  ['only one space after the colon is left out', 'data:  a\n\ndata:b\n\n', message(' a'), message('b')],
  ['several lines of data are joined', 'data: a\ndata\ndata: b\n\n', message('a\n\nb')],
  ['empty data is an event', 'data\n\ndata\ndata\n\ndata:', message(''), message('\n')],
  ['an event may have a type', 'event: add\ndata: 1\n\ndata: 2\n\n', message('1', '', 'add'), message('2')],
  ['an empty type is the default', 'event: add\nevent:\ndata: 1\n\n', message('1')],
  ['a type without data is forgotten', 'event: add\n\ndata: 1\n\n', message('1')],
  ['an id lasts', 'id: 1\ndata: a\n\ndata: b\n\n', message('a', '1'), message('b', '1')],
  ['an id without data lasts', 'id: 7\n\ndata: a\n\n', message('a', '7')],
  ['an empty id takes it back', 'id: 1\ndata: a\n\nid\ndata: b\n\n', message('a', '1'), message('b')],
  ['an id with a colon but no value takes it back', 'id: 1\n\nid:\ndata: b\n\n', message('b')],
  ['an id with NUL is ignored', 'id: 1\n\nid: 2\0\ndata: a\n\n', message('a', '1')],
  ['what only begins like an id is none', 'id: 1\n\nidx: 2\nid : 3\ndata: a\n\n', message('a', '1')],
  ['comments and unknown fields are ignored', ':\n: a\nfoo: b\ndatabase: c\nbar\ndata: d\n\n', message('d')],
  ['a byte order mark is skipped', '\ufeffdata: a\n\n', message('a')],
  ['a second byte order mark is not', '\ufeff\ufeffdata: a\n\n'],
  ['what a byte order mark looks like in Latin-1 is not skipped', '\u00ef\u00bb\u00bfdata: a\n\n'],
  ['an event at the end that lacks its empty line is discarded', 'data: a\n\ndata: b\n', message('a')],
  ['a line at the end that lacks its end is discarded', 'data: a\n\ndata: b', message('a')],
  ['CR ends lines and events at once', 'data: a\r\rdata: b\r\r', message('a'), message('b')],
  [
    'line ends may be mixed',
    'data: a\r\ndata: b\rdata: c\n\r\ndata: d\n\r',
    message('a\nb\nc'),
    message('d'),
  ],
  ['text may be any', 'data: \u{1f980} \u00e9\u2028\n\n', message('\u{1f980} \u00e9\u2028')],
  [
    'the reconnection time lasts',
    'data: a\n\nretry: 10\n\ndata: b\n\nretry: 1s\nretry:\ndata: c\n\n',
    message('a'),
    { ...message('b'), retry: 10 },
    { ...message('c'), retry: 10 },
  ],
]

for (const [name, stream, ...expected] of cases) {
  test(`server-sent events: ${name}`, async () => {
    const bytes = Buffer.from(stream)
    assert.deepEqual(await events([bytes]), [...expected, 'fin'])
    const each = [...bytes].map(byte => Buffer.of(byte))
    assert.deepEqual(await events([...each, Buffer.alloc(0)]), [...expected, 'fin'])
  })
}

test('where a stream of events is split does not matter', async () => {
  const pieces = [
    'data',
    'id',
    'event',
    'retry',
    ':',
    ' ',
    '\r',
    '\n',
    '\r\n',
    '\0',
    '7',
    'a',
    '\u{1f980}',
    '\ufeff',
  ]
  const streams = fc.array(fc.constantFrom(...pieces, 'data: x\n\n', 'id: 1\n'), { maxLength: 60 })
  await fc.assert(
    fc.asyncProperty(streams, places, async (stream, at) => {
      const bytes = Buffer.from(stream.join(''))
      assert.deepEqual(await events(split(bytes, at)), await events([bytes]))
    }),
    runs(300),
  )
})

test('an event is posted as soon as its last byte has come, to whom the stream replies', () => {
  const { chain, posted } = scene([sse()], headers)
  chain?.handle('nofin', Buffer.from('data: a\r\n\r'))
  assert.deepEqual(posted, [{ type: 'gun_sse', connPid, streamRef, event: message('a') }])
  chain?.handle('nofin', Buffer.from('\ndata: b\n'))
  assert.equal(posted.length, 1)
  chain?.handle('fin', Buffer.from('\n'))
  assert.deepEqual(posted.slice(1), [
    { type: 'gun_sse', connPid, streamRef, event: message('b') },
    { type: 'gun_sse', connPid, streamRef, event: 'fin', lastEventId: '' },
  ])
})

for (const [name, stream, expected] of [
  ['is that of the last event', 'id: 1\ndata: a\n\n', '1'],
  ['is one that came alone behind it', 'id: 1\ndata: a\n\nid: 2\n\n', '2'],
  ['is one that came alone', 'id: 7\n\n', '7'],
  ['is empty where the last one took it back', 'id: 1\ndata: a\n\nid\n\n', ''],
  ['is not that of a block that lacks its empty line', 'id: 1\ndata: a\n\nid: 2\n', '1'],
  ['is empty where none came', 'data: a\n\n', ''],
] as const) {
  test(`the id at the end of a stream ${name}`, () => {
    for (const parts of [[stream], [...stream]]) {
      const { chain, posted } = scene([sse()], headers)
      for (const part of parts) chain?.handle('nofin', Buffer.from(part))
      chain?.handle('fin', Buffer.alloc(0))
      assert.deepEqual(posted.at(-1), {
        type: 'gun_sse',
        connPid,
        streamRef,
        event: 'fin',
        lastEventId: expected,
      })
    }
  })
}

test('only the type text/event-stream is wanted, in any case and with any parameters', () => {
  const wants = (...types: string[]) =>
    scene(
      [sse()],
      types.map(type => ['content-type', type] as const),
    ).chain !== undefined
  assert.ok(wants('text/event-stream'))
  assert.ok(wants('Text/Event-Stream;charset=UTF-8'))
  assert.ok(wants('text/event-stream ; a="b"'))
  assert.ok(!wants())
  assert.ok(!wants('text/plain'))
  assert.ok(!wants('text/event-streams'))
  assert.ok(!wants('text/plain; a=text/event-stream'))
})

test('an event of more than maxEventSize characters is an error, however it comes', async () => {
  const isLimit = (error: unknown) => {
    assert.ok(error instanceof GunError)
    assert.deepEqual([error.code, error.kind], ['limit_reached', 'stream_error'])
    assert.match(error.message, /sse\.maxEventSize .*20/)
    return true
  }
  const fits = ['data: 4567890123456\n\n', ': a\n'.repeat(100), 'data: 4\n\n'.repeat(100), ':'.repeat(20)]
  const tooLong = [
    'data: 4567890123456789',
    ':'.repeat(21),
    'data: 7890\ndata: 78901\n\n',
    'data\n'.repeat(6),
  ]
  for (const stream of [...fits, ...tooLong]) {
    for (const parts of [[Buffer.from(stream)], [...Buffer.from(stream)].map(byte => Buffer.of(byte))]) {
      const run = events(parts, { maxEventSize: 20 })
      if (fits.includes(stream)) await run
      else await assert.rejects(run, isLimit, stream)
    }
  }
  await assert.rejects(events([Buffer.from(`data: ${'a'.repeat(1024 * 1024)}`)]), /1048576/)
})

test('wrong options are refused', () => {
  const refuse = (opts: unknown, text: RegExp) =>
    assert.throws(
      () => sse(opts as SseOpts),
      (error: unknown) => {
        assert.ok(error instanceof GunError)
        assert.equal(error.code, 'bad_option')
        assert.match(error.message, text)
        return true
      },
    )
  refuse({ maxEventSize: 0 }, /^sse\.maxEventSize must be a whole number/)
  refuse({ maxEventSize: '1' }, /^sse\.maxEventSize must be a number/)
  refuse({ maxSize: 1 }, /^sse\.maxSize is not an option/)
  refuse(1, /^sse /)
  sse({ maxEventSize: Number.POSITIVE_INFINITY })
})

test('nothing is posted after the handler was closed', () => {
  const { response } = scene([])
  const posted: unknown[] = []
  const send = (message: unknown) => {
    posted.push(message)
    reader?.close?.()
  }
  const to = { ...response, headers, replyTo: { send } as unknown as typeof response.replyTo }
  const reader = sse().init(to, () => {})
  reader?.handle('fin', Buffer.from('data: a\n\ndata: b\n\n'))
  assert.equal(posted.length, 1)
})
