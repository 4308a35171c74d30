import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { HpackDecoder, HpackError } from '../../../src/http2/engine/hpack-decoder.ts'
import { HpackEncoder } from '../../../src/http2/engine/hpack-encoder.ts'
import { decode, encode, type Pair, pairsOf } from '../../support/header-blocks.ts'

const STATICS = 61

test('no user of a field can change what a table hands out again', () => {
  const encoder = new HpackEncoder(4096)
  const decoder = new HpackDecoder(4096)
  const [first, again] = [1, 2].map(() => {
    const block = encode(encoder, [
      [':status', '200'],
      ['server', 'origin'],
    ])
    return decoder.decode(block, 0, block.length, 1000)?.map(({ pair }) => pair) ?? []
  })
  for (const [i, pair] of (again ?? []).entries()) {
    assert.equal(pair, first?.[i])
    assert.throws(() => Object.assign(pair, ['a', 'b']), TypeError)
  }
})

const requests = [
  `:method: GET
   :scheme: http
   :path: /
   :authority: www.example.com`,
  `:method: GET
   :scheme: http
   :path: /
   :authority: www.example.com
   cache-control: no-cache`,
  `:method: GET
   :scheme: https
   :path: /index.html
   :authority: www.example.com
   custom-key: custom-value`,
]
const afterRequests = [
  ':authority: www.example.com',
  `cache-control: no-cache
   :authority: www.example.com`,
  `custom-key: custom-value
   cache-control: no-cache
   :authority: www.example.com`,
]
const responses = [
  `:status: 302
   cache-control: private
   date: Mon, 21 Oct 2013 20:13:21 GMT
   location: https://www.example.com`,
  `:status: 307
   cache-control: private
   date: Mon, 21 Oct 2013 20:13:21 GMT
   location: https://www.example.com`,
  `:status: 200
   cache-control: private
   date: Mon, 21 Oct 2013 20:13:22 GMT
   location: https://www.example.com
   content-encoding: gzip
   set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1`,
]
const afterResponses = [
  `location: https://www.example.com
   date: Mon, 21 Oct 2013 20:13:21 GMT
   cache-control: private
   :status: 302`,
  `:status: 307
   location: https://www.example.com
   date: Mon, 21 Oct 2013 20:13:21 GMT
   cache-control: private`,
  `set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1
   content-encoding: gzip
   date: Mon, 21 Oct 2013 20:13:22 GMT`,
]

interface Example {
  readonly section: string
  /** The limit of the table in bytes that the reader has set. */
  readonly limit?: number
  readonly blocks: readonly string[]
  readonly lists: readonly string[]
  /** The entries of the dynamic table behind each block, the newest first. */
  readonly tables: readonly string[]
}

const examples: readonly Example[] = [
  {
    section: 'C.2.1',
    blocks: ['400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572'],
    lists: ['custom-key: custom-header'],
    tables: ['custom-key: custom-header'],
  },
  {
    section: 'C.2.2',
    blocks: ['040c 2f73 616d 706c 652f 7061 7468'],
    lists: [':path: /sample/path'],
    tables: [''],
  },
  {
    section: 'C.2.3',
    blocks: ['1008 7061 7373 776f 7264 0673 6563 7265 74'],
    lists: ['password: secret'],
    tables: [''],
  },
  { section: 'C.2.4', blocks: ['82'], lists: [':method: GET'], tables: [''] },
  {
    section: 'C.3',
    blocks: [
      '8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
      '8286 84be 5808 6e6f 2d63 6163 6865',
      '8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65',
    ],
    lists: requests,
    tables: afterRequests,
  },
  {
    section: 'C.4',
    blocks: [
      '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff',
      '8286 84be 5886 a8eb 1064 9cbf',
      '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf',
    ],
    lists: requests,
    tables: afterRequests,
  },
  {
    section: 'C.5',
    limit: 256,
    blocks: [
      `4803 3330 3258 0770 7269 7661 7465 611d
       4d6f 6e2c 2032 3120 4f63 7420 3230 3133
       2032 303a 3133 3a32 3120 474d 546e 1768
       7474 7073 3a2f 2f77 7777 2e65 7861 6d70
       6c65 2e63 6f6d`,
      '4803 3330 37c1 c0bf',
      `88c1 611d 4d6f 6e2c 2032 3120 4f63 7420
       3230 3133 2032 303a 3133 3a32 3220 474d
       54c0 5a04 677a 6970 7738 666f 6f3d 4153
       444a 4b48 514b 425a 584f 5157 454f 5049
       5541 5851 5745 4f49 553b 206d 6178 2d61
       6765 3d33 3630 303b 2076 6572 7369 6f6e
       3d31`,
    ],
    lists: responses,
    tables: afterResponses,
  },
  {
    section: 'C.6',
    limit: 256,
    blocks: [
      `4882 6402 5885 aec3 771a 4b61 96d0 7abe
       9410 54d4 44a8 2005 9504 0b81 66e0 82a6
       2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8
       e9ae 82ae 43d3`,
      '4883 640e ffc1 c0bf',
      `88c1 6196 d07a be94 1054 d444 a820 0595
       040b 8166 e084 a62d 1bff c05a 839b d9ab
       77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b
       3960 d5af 2708 7f36 72c1 ab27 0fb5 291f
       9587 3160 65c0 03ed 4ee5 b106 3d50 07`,
    ],
    lists: responses,
    tables: afterResponses,
  },
]

