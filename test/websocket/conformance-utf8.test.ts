// UTF-8 in text messages and close reasons (RFC 6455 section 8.1) as tables: what is delivered, and what is refused.

import { frame, opcodes } from '@holster/testing/frames'
import {
  binary,
  bytesOf,
  close,
  continuation,
  cuts,
  fragments,
  ping,
  refused,
  suite,
  taken,
  text,
} from '../support/websocket-cases.ts'

const unfinished = { fin: false }

/** Where the number of bytes changes, and what is special. */
const boundaries = [
  0x0000, 0x007f, 0x0080, 0x07ff, 0x0800, 0xd7ff, 0xe000, 0xfeff, 0xfffd, 0xfffe, 0xffff, 0x10000, 0x1f600,
  0x10ffff,
].map(codePoint => String.fromCodePoint(codePoint))
/** Around where a client may change how it decodes. */
const lengths = [64, 128, 256, 1024].flatMap(n => [n - 3, n - 2, n - 1, n])
const nameOf = (char: string) => `U+${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`

suite('valid UTF-8 (RFC 6455 section 8.1)', [
  ...boundaries.flatMap(char => {
    const bytes = Buffer.from(`a${char}b`)
    const split = cuts(bytes)
    return [
      taken(
        `${nameOf(char)} is delivered alone, first, last, between others and in a long text`,
        [char, `${char}a`, `a${char}`, `a${char}b`, 'a'.repeat(1000) + char, char.repeat(100)].map(it =>
          text(it),
        ),
        [char, `${char}a`, `a${char}`, `a${char}b`, 'a'.repeat(1000) + char, char.repeat(100)].map(
          it => ['text', it] as const,
        ),
      ),
      taken(
        `${nameOf(char)} is delivered whole, wherever a text is cut into fragments`,
        split.flatMap(parts => fragments(1, parts)),
        split.map(() => ['text', `a${char}b`] as const),
      ),
      taken(
        `${nameOf(char)} is delivered whole from a fragment for each byte`,
        fragments(1, bytesOf(bytes)),
        [['text', `a${char}b`]],
      ),
    ]
  }),
  taken('a byte order mark is kept where it begins a text', [text('\ufeffa')], [['text', '\ufeffa']]),
  taken(
    'a byte order mark is kept in fragments and in a long text',
    [...fragments(1, ['\ufeff', 'a']), text(`\ufeff${'é'.repeat(500)}`)],
    [
      ['text', '\ufeffa'],
      ['text', `\ufeff${'é'.repeat(500)}`],
    ],
  ),
  taken(
    'texts with a character of several bytes at the end are delivered, however long they are',
    lengths.map(length => text(`${'a'.repeat(length)}€`)),
    lengths.map(length => ['text', `${'a'.repeat(length)}€`] as const),
  ),
  taken(
    'a ping between the bytes of a character harms neither',
    [text(Buffer.of(0xe2, 0x82), unfinished), ping(Buffer.of(0xff)), continuation(Buffer.of(0xac))],
    [
      ['ping', Buffer.of(0xff)],
      ['text', '€'],
    ],
    { sends: [['pong', Buffer.of(0xff)]] },
  ),
  taken(
    'a binary may have any bytes',
    [binary(Buffer.of(0xc3, 0x28, 0xff))],
    [['binary', Buffer.of(0xc3, 0x28, 0xff)]],
  ),
])

const invalid: [name: string, hex: string][] = [
  ['a continuation byte alone', '80'],
  ['the last continuation byte alone', 'bf'],
  ['two continuation bytes alone', '8080'],
  ['0xFE', 'fe'],
  ['0xFF', 'ff'],
  ['0xC0, which begins nothing', 'c0'],
  ['0xC1, which begins nothing', 'c1'],
  ['an overlong U+0000 in two bytes', 'c080'],
  ['an overlong U+007F in two bytes', 'c1bf'],
  ['an overlong U+0000 in three bytes', 'e08080'],
  ['an overlong U+07FF in three bytes', 'e09fbf'],
  ['an overlong U+0000 in four bytes', 'f0808080'],
  ['an overlong U+FFFF in four bytes', 'f08fbfbf'],
  ['the first high surrogate', 'eda080'],
  ['the last high surrogate', 'edafbf'],
  ['the first low surrogate', 'edb080'],
  ['the last low surrogate', 'edbfbf'],
  ['a pair of surrogates', 'eda0bdedb880'],
  ['U+110000', 'f4908080'],
  ['0xF5, beyond all of Unicode', 'f5808080'],
  ['0xF7, beyond all of Unicode', 'f7bfbfbf'],
  ['a sequence of five bytes', 'f888808080'],
  ['a sequence of six bytes', 'fc8480808080'],
  ['a cut sequence of two bytes', 'c3'],
  ['a cut sequence of three bytes, one there', 'e2'],
  ['a cut sequence of three bytes, two there', 'e282'],
  ['a cut sequence of four bytes, one there', 'f0'],
  ['a cut sequence of four bytes, two there', 'f09f'],
  ['a cut sequence of four bytes, three there', 'f09f98'],
  ['a cut sequence before ASCII', 'c328'],
  ['a cut sequence of three before ASCII', 'e28228'],
  ['a cut sequence of four before ASCII', 'f09f9828'],
  ['a cut sequence before a whole one', 'e2e282ac'],
  ['a continuation byte too many', 'e282ac80'],
]

