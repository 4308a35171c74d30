// A package gets the repository of the workspace when it is packed, and its page leads there.

import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { repositoryOf, stamp } from '../src/stamp.ts'
import { packagesOf } from '../src/workspace.ts'

const REPOSITORY = { type: 'git', url: 'git+https://example.org/holster/holster.git' }

async function withWorkspace(repository: unknown, check: (root: string) => Promise<void>): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), 'holster-stamp-'))
  const folder = join(root, 'packages/gun')
  try {
    await mkdir(folder, { recursive: true })
    await writeFile(join(root, 'package.json'), JSON.stringify({ name: 'workspace', repository }))
    await writeFile(join(folder, 'package.json'), JSON.stringify({ name: '@holster/gun', version: '0.1.0' }))
    const page = '[a](../../docs/a.md#b), [c](https://example.org/c), [d](#d)\n'
    await writeFile(join(folder, 'README.md'), page)
    await check(root)
  } finally {
    await rm(root, { recursive: true })
  }
}

test('a package has the repository with its folder, and links of its page lead to the files of the tag', () =>
  withWorkspace(REPOSITORY, async root => {
    await stamp(packagesOf(root), REPOSITORY, 'v0.1.0')
    const manifest = JSON.parse(await readFile(join(root, 'packages/gun/package.json'), 'utf8'))
    assert.deepEqual(manifest, {
      name: '@holster/gun',
      version: '0.1.0',
      repository: { ...REPOSITORY, directory: 'packages/gun' },
      homepage: 'https://example.org/holster/holster#readme',
      bugs: 'https://example.org/holster/holster/issues',
    })
    assert.equal(
      await readFile(join(root, 'packages/gun/README.md'), 'utf8'),
      '[a](https://example.org/holster/holster/blob/v0.1.0/docs/a.md#b), [c](https://example.org/c), [d](#d)\n',
    )
  }))

test('a workspace without a repository has none', () =>
  withWorkspace(undefined, async root => assert.equal(repositoryOf(root), undefined)))

for (const repository of ['owner/name', { type: 'git', url: 'https://example.org/name' }, { url: 5 }]) {
  test(`the repository ${JSON.stringify(repository)} is refused`, () =>
    withWorkspace(repository, async root => {
      assert.throws(() => repositoryOf(root), /^Error: The repository in package\.json must look like /)
    }))
}

test('the repository is that of the workspace', () =>
  withWorkspace(REPOSITORY, async root => assert.deepEqual(repositoryOf(root), REPOSITORY)))
