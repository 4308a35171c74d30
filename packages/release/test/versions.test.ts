// Changesets count the versions of a workspace up, all of them together, and their texts go into its one changelog.

import assert from 'node:assert/strict'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { succeed } from '../../../test/support/program.ts'
import { keep } from '../src/outcome.ts'
import { checkUnchanged } from '../src/place.ts'
import { Report } from '../src/report.ts'
import { changesIn, writeVersions } from '../src/versions.ts'
import { manifestOf, packagesOf } from '../src/workspace.ts'

const ours = fileURLToPath(new URL('../../..', import.meta.url))
const DATE = '2026-01-31'

const json = (value: unknown): string => JSON.stringify(value, null, 2)

const files: Readonly<Record<string, string>> = {
  'package.json': json({ name: 'workspace', private: true }),
  'pnpm-workspace.yaml': 'packages:\n  - packages/*\n',
  '.gitignore': 'node_modules\n',
  'README.md': 'npm install ./holster-process-0.1.0.tgz ./holster-gun-0.1.0.tgz ./other-0.1.0.tgz\n',
  'CHANGELOG.md': '# Changelog\n\n## Unreleased\n\n- By hand.\n',
  'packages/gun/package.json': json({
    name: '@holster/gun',
    version: '0.1.0',
    dependencies: { '@holster/process': '^0.1.0' },
  }),
  'packages/process/package.json': json({ name: '@holster/process', version: '0.1.0' }),
  'packages/bench/package.json': json({
    name: '@holster/bench',
    version: '0.1.0',
    private: true,
    dependencies: { '@holster/gun': 'workspace:^' },
  }),
  'packages/examples/package.json': json({
    name: '@holster/examples',
    private: true,
    dependencies: { '@holster/gun': 'workspace:^' },
  }),
}

const changeset = (kind: string): Record<string, string> => ({
  '.changeset/a-change.md': `---\n'@holster/process': ${kind}\n---\n\nProcesses sing.\n`,
})

interface Scene extends AsyncDisposable {
  readonly root: string
  readonly read: (path: string) => Promise<string>
}

/** A workspace in git with the settings of ours, more files, and tags. */
async function workspace(more: Readonly<Record<string, string>>, ...tags: readonly string[]): Promise<Scene> {
  const root = await mkdtemp(join(tmpdir(), 'holster-versions-'))
  for (const [path, text] of Object.entries({ ...files, ...more })) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), text)
  }
  await cp(join(ours, '.changeset/config.json'), join(root, '.changeset/config.json'), { recursive: true })
  await symlink(join(ours, 'node_modules'), join(root, 'node_modules'))
  const author = ['-c', 'user.name=Nobody', '-c', 'user.email=nobody@localhost']
  const git = (...args: readonly string[]) => succeed('git', [...author, ...args], { cwd: root })
  await git('init', '--quiet', '--initial-branch=main')
  await git('add', '--all')
  await git('commit', '--quiet', '--message', 'Begin')
  for (const tag of tags) await git('tag', tag)
  return {
    root,
    read: path => readFile(join(root, path), 'utf8'),
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  }
}

for (const [kind, version] of [
  ['patch', '0.1.1'],
  ['minor', '0.2.0'],
  ['major', '1.0.0'],
] as const) {
  test(`a ${kind} change of one package gives all packages the version ${version}`, async () => {
    await using scene = await workspace(changeset(kind), 'v0.1.0')
    const written = await writeVersions(scene.root, DATE)
    assert.equal(written.version, version)
    assert.equal(written.isFirst, false)
    assert.deepEqual(written.before, { '@holster/process': '0.1.0', '@holster/gun': '0.1.0' })
    const packages = packagesOf(scene.root)
    assert.deepEqual(
      packages.map(({ manifest }) => [manifest.name, manifest.version]),
      [
        ['@holster/process', version],
        ['@holster/gun', version],
      ],
    )
    assert.deepEqual(packages[1]?.manifest.dependencies, { '@holster/process': `^${version}` })
    for (const name of ['packages/bench/package.json', 'packages/examples/package.json']) {
      assert.equal(await scene.read(name), files[name])
    }
    assert.deepEqual(await readdir(join(scene.root, '.changeset')), ['config.json'])
    const section = `## ${version} (${DATE})\n\n- By hand.\n\n### \`@holster/process\`\n\n- Processes sing.\n`
    assert.equal(written.section, section)
    assert.equal(await scene.read('CHANGELOG.md'), `# Changelog\n\n${section}`)
    assert.equal(
      await scene.read('README.md'),
      `npm install ./holster-process-${version}.tgz ./holster-gun-${version}.tgz ./other-0.1.0.tgz\n`,
    )
  })
}

