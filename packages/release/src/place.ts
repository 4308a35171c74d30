/** The place of a release: a clean working tree on the main branch, an address of the repository, a service that vouches for it. */

import { run, succeed } from '../../../test/support/program.ts'
import { missingProvenance } from './publication.ts'
import type { Report } from './report.ts'
import { type Repository, repositoryOf } from './stamp.ts'

const BRANCH = 'main'

/** Tells what the place lacks, and returns the repository, if one is set. */
export async function checkPlace(root: string, report: Report): Promise<Repository | undefined> {
  const before = report.missing.length
  const branch = (await succeed('git', ['branch', '--show-current'], { cwd: root })).trim()
  if (branch !== BRANCH)
    report.lacks(`A release is made on the branch ${BRANCH}, and this is ${branch || 'none'}.`)
  const status = (await succeed('git', ['status', '--porcelain'], { cwd: root })).trimEnd()
  if (status !== '') report.lacks(`A release is made of what is committed; left out are:\n${status}`)
  const identity = await run('git', ['var', 'GIT_COMMITTER_IDENT'], { cwd: root })
  if (identity.code !== 0) {
    report.lacks(
      'A release is committed once it is published, so set user.name and user.email in the settings of git.',
    )
  }
  const isShallow = await succeed('git', ['rev-parse', '--is-shallow-repository'], { cwd: root })
  if (isShallow.trim() === 'true') {
    report.lacks(
      'A release is told from the one before by its tag, so clone the whole history with its tags.',
    )
  }
  const repository = repositoryOf(root)
  if (repository === undefined) {
    report.lacks(
      'The provenance names the repository, so set "repository" in the package.json of the workspace:' +
        ' {"type":"git","url":"git+https://host/owner/name.git"}. Each package gets it when it is packed.',
    )
  }
  const provenance = missingProvenance(process.env)
  if (provenance !== undefined) report.lacks(provenance)
  if (report.missing.length === before) report.line('Nothing is missing.')
  return repository
}

/** Tells whether the place has changed since the release began: what is published would not be what is committed and tagged. */
export async function checkUnchanged(root: string, commit: string, report: Report): Promise<void> {
  const now = (await succeed('git', ['rev-parse', 'HEAD'], { cwd: root })).trim()
  if (now !== commit)
    report.lacks(`The release was made of ${commit}, and the working tree is at ${now} by now.`)
  const status = (await succeed('git', ['status', '--porcelain'], { cwd: root })).trimEnd()
  if (status !== '')
    report.lacks(`These have changed in the working tree since the release began:\n${status}`)
}
