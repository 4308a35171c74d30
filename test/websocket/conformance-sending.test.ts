// RFC 6455 and RFC 7692 as tables, the other way: what a caller sends, down to the bytes, and what is agreed upon.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import * as gun from '@holster/gun'
import { type ClientFrame, closePayload, frame, opcodes } from '@holster/testing/frames'
import { Deflate } from '../support/deflate.ts'
import { assertNothingLeft, type Collected, collectWarnings } from '../support/leftovers.ts'
import {
  agree,
  bytesFrom,
  closedStory,
  DEFLATE,
  failedStory,
  framesIn,
  read,
  type Scene,
  story,
  tellFrame,
  type Wire,
  type WsServer,
  wires,
  wsServer,
} from '../support/scripted-websockets.ts'

let left: AsyncDisposable
let calm: Collected
const servers = new Map<Wire, WsServer>()

before(async () => {
  left = assertNothingLeft()
  calm = collectWarnings()
  for (const wire of wires) servers.set(wire, await wsServer(wire))
})
after(async () => {
  await Promise.all([...servers.values()].map(server => server[Symbol.asyncDispose]()))
  await calm[Symbol.asyncDispose]()
  await left[Symbol.asyncDispose]()
})

function serverOf(wire: Wire): WsServer {
  return servers.get(wire) ?? assert.fail(`there is no server for ${wire}`)
}

type Sent = gun.WsFrame | readonly gun.WsFrame[]

/** Sends each in a call of its own, and gives all bytes that leave until both sides have closed. */
async function bytesSent(it: Scene, calls: readonly Sent[]): Promise<Buffer> {
  const { connPid, streamRef, peer } = it
  for (const frames of calls) gun.wsSend(connPid, streamRef, frames)
  await peer.send(frame({ opcode: opcodes.close }))
  const [told, bytes] = await Promise.all([story(it), bytesFrom(peer, () => peer.end())])
  assert.deepEqual(told, ['close', ...closedStory(it)])
  return bytes
}

/** The same as frames, but for the close that comes last. */
async function framesSent(it: Scene, calls: readonly Sent[], mayCompress = false): Promise<ClientFrame[]> {
  const frames = framesIn(await bytesSent(it, calls), mayCompress)
  assert.equal(frames.pop()?.opcode, opcodes.close)
  return frames
}

const plain = (opcode: number, payload: string | Uint8Array = '') => ({
  opcode,
  payload: Buffer.from(payload),
})

