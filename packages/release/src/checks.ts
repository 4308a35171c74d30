/** The checks of a release, each of which tells what it has found. */

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sizesOfHello } from './hello.ts'
import { bundledFolders, complaintsAboutLicences, librariesIn, libraryIn, missingTexts } from './licences.ts'
import { fetchNode } from './node-lines.ts'
import type { ReleaseOptions } from './options.ts'
import { complaintsAbout } from './publishable.ts'
import type { Report } from './report.ts'
import { growthOf, recordedSizes, type Sizes, sizesOf, TOLERANCE, tableOf } from './sizes.ts'
import { failuresIn, runSuite, type Suite } from './suite.ts'
import type { Tarball } from './tarball.ts'
import type { Package } from './workspace.ts'

/** The files that a registry and its readers look for. */
const NEEDED = ['README.md', 'LICENSE', 'package.json', 'dist/index.js', 'dist/index.d.ts']

/** Tells the files of each tarball; those of a folder are counted. */
export function checkTarballs(tarballs: readonly Tarball[], report: Report): void {
  for (const { name, version, files } of tarballs) {
    const top = files.filter(file => !file.includes('/'))
    const folders = [
      ...new Set(files.filter(file => file.includes('/')).map(file => file.replace(/\/.*/, '/'))),
    ]
    const counts = folders.map(
      folder => `${folder} (${files.filter(file => file.startsWith(folder)).length} files)`,
    )
    report.line(`${name} ${version}: ${[...top, ...counts].join(', ')}`)
    for (const file of NEEDED.filter(each => !files.includes(each))) report.breaks(`${name} has no ${file}.`)
  }
}

/** Has publint and attw look at the packages. */
export async function checkPublishable(
  root: string,
  packages: readonly Package[],
  report: Report,
): Promise<void> {
  const complaints = await complaintsAbout(root, packages)
  for (const complaint of complaints) report.breaks(complaint)
  if (complaints.length === 0) report.line(`Both have nothing to say about ${packages.length} packages.`)
}

/** A bundle, as the build of the workspace tells of it. */
interface Bundle {
  readonly package: string
  /** The folder from which the paths of its inputs go out. */
  readonly folder: string
  readonly inputs: readonly string[]
}

/** Looks at the licences of the libraries installed in `project`, and of those that are parts of the tarballs. */
export async function checkLicences(
  root: string,
  tarballs: readonly Tarball[],
  project: string,
  report: Report,
): Promise<void> {
  const installed = await librariesIn(project)
  for (const complaint of complaintsAboutLicences(installed)) report.breaks(complaint)
  report.line(
    `Installed with the packages: ${installed.map(each => `${each.name} ${each.version} (${each.license})`).join(', ')}`,
  )
  const bundles: readonly Bundle[] = JSON.parse(await readFile(join(root, 'build/bundles.json'), 'utf8'))
  for (const { package: name, folder, inputs } of bundles) {
    const libraries = await Promise.all(
      bundledFolders(inputs).map(path => libraryIn(join(root, folder, path))),
    )
    if (libraries.length === 0) continue
    const { files = [] } = tarballs.find(each => each.name === `@holster/${name}`) ?? {}
    const texts = files
      .filter(file => file.endsWith('.txt'))
      .map(file => readFile(join(project, 'node_modules/@holster', name, file), 'utf8'))
    const complaints = [
      ...complaintsAboutLicences(libraries),
      ...missingTexts(libraries, await Promise.all(texts)),
    ]
    for (const complaint of complaints) report.breaks(complaint)
    report.line(
      `Part of @holster/${name}: ${libraries.map(each => `${each.name} ${each.version} (${each.license})`).join(', ')}`,
    )
  }
}

/** Measures the tarballs and two small programs, and tells what has grown. */
export async function checkSizes(
  root: string,
  tarballs: readonly Tarball[],
  project: string,
  report: Report,
): Promise<Sizes> {
  const sizes = { ...sizesOf(tarballs), ...(await sizesOfHello(root, project)) }
  const recorded = await recordedSizes(root)
  for (const line of tableOf(recorded, sizes)) report.line(line)
  const growth = growthOf(recorded, sizes)
  for (const text of growth) report.remarksOn(text)
  if (growth.length === 0) report.line(`Nothing has grown by more than ${TOLERANCE * 100} %.`)
  return sizes
}

/** Runs the tests on each Node that the options name. */
export async function runOnNodes(suite: Suite, options: ReleaseOptions, report: Report): Promise<void> {
  const { files, leftOut } = suite
  const ofPackages = leftOut.filter(file => file.startsWith('packages/'))
  const others = leftOut.filter(file => !file.startsWith('packages/'))
  report.line(
    `${files} test files import what is installed. Left out are ${ofPackages.length} that import sources, and`,
  )
  report.line(`${others.join(', ')}, which are about the repository.`)
  for (const line of options.nodes) {
    const node = await fetchNode(line)
    if (typeof node === 'string') {
      report.lacks(node)
      continue
    }
    const start = Date.now()
    const { passed, counts, output } = await runSuite(suite, node, options.tests)
    const seconds = Math.round((Date.now() - start) / 1000)
    report.line(`Node ${node.version}: ${counts}; ${seconds} s`)
    if (!passed) report.breaks(`The tests fail on Node ${node.version}:\n${failuresIn(output)}`)
  }
}