suite('invalid UTF-8 (RFC 6455 section 8.1)', [
  ...invalid.flatMap(([name, hex]) => {
    const bytes = Buffer.from(hex, 'hex')
    const inText = Buffer.concat([Buffer.from('κόσμε '), bytes])
    const inLongText = Buffer.concat([Buffer.alloc(500, 'a'), bytes])
    return [
      refused(`${name} is refused`, [text(bytes)], 1007),
      refused(`${name} is refused at the end of a long text`, [text(inLongText)], 1007),
      refused(`${name} is refused in a fragment for each byte`, fragments(1, bytesOf(inText)), 1007),
      refused(`${name} is refused in a close reason`, [close(1000, inText)], 1007),
    ]
  }),
  refused(
    'a character that a text only begins is refused though the next text goes on with it',
    [text(Buffer.of(0xe2, 0x82)), text(Buffer.of(0xac))],
    1007,
  ),
  refused(
    'what is invalid is refused after messages that were not',
    [text('é'), binary(Buffer.of(0xff)), text(Buffer.of(0xff))],
    1007,
    {
      gets: [
        ['text', 'é'],
        ['binary', Buffer.of(0xff)],
      ],
    },
  ),
])

/** Where a text is spoilt: by its last byte. */
const spoilt = [
  '80',
  'ff',
  'c0',
  'c328',
  'e080',
  'e228',
  'eda0',
  'e28228',
  'f080',
  'f490',
  'f09f28',
  'f09f9828',
  'e282ac80',
].map(digits => Buffer.concat([Buffer.from('κόσμε'), Buffer.from(digits, 'hex')]))
/** A frame of a text that goes on with what never comes. */
const begun = (payload: Uint8Array) => frame({ opcode: opcodes.text, payload, claims: 70_000 })

suite('invalid UTF-8 is noticed as it comes (Autobahn 6.4)', [
  ...spoilt.flatMap(bytes => {
    const name = bytes.toString('hex').slice(Buffer.byteLength('κόσμε') * 2)
    return [
      refused(`${name} is refused in a fragment that others may follow`, [text(bytes, unfinished)], 1007),
      refused(
        `${name} is refused in unfinished fragments of a byte each`,
        bytesOf(bytes).map((byte, i) => (i === 0 ? text(byte, unfinished) : continuation(byte, unfinished))),
        1007,
      ),
      refused(`${name} is refused in a frame of which more is announced`, [begun(bytes)], 1007),
      refused(
        `${name} is refused in a fragment of which more is announced`,
        [
          text('a', unfinished),
          frame({ opcode: opcodes.continuation, payload: bytes, claims: 300, fin: false }),
        ],
        1007,
      ),
    ]
  }),
  ...cuts(Buffer.from('f4908080', 'hex')).map(([first, second], at) =>
    refused(
      `U+110000 cut at ${at} is refused between fragments of good text`,
      [text('κόσμε', unfinished), continuation(first, unfinished), continuation(second, unfinished)],
      1007,
    ),
  ),
  refused(
    'what comes behind a ping is looked at with what came before it',
    [text(Buffer.of(0xe2), unfinished), ping('p'), continuation(Buffer.of(0x28), unfinished)],
    1007,
    { gets: [['ping', Buffer.from('p')]], sends: [['pong', Buffer.from('p')]] },
  ),
  refused(
    'a long text is refused at its first bad part',
    [
      frame({
        opcode: opcodes.text,
        payload: Buffer.concat([Buffer.alloc(80_000, 'é'), Buffer.of(0xff)]),
        claims: 10_000_000,
      }),
    ],
    1007,
  ),
  taken(
    'a text whose characters are all cut is delivered',
    fragments(1, bytesOf(Buffer.from('aé€😀'.repeat(20)))),
    [['text', 'aé€😀'.repeat(20)]],
  ),
  taken(
    'a fragmented binary may have any bytes, also between texts',
    [
      ...fragments(1, ['é', '€']),
      ...fragments(2, [Buffer.of(0xff), Buffer.of(0xc3)]),
      ...fragments(1, ['€', 'é']),
    ],
    [
      ['text', 'é€'],
      ['binary', Buffer.of(0xff, 0xc3)],
      ['text', '€é'],
    ],
  ),
])
