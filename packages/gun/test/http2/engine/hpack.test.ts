import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { HpackDecoder, HpackError } from '../../../src/http2/engine/hpack-decoder.ts'
import { HpackEncoder } from '../../../src/http2/engine/hpack-encoder.ts'

type Pair = readonly [name: string, value: string]

const roomy = 65_536
const STATICS = 61

function decode(decoder: HpackDecoder, hex: string, maxListSize = roomy): readonly Pair[] | undefined {
  // Not at the start of its memory, and with bytes behind it that are none of its own.
  const block = Buffer.from(`ffff${hex.replaceAll(/\s/g, '')}ffff`, 'hex')
  return decoder.decode(block, 2, block.length - 2, maxListSize)?.map(({ pair }) => pair)
}

function encode(encoder: HpackEncoder, pairs: readonly Pair[]): string {
  const size = pairs.reduce((sum, [name, value]) => sum + name.length + value.length + 12, 12)
  const into = Buffer.alloc(size)
  let end = encoder.begin(into, 0)
  for (const [name, value] of pairs) end = encoder.field(into, end, name, value)
  return into.toString('hex', 0, end)
}

function pairsOf(text: string): readonly Pair[] {
  return text
    .trim()
    .split(/\n\s*/)
    .map(line => {
      const at = line.indexOf(': ', 1)
      return [line.slice(0, at), line.slice(at + 2)]
    })
}

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
  /** What the dynamic table has behind each block, the newest first. */
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
        const table = tables[i] === '' ? [] : pairsOf(tables[i] as string)
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
