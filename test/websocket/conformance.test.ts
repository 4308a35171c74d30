// RFC 6455 as tables: what a server may send and how the client takes it, and what it may not and how it is refused.

import { frame, opcodes } from '@holster/testing/frames'
import { DEFLATE } from '../support/scripted-websockets.ts'
import {
  binary,
  bytesOf,
  type Case,
  close,
  closed,
  closeFrame,
  continuation,
  fragments,
  ping,
  pong,
  refused,
  suite,
  taken,
  text,
} from '../support/websocket-cases.ts'

const unfinished = { fin: false }
const names: Readonly<Record<number, string>> = {
  0: 'a continuation',
  1: 'a text',
  2: 'a binary',
  8: 'a close',
  9: 'a ping',
  10: 'a pong',
}

suite('the examples of RFC 6455 section 5.7', [
  taken('an unmasked text is delivered', [Buffer.from('810548656c6c6f', 'hex')], [['text', 'Hello']]),
  refused('a masked text is refused', [Buffer.from('818537fa213d7f9f4d5158', 'hex')], 1002),
  taken(
    'a fragmented text is delivered as one',
    [Buffer.from('010348656c', 'hex'), Buffer.from('80026c6f', 'hex')],
    [['text', 'Hello']],
  ),
  taken(
    'a ping is answered with its payload',
    [Buffer.from('890548656c6c6f', 'hex')],
    [['ping', Buffer.from('Hello')]],
    {
      sends: [['pong', Buffer.from('Hello')]],
    },
  ),
  taken(
    '256 bytes in one frame are delivered',
    [Buffer.concat([Buffer.from('827e0100', 'hex'), Buffer.alloc(256, 7)])],
    [['binary', Buffer.alloc(256, 7)]],
  ),
  taken(
    '64 KiB in one frame are delivered',
    [Buffer.concat([Buffer.from('827f0000000000010000', 'hex'), Buffer.alloc(65_536, 7)])],
    [['binary', Buffer.alloc(65_536, 7)]],
  ),
])

function opcodeCase(opcode: number): Case {
  const bytes = [frame({ opcode })]
  switch (opcode) {
    case opcodes.text:
      return taken('opcode 1 is a text', bytes, [['text', '']])
    case opcodes.binary:
      return taken('opcode 2 is a binary', bytes, [['binary', Buffer.alloc(0)]])
    case opcodes.close:
      return closed('opcode 8 is a close', bytes, ['close'], ['close'])
    case opcodes.ping:
      return taken('opcode 9 is a ping', bytes, ['ping'], { sends: ['pong'] })
    case opcodes.pong:
      return taken('opcode 10 is a pong', bytes, ['pong'])
    case opcodes.continuation:
      return refused('opcode 0 without a message to continue is refused', bytes, 1002)
    default:
      return refused(`opcode ${opcode} is refused`, bytes, 1002)
  }
}

const all16 = Array.from({ length: 16 }, (_, opcode) => opcode)
const reserved = all16.filter(opcode => names[opcode] === undefined)

suite('opcodes (RFC 6455 section 5.2)', [
  ...all16.map(opcodeCase),
  ...reserved.map(opcode =>
    refused(
      `opcode ${opcode} is refused with a payload, after a message and a ping that are taken`,
      [text('before'), ping('p'), frame({ opcode, payload: 'x' })],
      1002,
      {
        gets: [
          ['text', 'before'],
          ['ping', Buffer.from('p')],
        ],
        sends: [['pong', Buffer.from('p')]],
      },
    ),
  ),
  ...reserved.map(opcode =>
    refused(
      `opcode ${opcode} is refused within a fragmented message`,
      [text('begun', unfinished), frame({ opcode })],
      1002,
    ),
  ),
])

/** RSV1 of a text or binary is for the extension to mean something; nothing else ever is. */
function reservedBits(extensions: string | undefined): Case[] {
  const more = extensions === undefined ? {} : { extensions, wsOpts: { compress: true } as const }
  const hello = Buffer.from('f248cdc9c90700', 'hex')
  return (['rsv1', 'rsv2', 'rsv3'] as const).flatMap(bit =>
    Object.entries(names).map(([key, name]) => {
      const opcode = Number(key)
      const start = opcode === opcodes.continuation ? [text('begun', unfinished)] : []
      const where = extensions === undefined ? 'without an extension' : 'with permessage-deflate'
      const from = [...start, frame({ opcode, [bit]: true, payload: hello })]
      const isMessage = opcode === opcodes.text || opcode === opcodes.binary
      if (extensions === undefined || bit !== 'rsv1' || !isMessage) {
        return refused(`${bit.toUpperCase()} on ${name} is refused ${where}`, from, 1002, more)
      }
      return taken(
        `${bit.toUpperCase()} on ${name} says that it is compressed ${where}`,
        from,
        [opcode === opcodes.text ? ['text', 'Hello'] : ['binary', Buffer.from('Hello')]],
        more,
      )
    }),
  )
}

