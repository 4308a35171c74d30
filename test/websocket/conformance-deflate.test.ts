// RFC 7692 as tables: compressed messages as a server may send them, and what the client refuses.

import { randomBytes } from 'node:crypto'
import { opcodes } from '@holster/testing/frames'
import { Deflate, type DeflateOptions } from '../support/deflate.ts'
import { DEFLATE } from '../support/scripted-websockets.ts'
import {
  binary,
  bytesOf,
  type Case,
  close,
  closed,
  continuation,
  cuts,
  fragments,
  notInflated,
  ping,
  refused,
  suite,
  taken,
  text,
} from '../support/websocket-cases.ts'

const rsv1 = { rsv1: true }
const compress = true as const
const agreed = { extensions: DEFLATE, wsOpts: { compress } }
const hex = (digits: string): Buffer => Buffer.from(digits.replaceAll(' ', ''), 'hex')
/** A message on its own: what the first of a connection looks like. */
const deflate = (message: string | Uint8Array, options: DeflateOptions = {}): Buffer =>
  new Deflate(options).deflate(message)

/** The same messages, each compressed with those before it in mind. */
function texts(messages: readonly string[], options: DeflateOptions = {}): Buffer[] {
  const deflater = new Deflate(options)
  return messages.map(message => text(deflater.deflate(message), rsv1))
}

const asText = (message: string) => ['text', message] as const
const hello = hex('f2 48 cd c9 c9 07 00')

suite('the examples of RFC 7692 section 7.2.3', [
  taken('7.2.3.1: one block in one frame', [hex('c1 07 f2 48 cd c9 c9 07 00')], [asText('Hello')], agreed),
  taken(
    '7.2.3.1: one block in two fragments',
    [hex('41 03 f2 48 cd'), hex('80 04 c9 c9 07 00')],
    [asText('Hello')],
    agreed,
  ),
  taken(
    '7.2.3.2: the second message shares the window of the first',
    [text(hello, rsv1), hex('c1 05 f2 00 11 00 00')],
    [asText('Hello'), asText('Hello')],
    agreed,
  ),
  taken(
    '7.2.3.2: the second message does not share the window of the first',
    [text(hello, rsv1), text(hello, rsv1)],
    [asText('Hello'), asText('Hello')],
    { ...agreed, extensions: `${DEFLATE}; server_no_context_takeover` },
  ),
  taken(
    '7.2.3.3: a block without compression',
    [hex('c1 0b 00 05 00 fa ff 48 65 6c 6c 6f 00')],
    [asText('Hello')],
    agreed,
  ),
  taken(
    '7.2.3.4: a block with BFINAL set',
    [hex('c1 08 f3 48 cd c9 c9 07 00 00')],
    [asText('Hello')],
    agreed,
  ),
  taken(
    '7.2.3.5: two blocks in one message',
    [hex('c1 0d f2 48 05 00 00 00 ff ff ca c9 c9 07 00')],
    [asText('Hello')],
    agreed,
  ),
  taken('7.2.3.6: an empty message', [hex('c1 01 00')], [asText('')], agreed),
])

const long = Array.from({ length: 4000 }, (_, i) => `${i * i} `).join('')
const many = Array.from({ length: 10 }, (_, i) => `message ${i} of many messages`)
const blocks = (() => {
  const deflater = new Deflate()
  return Buffer.concat([...many.map(message => deflater.block(message)), deflater.deflate('end')])
})()