test('a version without a tag is released as it is, with the texts of the changesets', async () => {
  await using scene = await workspace(changeset('minor'))
  const written = await writeVersions(scene.root, DATE)
  assert.equal(written.version, '0.1.0')
  assert.equal(written.isFirst, true)
  assert.match(written.section, /^## 0\.1\.0 .*- By hand\..*- Processes sing\.\n$/s)
  assert.deepEqual(await readdir(join(scene.root, '.changeset')), ['config.json'])
})

test('without a changeset since the last release there is nothing to release', async () => {
  await using scene = await workspace({}, 'v0.1.0')
  await assert.rejects(
    writeVersions(scene.root, DATE),
    /^Error: Nothing is to be released: .* since v0\.1\.0\.$/,
  )
})

test('packages with versions of their own are refused', async () => {
  const gun = json({ name: '@holster/gun', version: '0.3.0' })
  await using scene = await workspace({ 'packages/gun/package.json': gun })
  await assert.rejects(writeVersions(scene.root, DATE), /All packages have one version, but these are: /)
})

test('the patch of a release changes a fresh workspace in the same way', async () => {
  await using scene = await workspace(changeset('minor'), 'v0.1.0')
  await using fresh = await workspace(changeset('minor'), 'v0.1.0')
  await writeVersions(scene.root, DATE)
  const { patch, summary } = await changesIn(scene.root)
  try {
    assert.match(summary, /CHANGELOG\.md/)
    await succeed('git', ['apply', patch], { cwd: fresh.root })
    for (const path of Object.keys(files)) assert.equal(await fresh.read(path), await scene.read(path), path)
    assert.deepEqual(await readdir(join(fresh.root, '.changeset')), ['config.json'])
  } finally {
    await rm(patch)
  }
})

test('a release commits its own files alone, with a tag', async () => {
  const sizes = { 'packages/release/sizes.json': '{}' }
  await using scene = await workspace({ ...changeset('minor'), ...sizes }, 'v0.1.0')
  await using copy = await workspace({ ...changeset('minor'), ...sizes }, 'v0.1.0')
  await writeVersions(copy.root, DATE)
  const change = await changesIn(copy.root)
  try {
    const git = (...args: readonly string[]) => succeed('git', args, { cwd: scene.root })
    await git('config', 'user.name', 'Nobody')
    await git('config', 'user.email', 'nobody@localhost')
    await writeFile(join(scene.root, 'notes.txt'), 'of somebody')
    await writeFile(join(scene.root, 'packages/release/sizes.json'), '{"a":1}')
    await keep(scene.root, '0.2.0', change, new Report())
    assert.equal(await git('status', '--porcelain'), '?? notes.txt\n')
    assert.match(await git('show', 'v0.2.0:CHANGELOG.md'), /Processes sing/)
    assert.equal(await git('show', 'v0.2.0:packages/release/sizes.json'), '{"a":1}')
  } finally {
    await rm(change.patch)
  }
})

test('a working tree that has changed since the release began is told', async () => {
  await using scene = await workspace({})
  const { patch, commit } = await changesIn(scene.root)
  await rm(patch)
  const same = new Report()
  await checkUnchanged(scene.root, commit, same)
  assert.deepEqual(same.missing, [])
  const changed = new Report()
  await writeFile(join(scene.root, 'README.md'), 'of somebody')
  await checkUnchanged(scene.root, 'another', changed)
  assert.match(changed.missing.join('\n'), /is at [0-9a-f]+ by now\.\nThese .*\n M README\.md/)
})

test('the settings leave out the private packages of the workspace, and no others', async () => {
  const { fixed } = JSON.parse(await readFile(join(ours, '.changeset/config.json'), 'utf8'))
  const [, names = ''] = /^!@holster\/\{(.*)\}$/.exec(fixed[0][1]) ?? []
  const folders = (await readdir(join(ours, 'packages'))).map(folder => join('packages', folder))
  const manifests = [...folders, 'examples', 'test'].map(folder => manifestOf(join(ours, folder)))
  const isPrivate = manifests.filter(manifest => manifest.private === true)
  assert.deepEqual(
    names.split(',').map(name => `@holster/${name}`),
    isPrivate.map(({ name }) => name).sort(),
  )
})