/** What is sent, in words, and the frame that leaves. Lone surrogates become U+FFFD, as everywhere in the platform. */
const sendings: [what: string, sent: gun.WsFrame, left: { opcode: number; payload: Buffer }][] = [
  ['a bare ping', 'ping', plain(opcodes.ping)],
  ['a bare pong', 'pong', plain(opcodes.pong)],
  ...[0, 1, 124, 125].flatMap((length): typeof sendings => [
    [
      `a ping of ${length} bytes`,
      ['ping', Buffer.alloc(length, 0xff)],
      plain(opcodes.ping, Buffer.alloc(length, 0xff)),
    ],
    [
      `a pong of ${length} bytes`,
      ['pong', Buffer.alloc(length, 0xfe)],
      plain(opcodes.pong, Buffer.alloc(length, 0xfe)),
    ],
  ]),
  ...[
    0, 1, 2, 3, 4, 5, 7, 63, 64, 65, 124, 125, 126, 127, 128, 1023, 1024, 65_534, 65_535, 65_536, 65_537,
    200_000,
  ].flatMap((length): typeof sendings => {
    const bytes = randomBytes(length)
    return [
      [`a binary of ${length} bytes`, ['binary', bytes], plain(opcodes.binary, bytes)],
      [
        `a text of ${length} bytes of ASCII`,
        ['text', 'x'.repeat(length)],
        plain(opcodes.text, 'x'.repeat(length)),
      ],
    ]
  }),
  // Where the length of the string and the length of its bytes lie on different sides of a boundary.
  ...[125, 126, 127, 65_535, 65_536, 65_537].flatMap((length): typeof sendings =>
    ['é', '€', '\u{1f600}'].map(char => {
      const size = Buffer.byteLength(char)
      const message = 'x'.repeat(length % size) + char.repeat(Math.floor(length / size))
      return [
        `a text of ${length} bytes in ${message.length} units of ${char}`,
        ['text', message],
        plain(opcodes.text, message),
      ]
    }),
  ),
  ...[125, 126, 65_535, 65_536].map((length): (typeof sendings)[number] => {
    const message = 'é'.repeat(length)
    return [
      `a text of ${length} units in ${2 * length} bytes`,
      ['text', message],
      plain(opcodes.text, message),
    ]
  }),
  ...[
    '\u0000',
    '\u007f',
    '\u0080',
    '\u07ff',
    '\u0800',
    '\ud7ff',
    '\ue000',
    '\ufeff',
    '\ufffd',
    '\uffff',
    '\u{10000}',
    '\u{10ffff}',
  ].map((char): (typeof sendings)[number] => [
    `a text with U+${(char.codePointAt(0) ?? 0).toString(16)} at both ends`,
    ['text', `${char}a${char}`],
    plain(opcodes.text, `${char}a${char}`),
  ]),
  ...(
    [
      ['a lone high surrogate', 'a\ud83d', 'a\ufffd'],
      ['a lone low surrogate', '\ude00a', '\ufffda'],
      ['surrogates the wrong way round', '\ude00\ud83d', '\ufffd\ufffd'],
      ['a high surrogate before a pair', '\ud83d\u{1f600}', '\ufffd\u{1f600}'],
      ['lone surrogates in a text of 65,535 bytes', '\ud800'.repeat(21_845), '\ufffd'.repeat(21_845)],
      ['lone surrogates in a text of 126 bytes', '\udfff'.repeat(42), '\ufffd'.repeat(42)],
    ] as const
  ).map(([what, message, written]): (typeof sendings)[number] => [
    `a text with ${what}`,
    ['text', message],
    plain(opcodes.text, written),
  ]),
]

/** Frames that end the connection. */
const closings: [what: string, sent: gun.WsFrame, payload: Buffer][] = [
  ['a bare close', 'close', Buffer.alloc(0)],
  ['a close with a reason', ['close', 'bye'], closePayload(1000, 'bye')],
  ...[1000, 1001, 1014, 3000, 3999, 4000, 4999].map((code): (typeof closings)[number] => [
    `a close with ${code}`,
    ['close', code, ''],
    closePayload(code),
  ]),
  [
    'a close with a reason of 123 bytes',
    ['close', 4000, `${'é'.repeat(61)}x`],
    closePayload(4000, `${'é'.repeat(61)}x`),
  ],
]