suite('compressed messages (RFC 7692 sections 6 and 7.2)', [
  taken('a text is inflated', texts(['κόσμε']), [asText('κόσμε')], agreed),
  taken(
    'a binary is inflated',
    [binary(deflate(Buffer.of(0, 255, 1)), rsv1)],
    [['binary', Buffer.of(0, 255, 1)]],
    agreed,
  ),
  taken(
    'an empty text and an empty binary are inflated',
    [text(Buffer.of(0), rsv1), binary(Buffer.of(0), rsv1)],
    [asText(''), ['binary', Buffer.alloc(0)]],
    agreed,
  ),
  taken('a long text is inflated', texts([long]), [asText(long)], agreed),
  taken(
    'a message is inflated wherever it is cut into fragments, also into empty ones',
    cuts(hello).flatMap(parts => fragments(1, parts, rsv1)),
    cuts(hello).map(() => asText('Hello')),
    agreed,
  ),
  taken(
    'a message in a fragment for each byte is inflated',
    fragments(1, bytesOf(deflate('κόσμε κόσμε')), rsv1),
    [asText('κόσμε κόσμε')],
    agreed,
  ),
  taken(
    'a message that begins and ends with empty fragments is inflated',
    fragments(2, ['', '', hello, '', ''], rsv1),
    [['binary', Buffer.from('Hello')]],
    agreed,
  ),
  taken(
    'messages that are not compressed are taken among those that are, and stay out of their window',
    [text(hello, rsv1), text('as it is'), text(hex('f2 00 11 00 00'), rsv1), ...fragments(1, ['a', 'b'])],
    [asText('Hello'), asText('as it is'), asText('Hello'), asText('ab')],
    agreed,
  ),
  taken(
    'an uncompressed message may look compressed',
    [binary(hello), binary(deflate(hello), rsv1)],
    [
      ['binary', hello],
      ['binary', hello],
    ],
    agreed,
  ),
  taken(
    'control frames between compressed fragments are taken as they are',
    [
      text(hello.subarray(0, 2), { ...rsv1, fin: false }),
      ping('1'),
      continuation(hello.subarray(2, 4), { fin: false }),
      ping(),
      continuation(hello.subarray(4)),
    ],
    [['ping', Buffer.from('1')], 'ping', asText('Hello')],
    { ...agreed, sends: [['pong', Buffer.from('1')], 'pong'] },
  ),
  taken(
    'messages and pings come in their order, compressed or not',
    many.flatMap((message, i) => [
      i % 2 === 0 ? text(deflate(message), rsv1) : text(message),
      ping(String(i)),
    ]),
    many.flatMap((message, i) => [asText(message), ['ping', Buffer.from(String(i))] as const]),
    { ...agreed, sends: many.map((_, i) => ['pong', Buffer.from(String(i))] as const) },
  ),
  taken(
    'several blocks in one message are inflated',
    [text(blocks, rsv1)],
    [asText(`${many.join('')}end`)],
    agreed,
  ),
  taken(
    'several blocks in several fragments are inflated',
    fragments(1, [blocks.subarray(0, 30), blocks.subarray(30, 31), blocks.subarray(31)], rsv1),
    [asText(`${many.join('')}end`)],
    agreed,
  ),
  taken('stored blocks are inflated', texts([long], { level: 0 }), [asText(long)], agreed),
  taken(
    'a block with BFINAL set is no end: messages follow it',
    [
      text(hex('f3 48 cd c9 c9 07 00 00'), rsv1),
      text(hello, rsv1),
      text('as it is'),
      text(hex('f3 48 cd c9 c9 07 00 00'), rsv1),
      text(hello, rsv1),
    ],
    [asText('Hello'), asText('Hello'), asText('as it is'), asText('Hello'), asText('Hello')],
    agreed,
  ),
  taken(
    'a block with BFINAL set is inflated in a fragment for each byte',
    fragments(1, bytesOf(hex('f3 48 cd c9 c9 07 00 00')), rsv1),
    [asText('Hello')],
    agreed,
  ),
  closed(
    'a close behind a compressed message comes after it',
    [...texts([long]), close(1001, 'bye')],
    [asText(long), ['close', 1001, 'bye']],
    [['close', 1001, '']],
    agreed,
  ),
  closed(
    'a close within a compressed message ends it',
    [text(hello.subarray(0, 3), { ...rsv1, fin: false }), close(1000)],
    [['close', 1000, '']],
    [['close', 1000, '']],
    agreed,
  ),
])

