/** The tests of the workspace, run against the installed tarballs: what imports `@holster/…` gets what a user would get. */

import { existsSync } from 'node:fs'
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from '../../../test/support/program.ts'
import { installTarballs } from './installation.ts'
import type { NodeProgram } from './node-lines.ts'
import type { Tarball } from './tarball.ts'
import { manifestOf, type Package } from './workspace.ts'

/** Folders of the workspace that tests are in, or read. */
const COPIED = ['test', 'examples', 'docs', 'README.md', 'tsconfig.base.json']

/** Tools that the runner and some tests take from the root of the workspace. */
const TOOLS = ['esbuild', 'tsx', 'typescript']

/** Tests that read the repository itself, or that install the packages on their own: most of those about its pages. */
const ABOUT_THE_REPOSITORY = /^(docs\/(?!(code|compile-errors|examples|readme|types)\.)|support\/run\.)/

/** A folder in which the tests can run. */
export interface Suite {
  readonly folder: string
  /** How many test files it has. */
  readonly files: number
  /** The paths of test files that need the sources. */
  readonly leftOut: readonly string[]
}

/** The closing lines of a run. */
export interface Outcome {
  readonly passed: boolean
  /** How many tests there were, passed, failed and were skipped. */
  readonly counts: string
  /** All that the run wrote. */
  readonly output: string
}

/** Installs the tarballs into `folder`, and copies the tests beside them. */
export async function prepareSuite(
  root: string,
  packages: readonly Package[],
  tarballs: readonly Tarball[],
  folder: string,
): Promise<Suite> {
  await installTarballs(tarballs, folder, libraryVersions(root, packages))
  for (const path of COPIED)
    await cp(join(root, path), join(folder, path), { recursive: true, filter: isSource })
  await mkdir(join(folder, 'packages'))
  // Within the workspace there are no tarballs, so that its own runner must not find these tests.
  const installed = join(folder, 'test/support/installed')
  await rename(join(installed, 'loading.ts'), join(installed, 'loading.test.ts'))
  await writeFile(join(installed, 'tarballs.json'), JSON.stringify(tarballs))
  const tests = await testFiles(join(folder, 'test'))
  const leftOut: string[] = []
  for (const file of tests) {
    if (!(await needsSources(join(folder, 'test', file), file))) continue
    leftOut.push(`test/${file}`)
    await rm(join(folder, 'test', file))
  }
  const files = tests.length - leftOut.length
  for (const { folder: name, path } of packages) {
    const sources = await testFiles(join(path, 'test'))
    leftOut.push(...sources.map(file => `packages/${name}/test/${file}`))
  }
  return { folder, files, leftOut }
}

/** Runs the tests with one Node; `parts` are parts of the paths of the files that run, all if there are none. */
export async function runSuite(
  { folder }: Suite,
  node: NodeProgram,
  parts: readonly string[],
): Promise<Outcome> {
  const { code, stdout, stderr } = await run(node.path, ['test/run.mjs', ...parts], {
    cwd: folder,
    env: { NODE_TEST_CONTEXT: undefined },
  })
  const counts = ['tests', 'pass', 'fail', 'cancelled', 'skipped'].map(word => {
    const [, count = '?'] = new RegExp(`^ℹ ${word} (\\d+)$`, 'm').exec(stdout) ?? []
    return `${word} ${count}`
  })
  return { passed: code === 0, counts: counts.join(', '), output: `${stdout}${stderr}` }
}

/** Gives the failures with which the report of a run ends. */
export function failuresIn(output: string): string {
  return output.slice(Math.max(0, output.indexOf('✖ failing tests:'))).trim()
}

/** Gives the versions of the libraries that the tests import, as they are installed in the workspace. */
function libraryVersions(root: string, packages: readonly Package[]): Record<string, string> {
  const versions: Record<string, string> = {}
  const add = (folder: string, names: Iterable<string>) => {
    for (const name of names) {
      if (name.startsWith('@holster/')) continue
      versions[name] = manifestOf(join(root, folder, 'node_modules', name)).version
    }
  }
  add('.', TOOLS)
  for (const { folder, manifest } of packages) {
    add(`packages/${folder}`, Object.keys(manifest.peerDependencies ?? {}))
  }
  for (const folder of ['test', 'examples']) {
    const { dependencies = {}, devDependencies = {} } = manifestOf(join(root, folder))
    add(folder, Object.keys({ ...dependencies, ...devDependencies }))
  }
  return versions
}

function isSource(path: string): boolean {
  return !/\/(node_modules|dist|\.tmp-[^/]*)$/.test(path)
}

async function testFiles(folder: string): Promise<readonly string[]> {
  if (!existsSync(folder)) return []
  const paths = await readdir(folder, { recursive: true })
  return paths.filter(path => path.endsWith('.test.ts') && !path.includes('node_modules/')).sort()
}

/** A test needs the sources if it names a path in the folder of the packages. */
async function needsSources(path: string, name: string): Promise<boolean> {
  return ABOUT_THE_REPOSITORY.test(name) || /['"`/]packages[/'"`]/.test(await readFile(path, 'utf8'))
}