for (const wire of wires) {
  describe(`a frame of a caller, over ${wire}`, { concurrency: 8 }, () => {
    for (const [what, given, { opcode, payload }] of sendings) {
      test(`${what} leaves as one frame, masked and as short as can be`, async () => {
        await using it = await serverOf(wire).upgrade()
        const [first, ...more] = await framesSent(it, [given])
        assert.deepEqual([first?.opcode, first?.payload.length, more.length], [opcode, payload.length, 0])
        assert.ok(first?.payload.equals(payload), 'the payload differs')
      })
    }

    for (const [what, given, payload] of closings) {
      test(`${what} leaves as it was given, and is the last`, async () => {
        await using it = await serverOf(wire).upgrade()
        const frames = framesIn(await bytesSent(it, [given]), false)
        assert.deepEqual(
          frames.map(each => [each.opcode, each.payload]),
          [[opcodes.close, payload]],
        )
      })
    }

    test('frames leave in the order of the calls and of the lists in them', async () => {
      await using it = await serverOf(wire).upgrade()
      const calls: Sent[] = [
        ['text', '1'],
        [['binary', Buffer.from('2')], 'ping', ['text', '3'.repeat(70_000)]],
        [],
        'pong',
        [
          ['text', ''],
          ['binary', Buffer.alloc(70_000)],
          ['ping', Buffer.from('4')],
        ],
      ]
      const flat: gun.WsFrame[] = [
        ['text', '1'],
        ['binary', Buffer.from('2')],
        'ping',
        ['text', '3'.repeat(70_000)],
        'pong',
        ['text', ''],
        ['binary', Buffer.alloc(70_000)],
        ['ping', Buffer.from('4')],
      ]
      assert.deepEqual(
        (await framesSent(it, calls)).map(each => tellFrame(read(each))),
        flat.map(tellFrame),
      )
    })

    test('views leave as what they show, and neither they nor what lies around them is changed', async () => {
      await using it = await serverOf(wire).upgrade({ sendHighWaterMark: Number.POSITIVE_INFINITY })
      const whole = new Uint8Array(randomBytes(300_000))
      const before = Buffer.from(whole)
      const lengths = [
        0, 1, 2, 3, 4, 5, 7, 8, 31, 32, 33, 63, 64, 65, 125, 126, 1000, 4095, 4096, 4097, 70_000,
      ]
      const views = [0, 1, 2, 3, 4, 5, 7, 8].flatMap(offset =>
        lengths.flatMap(length => [
          whole.subarray(offset, offset + length),
          Buffer.from(whole.buffer, whole.byteOffset + offset, length),
        ]),
      )
      const pings = views.filter(view => view.length > 0 && view.length <= 125)
      const frames = await framesSent(it, [
        views.map(view => ['binary', view] as const),
        pings.map(view => ['ping', view] as const),
      ])
      const given = [...views, ...pings]
      assert.equal(frames.length, given.length)
      for (const [i, view] of given.entries()) {
        assert.ok(frames[i]?.payload.equals(view), `${view.length} bytes at ${view.byteOffset}`)
      }
      assert.ok(before.equals(whole), 'bytes of the caller were changed')
    })

    test('each frame has a mask of its own that nobody can foresee', async () => {
      await using it = await serverOf(wire).upgrade()
      const bytes = await bytesSent(it, [Array<'ping'>(1000).fill('ping')])
      const keys = Array.from({ length: 1000 }, (_, i) => bytes.readUInt32BE(6 * i + 2))
      // Of a thousand keys of 32 bits two are the same once in 8,600 runs, and three never.
      assert.ok(new Set(keys).size >= 998, 'masks are used again')
      for (let bit = 0; bit < 32; bit++) {
        const ones = keys.filter(key => ((key >>> bit) & 1) === 1).length
        assert.ok(ones > 350 && ones < 650, `bit ${bit} of the keys is set ${ones} times in a thousand`)
      }
    })
  })
}

/** The text or binary of so many bytes, which compress well. */
const ofBytes = (length: number): gun.WsFrame[] => [
  ['text', 'x'.repeat(length)],
  ['binary', Buffer.alloc(length, 7)],
]

interface Compressing {
  readonly compress?: true | gun.CompressOpts
  readonly extensions?: string
}

/** Sends these, and gives which were compressed and what a server makes of them that has agreed to so much. */
async function compressing(
  { compress = true, extensions = DEFLATE }: Compressing,
  inflater: Deflate,
  frames: readonly gun.WsFrame[],
  wire: Wire = 'tcp',
): Promise<ClientFrame[]> {
  await using it = await serverOf(wire).upgrade({ compress }, extensions)
  const sent = await framesSent(it, [frames], true)
  assert.deepEqual(
    sent.map(each => tellFrame(read(each, inflater))),
    frames.map(tellFrame),
  )
  for (const { rsv1, payload } of sent) {
    assert.ok(
      !rsv1 || !payload.subarray(-4).equals(Buffer.of(0, 0, 0xff, 0xff)),
      'the tail of the payload stays',
    )
  }
  return sent
}

const isCompressed = ({ rsv1 }: ClientFrame) => rsv1