/** The update of the table's size to 256 bytes. */
const TO_256 = '3fe101'

describe('The examples of RFC 7541', () => {
  for (const { section, limit, blocks, lists, tables } of examples) {
    test(`${section}: a block gives its fields and leaves its table`, () => {
      const decoder = new HpackDecoder(limit ?? 4096)
      decoder.acknowledge()
      for (const [i, block] of blocks.entries()) {
        const update = i === 0 && limit !== undefined ? TO_256 : ''
        assert.deepEqual(decode(decoder, update + block), pairsOf(lists[i] as string))
        const table = pairsOf(tables[i] as string)
        const indexes = table.map((_, n) => (0x80 + STATICS + 1 + n).toString(16))
        assert.deepEqual(decode(decoder, indexes.join('')), table)
        const past = (0x80 + STATICS + 1 + table.length).toString(16)
        assert.throws(() => decode(decoder, past), HpackError)
      }
    })

    test(`${section}: the same fields survive our own encoding`, () => {
      const decoder = new HpackDecoder(limit ?? 4096)
      decoder.acknowledge()
      const encoder = new HpackEncoder(4096)
      encoder.allow(limit ?? 4096)
      for (const list of [...lists, ...lists]) {
        const pairs = pairsOf(list)
        assert.deepEqual(decode(decoder, encode(encoder, pairs)), pairs)
      }
    })
  }
})

/** A decoder whose limit of the table has been acknowledged. */
function decoderOf(limit: number): HpackDecoder {
  const decoder = new HpackDecoder(limit)
  decoder.acknowledge()
  return decoder
}

function failure(message: RegExp): (error: unknown) => boolean {
  return error => error instanceof HpackError && message.test(error.message)
}

/** A literal that is added to the table: its entry has as many bytes as its characters, and 32. */
function literal(name: string, value: string): string {
  const string = (text: string) =>
    Buffer.concat([Buffer.of(text.length), Buffer.from(text, 'latin1')]).toString('hex')
  return `40${string(name)}${string(value)}`
}

describe('An integer', () => {
  test('C.1: has the value of its first bits, of its later bytes, or of a whole byte', () => {
    // The only integer with a prefix of five bits is the size of the table.
    assert.deepEqual(decode(decoderOf(10), '2a'), [])
    assert.throws(() => decode(decoderOf(9), '2a'), failure(/table of 10 bytes, and 9 are allowed/))
    assert.deepEqual(decode(decoderOf(1337), '3f9a0a'), [])
    assert.throws(() => decode(decoderOf(1336), '3f9a0a'), failure(/table of 1337 bytes, and 1336/))
    const text = 'x'.repeat(42)
    assert.deepEqual(decode(decoderOf(0), `20 00 01 61 2a ${Buffer.from(text).toString('hex')}`), [
      ['a', text],
    ])
  })

  test('is at most 2^31 - 1', () => {
    assert.throws(() => decode(decoderOf(4096), 'ff80ffffff07'), failure(/index 2147483647 is none/))
    assert.throws(() => decode(decoderOf(4096), 'ff81ffffff07'), failure(/2147483648 is too large/))
    assert.throws(() => decode(decoderOf(4096), 'ffffffffff7f'), failure(/is too large/))
  })

  test('has at most five bytes behind its first, even if they say nothing', () => {
    assert.deepEqual(decode(decoderOf(31), '3f8080808000'), [])
    assert.throws(() => decode(decoderOf(31), '3f808080808000'), failure(/too many bytes/))
  })
})

