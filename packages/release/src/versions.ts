/** The versions of a release. Changesets counts them up; a version that has no tag was never released, and is released as it is. */

import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import getReleasePlan from '@changesets/get-release-plan'
import type { NewChangeset } from '@changesets/types'
import { succeed } from '../../../test/support/program.ts'
import { type Entry, sectionOf, unreleasedOf, withSection } from './changelog.ts'
import { packagesOf } from './workspace.ts'

/** The versions that a release has written. */
export interface WrittenVersions {
  /** The version of all packages. */
  readonly version: string
  /** The version that each package had. */
  readonly before: Readonly<Record<string, string>>
  readonly isFirst: boolean
  /** The new section of the changelog. */
  readonly section: string
}

/** Gives the name of the tag of a version. */
export const tagOf = (version: string): string => `v${version}`

/**
 * Writes the versions, the changelog and the names of tarballs in the README into the workspace at `root`, and takes the changesets
 * away. Rejects if there is nothing to release.
 */
export async function writeVersions(root: string, date: string): Promise<WrittenVersions> {
  const { changesets } = await getReleasePlan(root)
  const old = packagesOf(root)
  const before = Object.fromEntries(old.map(({ manifest }) => [manifest.name, manifest.version]))
  const current = theVersion(Object.values(before))
  const isFirst = (await succeed('git', ['tag', '--list', tagOf(current)], { cwd: root })).trim() === ''
  const path = join(root, 'CHANGELOG.md')
  const changelog = await readFile(path, 'utf8')
  if (changesets.length === 0 && !isFirst) {
    throw new Error(`Nothing is to be released: no changeset has come since ${tagOf(current)}.`)
  }
  if (isFirst) {
    for (const { id } of changesets) await rm(join(root, '.changeset', `${id}.md`))
  } else {
    await succeed(join(root, 'node_modules/.bin/changeset'), ['version'], { cwd: root })
  }
  const packages = packagesOf(root)
  const version = theVersion(packages.map(({ manifest }) => manifest.version))
  const names = packages.map(({ manifest }) => manifest.name)
  const section = sectionOf(version, date, unreleasedOf(changelog), changesets.flatMap(entryOf), names)
  await writeFile(path, withSection(changelog, section))
  await renameTarballs(root, current, version)
  return { version, before, isFirst, section }
}

/** A changeset stands under the first package that it names. */
function entryOf({ summary, releases }: NewChangeset): Entry[] {
  const [first] = releases
  return first === undefined ? [] : [{ package: first.name, summary }]
}

function theVersion(versions: readonly string[]): string {
  const [version, ...others] = new Set(versions)
  if (version === undefined || others.length > 0) {
    throw new Error(`All packages have one version, but these are: ${versions.join(', ')}.`)
  }
  return version
}

/** The README tells how tarballs are installed, whose names have the version. */
async function renameTarballs(root: string, from: string, to: string): Promise<void> {
  const path = join(root, 'README.md')
  const text = await readFile(path, 'utf8')
  await writeFile(
    path,
    text.replaceAll(/(holster-[a-z]+-)([0-9a-z.-]+)(?=\.tgz)/g, (name, start, version) =>
      version === from ? `${start}${to}` : name,
    ),
  )
}

/** A change of files as a patch. */
export interface Change {
  /** The path of the patch. */
  readonly patch: string
  /** The commit that is changed. */
  readonly commit: string
  /** The files with the number of their lines that change. */
  readonly summary: string
}

/** Writes what differs from the last commit into a patch beside the workspace. */
export async function changesIn(root: string): Promise<Change> {
  const patch = `${root}.patch`
  const git = (...args: readonly string[]) => succeed('git', args, { cwd: root })
  await git('add', '--all')
  await writeFile(patch, await git('diff', '--cached', '--binary'))
  const commit = (await git('rev-parse', 'HEAD')).trim()
  return { patch, commit, summary: await git('diff', '--cached', '--stat') }
}