describe('a compressed message of a caller (RFC 7692 section 7.2.1)', { concurrency: 8 }, () => {
  for (const wire of wires) {
    test(`messages of all kinds are what a server inflates, over ${wire}`, async () => {
      const frames: gun.WsFrame[] = [
        ['text', 'κόσμε\ud83d\ude00'.repeat(500)],
        ['binary', randomBytes(5000)],
        'ping',
        ['text', 'small'],
        ['binary', Buffer.alloc(300_000)],
        ['ping', Buffer.from('p')],
        ['text', 'κόσμε\ud83d\ude00'.repeat(500)],
        ['binary', randomBytes(100_000)],
        'pong',
      ]
      const sent = await compressing({}, new Deflate(), frames, wire)
      assert.deepEqual(sent.map(isCompressed), [true, true, false, false, true, false, true, true, false])
    })
  }

  for (const [threshold, compress] of [
    [1024, true],
    [1024, {}],
    [10, { threshold: 10 }],
    [1, { threshold: 1 }],
  ] as const) {
    test(`${JSON.stringify(compress)} compresses ${threshold} bytes and not one less`, async () => {
      const frames = [...ofBytes(threshold), ...ofBytes(threshold - 1), ...ofBytes(threshold + 1)]
      const sent = await compressing({ compress }, new Deflate(), frames)
      assert.deepEqual(sent.map(isCompressed), [true, true, false, false, true, true])
    })
  }

  test('the threshold counts bytes, not the units of a string', async () => {
    const sent = await compressing({}, new Deflate(), [
      ['text', 'é'.repeat(512)],
      ['text', 'é'.repeat(511)],
      ['text', '€'.repeat(342)],
      ['text', '€'.repeat(341)],
    ])
    assert.deepEqual(sent.map(isCompressed), [true, false, true, false])
  })

  test('with a threshold of 0 an empty message is compressed too, into something', async () => {
    const frames = [...ofBytes(0), ...ofBytes(1), ...ofBytes(0)]
    const sent = await compressing({ compress: { threshold: 0 } }, new Deflate(), frames)
    for (const { rsv1, payload } of sent) assert.ok(rsv1 && payload.length > 0, 'an empty payload')
  })

  test('control frames are never compressed', async () => {
    const payload = Buffer.alloc(125, 1)
    const frames: gun.WsFrame[] = [['ping', payload], 'ping', ['pong', payload], 'pong']
    const sent = await compressing({ compress: { threshold: 0 } }, new Deflate(), frames)
    assert.equal(sent.some(isCompressed), false)
  })

  test('lone surrogates become U+FFFD in a compressed text', async () => {
    await using it = await serverOf('tcp').upgrade({ compress: true }, DEFLATE)
    const sent = await framesSent(it, [['text', 'a\ud83d'.repeat(1000)]], true)
    assert.deepEqual(
      sent.map(each => read(each, new Deflate())),
      [['text', 'a\ufffd'.repeat(1000)]],
    )
  })

  test('bytes that are compressed are not changed', async () => {
    const bytes = randomBytes(5000)
    const before = Buffer.from(bytes)
    await compressing({}, new Deflate(), [['binary', bytes.subarray(1, 4001)]])
    assert.deepEqual(bytes, before)
  })

  test('a message may refer to those before it, and then is small', async () => {
    const once = randomBytes(5000)
    const [first, second] = await compressing({}, new Deflate(), [
      ['binary', once],
      ['binary', once],
    ])
    const sizes = [first?.payload.length ?? 0, second?.payload.length ?? 0]
    assert.ok((sizes[0] ?? 0) > 5000 && (sizes[1] ?? 0) < 500, `they have ${sizes} bytes`)
  })

  for (const [what, it] of [
    ['the server says so', { extensions: `${DEFLATE}; client_no_context_takeover` }],
    [
      'both say so',
      { compress: { clientNoContextTakeover: true }, extensions: `${DEFLATE}; client_no_context_takeover` },
    ],
    // RFC 7692 section 7.1.1.2: the offer alone is a promise.
    ['the caller alone says so', { compress: { clientNoContextTakeover: true } }],
  ] as const satisfies [string, Compressing][]) {
    test(`no message refers to another with client_no_context_takeover, where ${what}`, async () => {
      const once = randomBytes(5000)
      await compressing(it, new Deflate({ takeover: false }), [
        ['binary', once],
        ['binary', once],
        ['binary', once],
      ])
    })
  }

  for (const windowBits of [8, 9, 10, 11, 12, 13, 14, 15]) {
    for (const [what, it] of [
      ['the server says so', { extensions: `${DEFLATE}; client_max_window_bits=${windowBits}` }],
      // RFC 7692 section 7.1.2.2: the offer alone is a promise.
      ['the caller says so', { compress: { clientMaxWindowBits: windowBits } }],
    ] as const satisfies [string, Compressing][]) {
      test(`nothing refers further back than ${windowBits} bits, where ${what}`, async () => {
        // Looking back so far would save bytes; the server's inflater refuses a message that does.
        const once = randomBytes(Math.max(2000, 1.5 * 2 ** windowBits))
        const message: gun.WsFrame = ['binary', Buffer.concat([once, once])]
        await compressing(it, new Deflate({ windowBits }), [message, message])
      })
    }
  }

  for (const compress of [{ level: 1 }, { level: 9 }, { memLevel: 1 }, { memLevel: 9, level: 0 }] as const) {
    test(`${JSON.stringify(compress)} changes how it is compressed and not what`, async () => {
      await compressing({ compress }, new Deflate(), [...ofBytes(10_000), ['text', 'κόσμε'.repeat(1000)]])
    })
  }

  test('nothing is compressed for a server that declines', async () => {
    await using it = await serverOf('tcp').upgrade({ compress: true })
    const frames = ofBytes(100_000)
    const sent = await framesSent(it, [frames])
    assert.deepEqual(
      sent.map(each => tellFrame(read(each))),
      frames.map(tellFrame),
    )
  })
})

