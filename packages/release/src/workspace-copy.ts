/** A copy of the last commit in a temporary folder, in which a release is made, so that the working tree stays as it is. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { succeed } from '../../../test/support/program.ts'

export interface WorkspaceCopy {
  readonly root: string
  /** A folder beside it for whatever the release makes. */
  readonly scratch: string
  [Symbol.asyncDispose](): Promise<void>
}

/** Clones the workspace at `root`; the clone is deleted when it is disposed of. */
export async function copyWorkspace(root: string): Promise<WorkspaceCopy> {
  const scratch = await mkdtemp(join(tmpdir(), 'holster-release-'))
  const copy = join(scratch, 'workspace')
  await succeed('git', ['clone', '--quiet', root, copy])
  return { root: copy, scratch, [Symbol.asyncDispose]: () => rm(scratch, { recursive: true, force: true }) }
}

/** Installs and builds the copy. Its lockfile follows the versions in its package.json files. */
export async function buildWorkspace(root: string): Promise<void> {
  const pnpm = ['run', '--silent', 'pnpm', '--', 'install', '--no-frozen-lockfile', '--prefer-offline']
  await succeed('npm', pnpm, { cwd: root })
  await succeed('npm', ['run', '--silent', 'build'], { cwd: root })
}