suite('reserved bits (RFC 6455 section 5.2)', [
  ...reservedBits(undefined),
  ...reservedBits(DEFLATE),
  refused('all reserved bits at once are refused', [text('a', { rsv1: true, rsv2: true, rsv3: true })], 1002),
  refused('RSV1 is refused where the server has declined to compress', [text('a', { rsv1: true })], 1002, {
    wsOpts: { compress: true },
  }),
])

suite('masks (RFC 6455 section 5.1)', [
  ...Object.entries(names).map(([opcode, name]) =>
    refused(`${name} that is masked is refused`, [frame({ opcode: Number(opcode), masked: true })], 1002),
  ),
  refused('a masked text with a payload is refused', [text('Hello', { masked: true })], 1002),
  refused(
    'a masked continuation is refused',
    [text('a', unfinished), continuation('b', { masked: true })],
    1002,
  ),
])

const LARGEST = 2n ** 53n - 1n

suite('lengths (RFC 6455 section 5.2)', [
  ...[0, 1, 125, 126, 127, 65_535, 65_536].flatMap(length => [
    taken(
      `a text of ${length} bytes is delivered`,
      [text('a'.repeat(length))],
      [['text', 'a'.repeat(length)]],
    ),
    taken(
      `a binary of ${length} bytes is delivered`,
      [binary(Buffer.alloc(length, 0xff))],
      [['binary', Buffer.alloc(length, 0xff)]],
    ),
    taken(
      `fragments of ${length} bytes are put together`,
      fragments(opcodes.binary, [Buffer.alloc(length, 1), Buffer.alloc(length, 2)]),
      [['binary', Buffer.concat([Buffer.alloc(length, 1), Buffer.alloc(length, 2)])]],
    ),
  ]),
  ...[0, 1, 125].map(length =>
    refused(
      `${length} bytes with a length of 16 bits are refused`,
      [binary(Buffer.alloc(length), { lengthEncoding: 16 })],
      1002,
    ),
  ),
  ...[0, 1, 125, 126, 127, 65_535].map(length =>
    refused(
      `${length} bytes with a length of 64 bits are refused`,
      [binary(Buffer.alloc(length), { lengthEncoding: 64 })],
      1002,
    ),
  ),
  refused(
    'a continuation whose length could be shorter is refused',
    [text('a', unfinished), continuation('b', { lengthEncoding: 16 })],
    1002,
  ),
  ...[2n ** 63n, 2n ** 63n + 5n, 2n ** 64n - 1n].map(claims =>
    refused(`a length of ${claims}, whose highest bit is set, is refused`, [binary('', { claims })], 1002),
  ),
  ...[LARGEST + 1n, 2n ** 62n, 2n ** 63n - 1n].map(claims =>
    refused(`a length of ${claims}, which no number can hold, is too long`, [binary('', { claims })], 1009),
  ),
  ...[2n ** 31n - 1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, LARGEST].map(claims =>
    refused(`a length of ${claims} is too long`, [binary('', { claims })], 1009),
  ),
  refused(
    'the fragments of a message are too long together',
    fragments(1, ['a'.repeat(600), 'b'.repeat(401)]),
    1009,
    {
      wsOpts: { maxPayload: 1000 },
    },
  ),
  taken(
    'a control frame within a message does not count to its length',
    [text('a'.repeat(600), unfinished), ping('p'.repeat(125)), continuation('b'.repeat(400))],
    [
      ['ping', Buffer.alloc(125, 'p')],
      ['text', 'a'.repeat(600) + 'b'.repeat(400)],
    ],
    { sends: [['pong', Buffer.alloc(125, 'p')]], wsOpts: { maxPayload: 1000 } },
  ),
  taken(
    'the limit is for one message, not for all of them',
    [text('a'.repeat(1000)), text('b'.repeat(1000)), ...fragments(1, ['c'.repeat(999), 'c'])],
    [
      ['text', 'a'.repeat(1000)],
      ['text', 'b'.repeat(1000)],
      ['text', 'c'.repeat(1000)],
    ],
    { wsOpts: { maxPayload: 1000 } },
  ),
])

