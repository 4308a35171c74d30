// Growth beyond the tolerance is told, and nothing else is.

import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { growthOf, recordedSizes, recordSizes, sizesOf, tableOf } from '../src/sizes.ts'

test('a size at the tolerance is not told, and one a byte past it is', () => {
  assert.deepEqual(growthOf({ page: 1000 }, { page: 1030 }), [])
  assert.deepEqual(growthOf({ page: 1000 }, { page: 1031 }), [
    'page has grown by +3.1 %: from 1,000 B to 1,031 B',
  ])
})

test('a size that has shrunk is not told', () => {
  assert.deepEqual(growthOf({ page: 1000 }, { page: 1 }), [])
})

test('a thing that is new, and a thing that is gone, are told', () => {
  assert.deepEqual(growthOf({ old: 1 }, { young: 2 }), [
    'young: 2 B, not recorded before',
    'old: recorded, but there is no such thing any more',
  ])
})

test('a table has a line for each size, with its change', () => {
  assert.deepEqual(tableOf({ page: 1000 }, { page: 900, script: 10 }), [
    'page          900 B  -10.0 %',
    'script         10 B      new',
  ])
})

test('a tarball has two sizes', () => {
  const tarball = {
    name: 'a',
    version: '1.0.0',
    file: 'a.tgz',
    size: 1,
    unpackedSize: 2,
    integrity: '',
    files: [],
  }
  assert.deepEqual(sizesOf([tarball]), { 'a, tarball': 1, 'a, unpacked': 2 })
})

test('sizes that were recorded are read again', async () => {
  const root = await mkdtemp(join(tmpdir(), 'holster-sizes-'))
  try {
    await mkdir(join(root, 'packages/release'), { recursive: true })
    await recordSizes(root, { page: 1 })
    assert.deepEqual(await recordedSizes(root), { page: 1 })
  } finally {
    await rm(root, { recursive: true })
  }
})