/** The parameters of an offer, in any order. */
const offers: [compress: true | gun.CompressOpts | undefined, parameters: string[] | undefined][] = [
  [undefined, undefined],
  [true, ['client_max_window_bits']],
  [{}, ['client_max_window_bits']],
  [{ threshold: 0, level: 9, memLevel: 9 }, ['client_max_window_bits']],
  [{ serverNoContextTakeover: true }, ['client_max_window_bits', 'server_no_context_takeover']],
  [{ clientNoContextTakeover: true }, ['client_max_window_bits', 'client_no_context_takeover']],
  [{ serverNoContextTakeover: false, clientNoContextTakeover: false }, ['client_max_window_bits']],
  ...[8, 9, 14, 15].flatMap((bits): typeof offers => [
    [{ serverMaxWindowBits: bits }, ['client_max_window_bits', `server_max_window_bits=${bits}`]],
    [{ clientMaxWindowBits: bits }, [`client_max_window_bits=${bits}`]],
  ]),
  [
    {
      serverNoContextTakeover: true,
      clientNoContextTakeover: true,
      serverMaxWindowBits: 10,
      clientMaxWindowBits: 11,
    },
    [
      'client_max_window_bits=11',
      'client_no_context_takeover',
      'server_max_window_bits=10',
      'server_no_context_takeover',
    ],
  ],
]

const agreements: [answer: string, compress: true | gun.CompressOpts][] = [
  [DEFLATE, true],
  [`${DEFLATE}; server_no_context_takeover`, true],
  [`${DEFLATE}; client_no_context_takeover`, true],
  [`${DEFLATE}; server_no_context_takeover`, { serverNoContextTakeover: true }],
  [`${DEFLATE}; server_no_context_takeover; client_no_context_takeover`, { clientNoContextTakeover: true }],
  [`${DEFLATE}; client_no_context_takeover; server_no_context_takeover`, true],
  [DEFLATE, { clientNoContextTakeover: true }],
  [DEFLATE, { clientMaxWindowBits: 9 }],
  [DEFLATE, { serverMaxWindowBits: 9 }],
  ...[8, 9, 15].flatMap((bits): typeof agreements => [
    [`${DEFLATE}; server_max_window_bits=${bits}`, true],
    [`${DEFLATE}; client_max_window_bits=${bits}`, true],
    [`${DEFLATE}; server_max_window_bits=${bits}`, { serverMaxWindowBits: bits }],
    [`${DEFLATE}; client_max_window_bits=${bits}`, { clientMaxWindowBits: bits }],
  ]),
  [`${DEFLATE}; server_max_window_bits=9`, { serverMaxWindowBits: 10 }],
  [`${DEFLATE}; client_max_window_bits=9`, { clientMaxWindowBits: 10 }],
  [`${DEFLATE};server_max_window_bits=9 ;  client_max_window_bits=10;server_no_context_takeover`, true],
  [`${DEFLATE}; server_max_window_bits="10"`, true],
]