describe('An index', () => {
  test('is not 0', () => {
    assert.throws(() => decode(decoderOf(4096), '80'), failure(/index 0 is none of the 61 entries/))
  })

  test('is that of an entry, also where a literal takes its name', () => {
    const decoder = decoderOf(4096)
    assert.throws(() => decode(decoder, 'be'), failure(/index 62 is none of the 61/))
    assert.throws(() => decode(decoder, '7e0178'), failure(/index 62 is none of the 61/))
    decode(decoder, literal('a', 'b'))
    assert.deepEqual(decode(decoder, 'be'), [['a', 'b']])
    assert.deepEqual(decode(decoder, '0f2f0163'), [['a', 'c']])
    assert.throws(() => decode(decoder, 'bf'), failure(/index 63 is none of the 62/))
    // The table may have room for more entries than there are.
    for (let index = 63; index < 0x7f; index++) {
      assert.throws(() => decode(decoder, (0x80 + index).toString(16)), failure(/is none of the 62/))
    }
    assert.throws(() => decode(decoder, '0f300163'), failure(/index 63 is none of the 62/))
  })

  test('gives the same field again, which is not made anew', () => {
    const decoder = decoderOf(4096)
    const block = Buffer.from(`88${literal('a', 'b')}88be`, 'hex')
    const fields = decoder.decode(block, 0, block.length, 1000)
    assert.equal(fields?.[2], fields?.[0])
    assert.equal(fields?.[3], fields?.[1])
  })
})

describe('The table of the peer', () => {
  test('keeps entries up to its size, and none that is larger', () => {
    const decoder = decoderOf(68)
    decode(decoder, `3f25${literal('a', '1')}${literal('b', '2')}`)
    assert.deepEqual(decode(decoder, 'bebf'), pairsOf('b: 2\na: 1'))
    decode(decoder, literal('c', '33'))
    assert.deepEqual(decode(decoder, 'be'), pairsOf('c: 33'))
    assert.throws(() => decode(decoder, 'bf'), HpackError)
    decode(decoder, literal('d', '4'.repeat(35)))
    assert.deepEqual(decode(decoder, 'be'), [['d', '4'.repeat(35)]])
    decode(decoder, literal('e', '5'.repeat(36)))
    assert.throws(() => decode(decoder, 'be'), failure(/none of the 61/))
  })

  test('takes the name of an entry that is then evicted', () => {
    const decoder = decoderOf(40)
    decode(decoder, `3f09${literal('name', '1')}`)
    assert.deepEqual(decode(decoder, '7e0132'), pairsOf('name: 2'))
    assert.deepEqual(decode(decoder, 'be'), pairsOf('name: 2'))
  })

  test('goes round in its memory', () => {
    const decoder = decoderOf(4096)
    const encoder = new HpackEncoder(4096)
    for (let i = 0; i < 1000; i++) {
      const pairs: readonly Pair[] = [[`name-${i % 300}`, `${i}`], ...pairsOf(`again-${i % 7}: ${i % 5}`)]
      assert.deepEqual(decode(decoder, encode(encoder, pairs)), pairs)
    }
  })

  test('has at most 4,096 bytes until our SETTINGS are acknowledged, and then what they allow', () => {
    const decoder = new HpackDecoder(4097)
    assert.deepEqual(decode(decoder, '3fe11f'), [])
    assert.throws(() => decode(decoder, '3fe21f'), failure(/4097 bytes, and 4096 are allowed/))
    decoder.acknowledge()
    assert.deepEqual(decode(decoder, '3fe21f'), [])
    assert.throws(() => decode(decoder, '3fe31f'), failure(/4098 bytes, and 4097 are allowed/))
  })

  test('must be reduced at the beginning of the next block if SETTINGS allow less', () => {
    const decoder = new HpackDecoder(4095)
    assert.deepEqual(decode(decoder, '88'), pairsOf(':status: 200'))
    decoder.acknowledge()
    assert.throws(() => decode(decoder, '88'), failure(/does not reduce its table to the 4095 bytes/))
    assert.deepEqual(decode(decoder, '3fe01f88'), pairsOf(':status: 200'))
    assert.deepEqual(decode(decoder, '88'), pairsOf(':status: 200'))
  })

  test('need not be reduced if it was small enough before', () => {
    const decoder = new HpackDecoder(100)
    assert.deepEqual(decode(decoder, '3f4588'), pairsOf(':status: 200'))
    decoder.acknowledge()
    assert.deepEqual(decode(decoder, '88'), pairsOf(':status: 200'))
  })

  test('changes its size only in front of the fields, and loses what has no room', () => {
    const decoder = decoderOf(4096)
    decode(decoder, literal('a', 'b'))
    assert.throws(() => decode(decoder, '8820'), failure(/not at the beginning/))
    assert.deepEqual(decode(decoder, '203fe11f88'), pairsOf(':status: 200'))
    assert.throws(() => decode(decoder, 'be'), failure(/none of the 61/))
  })
})