suite('the window (RFC 7692 section 7.1)', [
  taken('each message may refer to those before it', texts(many), many.map(asText), agreed),
  taken(
    'a message may refer to one that lies messages and pings back',
    [...texts(['Hello']), text('as it is'), ping('p'), text(hex('f2 00 11 00 00'), rsv1)],
    [asText('Hello'), asText('as it is'), ['ping', Buffer.from('p')], asText('Hello')],
    { ...agreed, sends: [['pong', Buffer.from('p')]] },
  ),
  taken(
    'no message refers to another with server_no_context_takeover',
    texts(many, { takeover: false }),
    many.map(asText),
    { ...agreed, extensions: `${DEFLATE}; server_no_context_takeover` },
  ),
  taken(
    'a client may ask for server_no_context_takeover',
    texts(many, { takeover: false }),
    many.map(asText),
    {
      extensions: `${DEFLATE}; server_no_context_takeover`,
      wsOpts: { compress: { serverNoContextTakeover: true } },
    },
  ),
  ...[8, 9, 10, 11, 12, 13, 14, 15].flatMap((windowBits): Case[] => {
    // As far back as a window of this size reaches, by way of zlib, which stays 262 bytes away from its end.
    const once = randomBytes(2 ** windowBits - 262 > 0 ? 2 ** windowBits - 262 : 100)
    const messages = [once, once, Buffer.concat([once, once])]
    const from = () => {
      const deflater = new Deflate({ windowBits })
      return messages.map(message => binary(deflater.deflate(message), rsv1))
    }
    const gets = messages.map(message => ['binary', message] as const)
    return [
      taken(`a server may use a window of ${windowBits} bits`, from(), gets, {
        ...agreed,
        extensions: `${DEFLATE}; server_max_window_bits=${windowBits}`,
      }),
      taken(`a client may ask for a window of ${windowBits} bits`, from(), gets, {
        extensions: `${DEFLATE}; server_max_window_bits=${windowBits}`,
        wsOpts: { compress: { serverMaxWindowBits: windowBits } },
      }),
      taken(
        `a server may say nothing of the window that it was asked for, and use ${windowBits} bits`,
        from(),
        gets,
        {
          extensions: DEFLATE,
          wsOpts: { compress: { serverMaxWindowBits: 8 } },
        },
      ),
    ]
  }),
  taken(
    'a server may use a smaller window than it was asked for',
    texts(many, { windowBits: 9 }),
    many.map(asText),
    {
      extensions: `${DEFLATE}; server_max_window_bits=9`,
      wsOpts: { compress: { serverMaxWindowBits: 12 } },
    },
  ),
])

const unfinished = { fin: false }

suite('the bit that says what is compressed (RFC 7692 section 6)', [
  refused(
    'RSV1 is refused on a later fragment of a compressed message',
    [text(hello.subarray(0, 3), { ...rsv1, ...unfinished }), continuation(hello.subarray(3), rsv1)],
    1002,
    agreed,
  ),
  refused(
    'RSV1 is refused on a later fragment of an uncompressed message',
    [text('a', unfinished), continuation(hello, rsv1)],
    1002,
    agreed,
  ),
  refused(
    'RSV1 is refused on a ping between compressed fragments',
    [text(hello.subarray(0, 3), { ...rsv1, ...unfinished }), ping(hello, rsv1)],
    1002,
    agreed,
  ),
  refused('RSV2 is refused on a compressed message', [text(hello, { ...rsv1, rsv2: true })], 1002, agreed),
  refused(
    'a mask is refused on a compressed message',
    [text(hello, { ...rsv1, masked: true })],
    1002,
    agreed,
  ),
  refused(
    'an offence behind a compressed message comes after it',
    [...texts([long]), text('a', { rsv3: true })],
    1002,
    {
      ...agreed,
      gets: [asText(long)],
    },
  ),
  refused(
    'a new compressed message within a compressed one is refused',
    [text(hello, { ...rsv1, ...unfinished }), text(hello, rsv1)],
    1002,
    agreed,
  ),
  taken('a server that declines is taken at its word', [text('as it is')], [asText('as it is')], {
    wsOpts: { compress },
  }),
])

const garbage: [name: string, digits: string][] = [
  ['a block of the reserved type', '07'],
  ['a block of the reserved type behind a good one', 'f2 48 cd c9 c9 07 00 00 00 ff ff 07'],
  ['nothing but ones', 'ff ff ff ff'],
  ['a reference to what lies before the beginning', 'f2 00 11 00 00'],
  ['a stored block whose length does not match its complement', '00 05 00 05 00 48 65 6c 6c 6f 00'],
  ['a dynamic block with too many lengths', 'fc ff ff ff'],
  ['plain text', '48 65 6c 6c 6f'],
]