const controls = [
  ['a ping', opcodes.ping],
  ['a pong', opcodes.pong],
  ['a close', opcodes.close],
] as const

suite('control frames (RFC 6455 section 5.5)', [
  ...[1, 124, 125].flatMap(length => {
    const payload = Buffer.alloc(length, 0xc3)
    return [
      taken(
        `a ping of ${length} bytes, which need not be UTF-8, is answered`,
        [ping(payload)],
        [['ping', payload]],
        {
          sends: [['pong', payload]],
        },
      ),
      taken(
        `a pong of ${length} bytes, which nobody asked for, is not answered`,
        [pong(payload)],
        [['pong', payload]],
      ),
    ]
  }),
  ...controls.flatMap(([name, opcode]) => [
    ...[126, 127, 65_535, 65_536].map(length =>
      refused(
        `${name} of ${length} bytes is refused`,
        [frame({ opcode, payload: Buffer.alloc(length, 3) })],
        1002,
      ),
    ),
    ...([16, 64] as const).map(lengthEncoding =>
      refused(
        `${name} of 125 bytes with a length of ${lengthEncoding} bits is refused`,
        [frame({ opcode, payload: Buffer.alloc(125, 3), lengthEncoding })],
        1002,
      ),
    ),
    refused(`${name} in fragments is refused`, [frame({ opcode, fin: false }), continuation()], 1002),
    refused(
      `${name} in fragments is refused within a message`,
      [text('a', unfinished), frame({ opcode, fin: false }), continuation('b')],
      1002,
    ),
  ]),
  taken(
    'ten pings are answered in their order',
    Array.from({ length: 10 }, (_, i) => ping(`${i}`)),
    Array.from({ length: 10 }, (_, i) => ['ping', Buffer.from(`${i}`)] as const),
    { sends: Array.from({ length: 10 }, (_, i) => ['pong', Buffer.from(`${i}`)] as const) },
  ),
  taken(
    'pings and pongs that are silenced are kept from the owner, and answered',
    [ping('a'), pong('b'), text('c'), ping()],
    [['text', 'c']],
    { sends: [['pong', Buffer.from('a')], 'pong'], wsOpts: { silencePings: true } },
  ),
])

const pieces = ['frag', '', 'mented', ' text']

suite('fragments (RFC 6455 section 5.4)', [
  taken('a text in two fragments is one message', fragments(1, ['a', 'b']), [['text', 'ab']]),
  taken('a binary in two fragments is one message', fragments(2, ['a', 'b']), [
    ['binary', Buffer.from('ab')],
  ]),
  taken('a text in many fragments is one message', fragments(1, pieces), [['text', pieces.join('')]]),
  taken('empty fragments add nothing', fragments(1, ['', '', 'a', '', '']), [['text', 'a']]),
  taken('a text of empty fragments only is empty', fragments(1, ['', '', '']), [['text', '']]),
  taken('a binary of empty fragments only is empty', fragments(2, ['', '']), [['binary', Buffer.alloc(0)]]),
  taken('a message in a hundred fragments is one message', fragments(2, bytesOf(Buffer.alloc(100, 5))), [
    ['binary', Buffer.alloc(100, 5)],
  ]),
  taken(
    'fragmented messages follow each other',
    [...fragments(1, ['a', 'b']), ...fragments(2, ['c', 'd']), text('e'), ...fragments(1, ['f', 'g'])],
    [
      ['text', 'ab'],
      ['binary', Buffer.from('cd')],
      ['text', 'e'],
      ['text', 'fg'],
    ],
  ),
  taken(
    'pings and pongs between fragments come before the message',
    [text('a', unfinished), ping('1'), continuation('b', unfinished), pong('2'), ping(), continuation('c')],
    [['ping', Buffer.from('1')], ['pong', Buffer.from('2')], 'ping', ['text', 'abc']],
    { sends: [['pong', Buffer.from('1')], 'pong'] },
  ),
  closed(
    'a close between fragments ends the connection and the message is never delivered',
    [text('a', unfinished), close(1001, 'bye'), continuation('b')],
    [['close', 1001, 'bye']],
    [['close', 1001, '']],
  ),
  refused('a continuation without a start is refused', [continuation('a')], 1002),
  refused(
    'a continuation that is not the last is refused without a start',
    [continuation('a', unfinished)],
    1002,
  ),
  refused('a continuation after a whole message is refused', [text('a'), continuation('b')], 1002, {
    gets: [['text', 'a']],
  }),
  refused(
    'a continuation after the last fragment is refused',
    [...fragments(1, ['a', 'b']), continuation('c')],
    1002,
    {
      gets: [['text', 'ab']],
    },
  ),
  refused('a continuation after a ping is refused', [ping(), continuation('a')], 1002, {
    gets: ['ping'],
    sends: ['pong'],
  }),
  ...(
    [
      ['a text', text],
      ['a binary', binary],
    ] as const
  ).flatMap(([name, make]) => [
    refused(`${name} within a fragmented text is refused`, [text('a', unfinished), make('b')], 1002),
    refused(`${name} within a fragmented binary is refused`, [binary('a', unfinished), make('b')], 1002),
    refused(
      `the first fragment of ${name} within a fragmented message is refused`,
      [text('a', unfinished), continuation('b', unfinished), make('c', unfinished)],
      1002,
    ),
  ]),
  taken(
    'maxFragments is for one message',
    [...fragments(1, ['a', 'b', 'c']), ...fragments(1, ['d', 'e', 'f'])],
    [
      ['text', 'abc'],
      ['text', 'def'],
    ],
    { wsOpts: { maxFragments: 3 } },
  ),
  refused('more fragments than maxFragments are refused', fragments(1, ['a', 'b', 'c', 'd']), 1008, {
    wsOpts: { maxFragments: 3 },
  }),
])

