/** The end of a release: its tarballs are published, and its versions, changelog and tag come into the repository. */

import { succeed } from '../../../test/support/program.ts'
import { publish, publishArgs, rehearse } from './publication.ts'
import type { Report } from './report.ts'
import { SIZES } from './sizes.ts'
import type { Tarball } from './tarball.ts'
import { type Change, tagOf } from './versions.ts'

/** Tells the commands that publish, and what npm says of each without publishing. */
export async function rehearseAll(tarballs: readonly Tarball[], report: Report): Promise<void> {
  for (const tarball of tarballs) {
    const { isFine, output } = await rehearse(tarball)
    report.line(`npm ${publishArgs(tarball.file).join(' ')}`)
    if (isFine) report.line(`  with --dry-run: ${output.trim()}`)
    else report.breaks(`npm would not publish ${tarball.name}:\n${output}`)
  }
}

/** Publishes the tarballs in order. What has been published stays so if a later one fails; the next run leaves it out. */
export async function publishAll(tarballs: readonly Tarball[], report: Report): Promise<void> {
  for (const tarball of tarballs) {
    const isNew = await publish(tarball)
    report.line(`${tarball.name} ${tarball.version} ${isNew ? 'is published' : 'had been published before'}.`)
  }
}

/** Commits in the working tree what the release has changed and the sizes, and nothing else that lies there, with its tag. */
export async function keep(root: string, version: string, { patch }: Change, report: Report): Promise<void> {
  const git = (...args: readonly string[]) => succeed('git', args, { cwd: root })
  await git('apply', '--index', '--whitespace=nowarn', patch)
  await git('add', SIZES)
  await git('commit', '--quiet', '--message', `Release ${version}`)
  await git('tag', '--annotate', tagOf(version), '--message', `Holster ${version}`)
  report.line(`Committed and tagged as ${tagOf(version)}: git push --follow-tags brings both to others.`)
}