describe('A block', () => {
  test('that is cut anywhere gives fewer fields, or an error', () => {
    for (const { limit, blocks, lists } of examples) {
      const hex = (blocks[0] as string).replaceAll(/\s/g, '')
      const list = pairsOf(lists[0] as string)
      for (let end = 0; end < hex.length; end += 2) {
        let fields: readonly Pair[] | undefined
        try {
          fields = decode(decoderOf(limit ?? 4096), (limit === undefined ? '' : TO_256) + hex.slice(0, end))
        } catch (error) {
          assert.ok(failure(/ends within a field/)(error))
        }
        if (fields !== undefined) assert.deepEqual(fields, list.slice(0, fields.length))
        assert.ok((fields?.length ?? 0) < list.length)
      }
    }
  })

  test('gives no list that is larger than allowed, but keeps the table in step', () => {
    const decoder = decoderOf(4096)
    // 34 and 42 bytes.
    const block = `${literal('a', 'b')}88`
    assert.deepEqual(decode(decoder, block, 76), pairsOf('a: b\n:status: 200'))
    assert.equal(decode(decoder, `${block}${literal('c', 'd')}`, 75), undefined)
    assert.deepEqual(decode(decoder, 'bebf'), pairsOf('c: d\na: b'))
    assert.throws(() => decode(decoder, '8880', 41), failure(/index 0/))
  })

  test('of many fields that cost the peer a byte each gives none of them', () => {
    const decoder = decoderOf(4096)
    const encoder = new HpackEncoder(4096)
    const large: Pair = ['a', 'x'.repeat(3000)]
    assert.deepEqual(decode(decoder, encode(encoder, [large])), [large])
    assert.equal(decode(decoder, Buffer.alloc(1_000_000, 0xbe), 65_536), undefined)
    assert.deepEqual(decode(decoder, 'be'), [large])
  })
})