const disagreements: [answer: string, compress: true | gun.CompressOpts | undefined][] = [
  [DEFLATE, undefined],
  ['permessage-bzip2', true],
  ['x-webkit-deflate-frame', true],
  [`${DEFLATE}, ${DEFLATE}`, true],
  [`${DEFLATE}, permessage-bzip2`, true],
  [`permessage-bzip2, ${DEFLATE}`, true],
  [`${DEFLATE}; unknown`, true],
  [`${DEFLATE}; unknown=1`, true],
  [`${DEFLATE}; server_no_context_takeover; server_no_context_takeover`, true],
  [`${DEFLATE}; client_no_context_takeover; client_no_context_takeover`, true],
  [`${DEFLATE}; server_max_window_bits=10; server_max_window_bits=10`, true],
  [`${DEFLATE}; client_max_window_bits=10; client_max_window_bits=11`, true],
  [`${DEFLATE}; server_no_context_takeover=1`, true],
  [`${DEFLATE}; client_no_context_takeover=true`, true],
  ...['server_max_window_bits', 'client_max_window_bits'].flatMap((name): typeof disagreements =>
    ['', '=', '=0', '=7', '=16', '=08', '=015', '=-9', '=8.5', '=0x9', '=1e1', '=ten', '="16"'].map(value => [
      `${DEFLATE}; ${name}${value}`,
      true,
    ]),
  ),
  [`${DEFLATE}; server_max_window_bits=11`, { serverMaxWindowBits: 10 }],
  [`${DEFLATE}; server_max_window_bits=15`, { serverMaxWindowBits: 14 }],
  [DEFLATE, { serverNoContextTakeover: true }],
  [`${DEFLATE}; client_no_context_takeover`, { serverNoContextTakeover: true }],
  [`${DEFLATE};`, true],
  [`${DEFLATE}; =10`, true],
  [`${DEFLATE}; server_max_window_bits="10`, true],
  [`${DEFLATE} server_no_context_takeover`, true],
]

describe('the extension is agreed upon (RFC 7692 section 7.1)', { concurrency: 8 }, () => {
  const optsOf = (compress: true | gun.CompressOpts | undefined): gun.WsOpts =>
    compress === undefined ? {} : { compress }

  for (const [compress, parameters] of offers) {
    test(`compress: ${JSON.stringify(compress)} is offered as ${parameters?.join('; ')}`, async () => {
      await using it = await serverOf('tcp').ask(optsOf(compress))
      const values = it.request.headers
        .filter(([name]) => name.toLowerCase() === 'sec-websocket-extensions')
        .map(([, value]) => value)
      if (compress === true) assert.deepEqual(values, [`${DEFLATE}; client_max_window_bits`])
      const [name, ...rest] = values.flatMap(value => value.split(/ *; */))
      assert.equal(values.length, parameters === undefined ? 0 : 1)
      assert.equal(name, parameters === undefined ? undefined : DEFLATE)
      assert.deepEqual(rest.sort(), parameters ?? [])
    })
  }

  for (const [answer, compress] of agreements) {
    test(`${answer} answers compress: ${JSON.stringify(compress)}`, async () => {
      await using it = await serverOf('tcp').upgrade(optsOf(compress), answer)
      assert.deepEqual(await framesSent(it, []), [])
    })
  }

  for (const [answer, compress] of disagreements) {
    test(`${answer} is no answer to compress: ${JSON.stringify(compress)}`, async () => {
      await using it = await serverOf('tcp').ask(optsOf(compress))
      // What follows such an answer is not read.
      const [unread, close] = [frame({ opcode: opcodes.text }), frame({ opcode: opcodes.close })]
      it.peer.end(Buffer.concat([agree(it, answer), unread, close]))
      assert.deepEqual(await story(it), failedStory(it, 'bad_upgrade', 'http'))
      assert.equal((await it.peer.receiveAll()).length, 0)
    })
  }
})
