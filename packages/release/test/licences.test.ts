// A licence goes with MIT and has a text, and what is bundled has its text in the package.

import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { bundledFolders, complaintsAboutLicences, librariesIn, missingTexts } from '../src/licences.ts'

const library = { name: 'a', version: '1.0.0', license: 'MIT', text: 'Permission is granted.' }

const accepted = ['MIT', 'ISC', '(MIT OR GPL-3.0-only)', '(MIT AND Apache-2.0)']
const refused = ['GPL-3.0-only', 'MPL-2.0', '(MIT AND GPL-3.0-only)', 'SEE LICENSE IN file', 'UNLICENSED']

for (const license of accepted) {
  test(`the licence ${license} goes with MIT`, () => {
    assert.deepEqual(complaintsAboutLicences([{ ...library, license }]), [])
  })
}

for (const license of refused) {
  test(`the licence ${license} is refused`, () => {
    assert.deepEqual(complaintsAboutLicences([{ ...library, license }]), [
      `a 1.0.0 has the licence ${license}, which is not among those that go with MIT.`,
    ])
  })
}

test('a library without a licence, and one without a text, are told', () => {
  const others = [
    { ...library, license: undefined },
    { ...library, name: 'b', text: '' },
  ]
  assert.deepEqual(complaintsAboutLicences(others), [
    'a 1.0.0 names no licence.',
    'b 1.0.0 has the licence MIT, but no text of it.',
  ])
})

test('the binary of msgpackr-extract for one platform has its text in msgpackr-extract, if that is there', () => {
  const binary = { ...library, name: '@msgpackr-extract/msgpackr-extract-linux-x64', text: '' }
  assert.equal(complaintsAboutLicences([binary]).length, 1)
  assert.deepEqual(complaintsAboutLicences([binary, { ...library, name: 'msgpackr-extract' }]), [])
})

test('libraries are found wherever npm has installed them', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'holster-licences-'))
  try {
    const paths = ['a', '@scope/b', 'a/node_modules/c', 'a/dist', '@scope/b/node_modules/@scope/d']
    for (const path of paths) {
      const place = join(folder, 'node_modules', path)
      await mkdir(place, { recursive: true })
      const manifest =
        path === 'a/dist' ? { type: 'module' } : { name: path, version: '1.0.0', license: 'MIT' }
      await writeFile(join(place, 'package.json'), JSON.stringify(manifest))
      await writeFile(join(place, 'LICENCE.md'), `The text of ${path}\n`)
    }
    const libraries = await librariesIn(folder)
    assert.deepEqual(libraries.map(({ name }) => name).sort(), paths.filter(path => path !== 'a/dist').sort())
    assert.equal(libraries.find(({ name }) => name === 'a')?.text, 'The text of a')
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('the libraries in a bundle are known by the names of its inputs', () => {
  const inputs = [
    'src/index.ts',
    '../../node_modules/.pnpm/a@1.0.0/node_modules/a/dist/a.js',
    '../../node_modules/.pnpm/a@1.0.0/node_modules/a/dist/b.js',
    '../../node_modules/@scope/b/index.js',
  ]
  assert.deepEqual(bundledFolders(inputs), [
    '../../node_modules/.pnpm/a@1.0.0/node_modules/a',
    '../../node_modules/@scope/b',
  ])
})

test('the text of a bundled library must be in a file of the package, however its lines are broken', () => {
  const other = { ...library, name: 'b', text: 'Another text.' }
  assert.deepEqual(missingTexts([library, other], ['a 1.0.0\n\nPermission is\ngranted.\n']), [
    'The text of the licence of b 1.0.0, which is bundled, is in no file.',
  ])
})