const goodCodes = [
  1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999,
]
const badCodes = [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 1999, 2000, 2999, 5000, 32_768, 65_535]

suite('close frames (RFC 6455 sections 5.5.1 and 7.4)', [
  closed('a close without a code is answered without one', [closeFrame()], ['close'], ['close']),
  ...goodCodes.flatMap(code => [
    closed(
      `a close with ${code} is answered with it`,
      [close(code)],
      [['close', code, '']],
      [['close', code, '']],
    ),
    closed(
      `a close with ${code} and a reason is answered with the code`,
      [close(code, 'réa\u{1f600}son')],
      [['close', code, 'réa\u{1f600}son']],
      [['close', code, '']],
    ),
  ]),
  ...badCodes.flatMap(code => [
    refused(`a close with ${code} is refused`, [close(code)], 1002),
    refused(`a close with ${code} and a reason is refused`, [close(code, 'reason')], 1002),
  ]),
  refused('half a close code is refused', [closeFrame(Buffer.of(3))], 1002),
  closed(
    'a reason of 123 bytes is delivered',
    [close(1000, 'r'.repeat(123))],
    [['close', 1000, 'r'.repeat(123)]],
    [['close', 1000, '']],
  ),
  closed(
    'a reason of 123 bytes of many kinds is delivered',
    [close(1000, `${'é'.repeat(61)}r`)],
    [['close', 1000, `${'é'.repeat(61)}r`]],
    [['close', 1000, '']],
  ),
  refused('a reason of 124 bytes is refused', [close(1000, 'r'.repeat(124))], 1002),
  closed(
    'a reason that begins with a byte order mark keeps it',
    [close(1000, '\ufeffbom')],
    [['close', 1000, '\ufeffbom']],
    [['close', 1000, '']],
  ),
  closed(
    'a message after a close is ignored',
    [close(1000), text('late')],
    [['close', 1000, '']],
    [['close', 1000, '']],
  ),
  closed(
    'a ping after a close is not answered',
    [close(1000), ping('late')],
    [['close', 1000, '']],
    [['close', 1000, '']],
  ),
  closed(
    'a second close is ignored',
    [close(1000, 'first'), close(1001, 'second')],
    [['close', 1000, 'first']],
    [['close', 1000, '']],
  ),
  closed(
    'a bad frame after a close is ignored',
    [close(1000), frame({ opcode: 3, rsv2: true, masked: true })],
    [['close', 1000, '']],
    [['close', 1000, '']],
  ),
  closed(
    'what came before a close is delivered',
    [text('a'), binary('b'), ping('c'), close(1000)],
    [
      ['text', 'a'],
      ['binary', Buffer.from('b')],
      ['ping', Buffer.from('c')],
      ['close', 1000, ''],
    ],
    [
      ['pong', Buffer.from('c')],
      ['close', 1000, ''],
    ],
  ),
])