describe('Our own block', () => {
  const hex = (encoder: HpackEncoder, text: string) => encode(encoder, pairsOf(text)).toString('hex')

  test('is the example of the RFC, with Huffman codes, where the RFC adds the same fields', () => {
    const encoder = new HpackEncoder(4096)
    const blocks = examples.find(({ section }) => section === 'C.4')?.blocks ?? []
    for (const [i, block] of blocks.entries()) {
      assert.equal(hex(encoder, requests[i] as string), block.replaceAll(/\s/g, ''))
    }
  })

  test('keeps secrets out of all tables, and short cookies among them', () => {
    const encoder = new HpackEncoder(4096)
    for (const field of ['authorization: x', 'proxy-authorization: y', `cookie: ${'c'.repeat(19)}`]) {
      const block = hex(encoder, field)
      assert.match(block, /^1/)
      assert.equal(hex(encoder, field), block)
    }
    const cookie = `cookie: ${'c'.repeat(20)}`
    assert.match(hex(encoder, cookie), /^60/)
    assert.equal(hex(encoder, cookie), 'be')
  })

  test('does not add what changes with each request', () => {
    const encoder = new HpackEncoder(4096)
    for (const field of [
      ':path: /a',
      'content-length: 1',
      'if-none-match: x',
      'x-request-id: 1',
      'date: x',
    ]) {
      const block = hex(encoder, field)
      assert.match(block, /^0/)
      assert.equal(hex(encoder, field), block)
    }
    assert.equal(hex(encoder, ':path: /'), '84')
    assert.equal(hex(encoder, ':path: /index.html'), '85')
  })

  test('does not add what would fill more than three quarters of the table', () => {
    for (const [length, again] of [
      [43, 'be'],
      [44, undefined],
    ] as const) {
      const encoder = new HpackEncoder(100)
      const field = `x: ${'-'.repeat(length - 1)}`
      const block = hex(encoder, field).slice(4)
      assert.match(block, again === undefined ? /^00/ : /^40/)
      assert.equal(hex(encoder, field), again ?? block)
    }
  })

  test('takes names from the tables, and Huffman codes where they are shorter', () => {
    const encoder = new HpackEncoder(4096)
    assert.equal(hex(encoder, 'eeee: ~~'), '4083294a5f027e7e')
    assert.equal(hex(encoder, 'eeee: ~'), '7e017e')
    assert.equal(hex(encoder, 'accept: ~'), '53017e')
    // The code of & has eight bits.
    assert.equal(hex(encoder, 'accept: &&'), '53022626')
  })

  test('knows a name while there is an entry that has it', () => {
    const encoder = new HpackEncoder(100)
    const decoder = decoderOf(4096)
    const send = (field: string) => {
      const block = encode(encoder, pairsOf(field))
      assert.deepEqual(decode(decoder, block), pairsOf(field))
      return block.toString('hex')
    }
    assert.equal(send('x: 1'), '3f454001780131')
    assert.equal(send('x: 2'), '7e0132')
    assert.equal(send('x: 3'), '7e0133')
    assert.equal(send('x: 2'), 'bf')
    assert.equal(send('y: 1'), '4001790131')
    assert.equal(send('x: 3'), 'bf')
    assert.equal(send('y: 2'), '7e0132')
    assert.equal(send('x: 3'), '4001780133')
    // There is room for one entry, which gives way to the next of its own name.
    encoder.allow(50)
    for (const value of ['4', '5', '6']) {
      assert.notEqual(send(`long: ${value}`), 'be')
      assert.equal(send(`long: ${value}`), 'be')
    }
  })

  test('begins with the smallest table since the last block, and then with the last', () => {
    const encoder = new HpackEncoder(8192)
    assert.equal(hex(encoder, ':status: 200'), '88')
    encoder.allow(4096)
    assert.equal(hex(encoder, ':status: 200'), '88')
    encoder.allow(100)
    assert.equal(hex(encoder, ':status: 200'), '3f4588')
    encoder.allow(0)
    encoder.allow(10)
    encoder.allow(2 ** 32 - 1)
    assert.equal(hex(encoder, ':status: 200'), '203fe13f88')
    encoder.allow(100)
    encoder.allow(10)
    assert.equal(hex(encoder, ':status: 200'), '2a88')
    encoder.allow(20)
    assert.equal(hex(encoder, ''), '34')
    assert.equal(hex(encoder, ''), '')
  })

  test('says at once that its table is smaller than that of which the peer knows', () => {
    const encoder = new HpackEncoder(100)
    assert.equal(hex(encoder, ':status: 200'), '3f4588')
    encoder.allow(65_536)
    assert.equal(hex(encoder, ':status: 200'), '88')
  })

  test('begins with 12 bytes at most', () => {
    const encoder = new HpackEncoder(2 ** 32 - 1)
    encoder.allow(2 ** 32 - 1)
    assert.equal(hex(encoder, ''), '3fe0ffffff0f')
    encoder.allow(2 ** 32 - 3)
    encoder.allow(2 ** 32 - 2)
    assert.equal(hex(encoder, ''), '3fdeffffff0f3fdfffffff0f')
  })

  test('works without a table', () => {
    const encoder = new HpackEncoder(0)
    const decoder = decoderOf(0)
    for (const list of requests) {
      assert.deepEqual(decode(decoder, encode(encoder, pairsOf(list))), pairsOf(list))
    }
  })
})
