/** Makes a release, or with --dry-run tells what it would be: npm run release -- --dry-run [--nodes=20,24] [--tests=part] [--record] */

import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { checkLicences, checkPublishable, checkSizes, checkTarballs, runOnNodes } from './checks.ts'
import { installTarballs } from './installation.ts'
import { optionsOf } from './options.ts'
import { keep, publishAll, rehearseAll } from './outcome.ts'
import { checkPlace, checkUnchanged } from './place.ts'
import { Report } from './report.ts'
import { recordSizes } from './sizes.ts'
import { stamp } from './stamp.ts'
import { prepareSuite } from './suite.ts'
import { pack } from './tarball.ts'
import { changesIn, tagOf, writeVersions } from './versions.ts'
import { packagesOf } from './workspace.ts'
import { buildWorkspace, copyWorkspace } from './workspace-copy.ts'

const root = resolve(fileURLToPath(import.meta.url), '../../../..')

async function main(): Promise<void> {
  const options = optionsOf(process.argv.slice(2))
  const report = new Report()

  report.heading('What a release needs of its place')
  const repository = await checkPlace(root, report)
  if (!report.isClear && !options.dryRun) return refuse(report)

  await using copy = await copyWorkspace(root)
  report.heading('Versions and changelog')
  await buildWorkspace(copy.root)
  const written = await writeVersions(copy.root, new Date().toISOString().slice(0, 10))
  const { version, section } = written
  const packages = packagesOf(copy.root)
  for (const { manifest } of packages)
    report.line(`${manifest.name}: ${written.before[manifest.name]} → ${version}`)
  if (written.isFirst) report.line(`There is no tag ${tagOf(version)}: the version is released as it is.`)
  report.line(`\n${section}`)

  report.heading('Build and tarballs')
  await buildWorkspace(copy.root)
  // The lockfile has followed the versions by now, and no package has been stamped yet.
  const change = await changesIn(copy.root)
  report.line(`The release commits:\n${change.summary}`)
  if (repository !== undefined) await stamp(packages, repository, tagOf(version))
  const tarballs = await pack(packages, join(copy.scratch, 'tarballs'))
  checkTarballs(tarballs, report)

  report.heading('publint and attw')
  await checkPublishable(copy.root, packages, report)

  const project = join(copy.scratch, 'project')
  await installTarballs(tarballs, project)
  report.heading('Licences')
  await checkLicences(copy.root, tarballs, project, report)
  report.heading('Sizes')
  const sizes = await checkSizes(copy.root, tarballs, project, report)

  report.heading('Tests from the tarballs')
  const suite = await prepareSuite(copy.root, packages, tarballs, join(copy.scratch, 'suite'))
  await runOnNodes(suite, options, report)

  report.heading('Publishing')
  await rehearseAll(tarballs, report)
  if (!options.dryRun) await checkUnchanged(root, change.commit, report)
  report.close()
  if (options.dryRun) {
    if (options.record) await recordSizes(root, sizes)
    if (report.broken.length > 0) process.exitCode = 1
    return
  }
  if (!report.isClear) return refuse(report)
  await publishAll(tarballs, report)
  await recordSizes(root, sizes)
  await keep(root, version, change, report)
}

/** Ends a release that is no dry run before anything was published. */
function refuse(report: Report): void {
  report.line('Nothing was published, and the working tree is as it was.')
  process.exitCode = 1
}

await main()