suite('what does not inflate', [
  ...garbage.flatMap(([name, digits]) => [
    notInflated(`${name} is refused`, [text(hex(digits), rsv1)], agreed),
    notInflated(
      `${name} is refused in a fragment for each byte`,
      fragments(2, bytesOf(hex(digits)), rsv1),
      agreed,
    ),
    notInflated(
      `${name} is refused behind messages that are delivered`,
      [text('as it is'), text(deflate('a'), rsv1), ping(), binary(hex(digits), rsv1)],
      { ...agreed, gets: [asText('as it is'), asText('a'), 'ping'], sends: ['pong'] },
    ),
  ]),
  refused('compressed text that is not UTF-8 is refused', [text(deflate(hex('c3 28')), rsv1)], 1007, agreed),
  refused(
    'compressed text that ends within a character is refused',
    [text(deflate(hex('61 e2 82')), rsv1)],
    1007,
    agreed,
  ),
  refused(
    'compressed text that is not UTF-8 is refused in fragments',
    fragments(1, bytesOf(deflate(hex('61 ed a0 80'))), rsv1),
    1007,
    agreed,
  ),
  refused(
    'compressed text that is long and not UTF-8 is refused',
    [
      text(
        deflate(Buffer.concat([Buffer.alloc(300_000, 'é'), hex('c328'), Buffer.alloc(300_000, 'é')])),
        rsv1,
      ),
    ],
    1007,
    agreed,
  ),
  taken(
    'compressed text that is long is delivered, however its characters are cut',
    texts(['aé€😀'.repeat(50_000)]),
    [asText('aé€😀'.repeat(50_000))],
    agreed,
  ),
  taken(
    'a compressed binary may have any bytes',
    [binary(deflate(hex('c3 28')), rsv1)],
    [['binary', hex('c3 28')]],
    agreed,
  ),
])

const limited = { extensions: DEFLATE, wsOpts: { compress, maxPayload: 1000 } }
const bomb = deflate(Buffer.alloc(10_000_000))

suite('limits of what is inflated', [
  taken(
    'a message of exactly maxPayload is delivered, whole and in fragments',
    [
      text(deflate('a'.repeat(1000)), rsv1),
      ...fragments(opcodes.text, bytesOf(deflate('b'.repeat(1000))), rsv1),
      text(deflate('c'.repeat(1000)), rsv1),
    ],
    [asText('a'.repeat(1000)), asText('b'.repeat(1000)), asText('c'.repeat(1000))],
    limited,
  ),
  refused(
    'one byte more than maxPayload is too long',
    [text(deflate('a'.repeat(1001)), rsv1)],
    1009,
    limited,
  ),
  refused(
    'one byte more than maxPayload is too long in fragments',
    fragments(opcodes.text, bytesOf(deflate('a'.repeat(1001))), rsv1),
    1009,
    limited,
  ),
  refused('ten million bytes in a small frame are too long', [binary(bomb, rsv1)], 1009, {
    ...limited,
    wsOpts: { compress, maxPayload: 100_000 },
  }),
  refused(
    'ten million bytes in many fragments are too long',
    fragments(2, [bomb.subarray(0, 1000), bomb.subarray(1000, 5000), bomb.subarray(5000)], rsv1),
    1009,
    { ...limited, wsOpts: { compress, maxPayload: 100_000 } },
  ),
  refused(
    'what was delivered before a message that is too long stays delivered',
    [text(deflate('a'), rsv1), text('b'), binary(bomb, rsv1)],
    1009,
    { ...limited, gets: [asText('a'), asText('b')], wsOpts: { compress, maxPayload: 100_000 } },
  ),
  taken(
    'a message of exactly maxFragments is inflated',
    fragments(1, cuts(hello)[3] ?? [], rsv1),
    [asText('Hello')],
    { ...agreed, wsOpts: { compress, maxFragments: 2 } },
  ),
  refused('more fragments than maxFragments are refused', fragments(1, bytesOf(hello), rsv1), 1008, {
    ...agreed,
    wsOpts: { compress, maxFragments: 2 },
  }),
  taken('a megabyte is inflated', texts([long.repeat(40)]), [asText(long.repeat(40))], agreed),
])
