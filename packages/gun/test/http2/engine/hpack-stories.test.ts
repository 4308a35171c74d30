// Every story of https://github.com/http2jp/hpack-test-case in the folder that HPACK_STORIES names, or in the folders therein: what
// others have written is read, and written by ours it is read again, by ours and by the plain reader of the tests.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { HpackDecoder as PlainDecoder } from '../../../../../test/support/hpack.ts'
import { HpackDecoder } from '../../../src/http2/engine/hpack-decoder.ts'
import { HpackEncoder } from '../../../src/http2/engine/hpack-encoder.ts'
import { decode, encode, type Pair } from '../../support/header-blocks.ts'

interface Case {
  readonly wire: string
  readonly header_table_size?: number
  readonly headers: readonly Readonly<Record<string, string>>[]
}

const DEFAULT_SIZE = 4096
/** Limits in bytes that the reader sets before every third block in turn, where the story itself does not set them. */
const sizes = [0, 4096, 100, 65_536, 1000, 33, 4096, 300]

const folder = process.env.HPACK_STORIES

const pairsOf = (story: Case): readonly Pair[] => story.headers.flatMap(field => Object.entries(field))

const read = (file: string): readonly Case[] => JSON.parse(readFileSync(file, 'utf8')).cases

function filesIn(place: string): string[] {
  return readdirSync(place, { recursive: true, encoding: 'utf8' })
    .filter(file => file.endsWith('.json'))
    .sort()
}

function decoderOf(limit: number): HpackDecoder {
  const decoder = new HpackDecoder(limit)
  decoder.acknowledge()
  return decoder
}

/** Writes and reads the lists of a story, with limits that change as `limitAt` says. */
function assertRoundTrip(cases: readonly Case[], limitAt: (i: number) => number | undefined): void {
  const encoder = new HpackEncoder(65_536)
  const decoder = decoderOf(65_536)
  const plain = new PlainDecoder()
  for (const [i, story] of cases.entries()) {
    const limit = limitAt(i)
    if (limit !== undefined) {
      encoder.allow(limit)
      plain.limit = limit
    }
    const block = encode(encoder, pairsOf(story))
    assert.deepEqual(decode(decoder, block), pairsOf(story))
    assert.deepEqual(plain.decode(block), pairsOf(story))
  }
}

if (folder === undefined) test('The stories of HPACK', { skip: 'HPACK_STORIES names no folder of them' })
else {
  for (const file of filesIn(folder)) {
    const cases = read(join(folder, file))

    test(`${file}: its blocks are read`, () => {
      const limits = cases.map(story => story.header_table_size ?? DEFAULT_SIZE)
      const decoder = decoderOf(Math.max(DEFAULT_SIZE, ...limits))
      for (const story of cases) assert.deepEqual(decode(decoder, story.wire), pairsOf(story))
    })

    test(`${file}: its lists survive our own encoding, with its own limits of the table`, () => {
      assertRoundTrip(cases, i => cases[i]?.header_table_size)
    })

    test(`${file}: its lists survive our own encoding, with limits that change all the time`, () => {
      assertRoundTrip(cases, i => (i % 3 === 2 ? sizes[Math.floor(i / 3) % sizes.length] : undefined))
    })
  }
}
