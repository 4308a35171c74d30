/** The publishing itself: each tarball with its provenance, which only some services can vouch for. */

import { run, succeed } from '../../../test/support/program.ts'
import type { Tarball } from './tarball.ts'

/** Gives the arguments of npm that publish a tarball. */
export function publishArgs(file: string): readonly string[] {
  return ['publish', file, '--provenance', '--access', 'public']
}

/** Says what is missing for a provenance in this environment; `undefined` if nothing is. */
export function missingProvenance(env: NodeJS.ProcessEnv): string | undefined {
  if (env.GITHUB_ACTIONS !== undefined) {
    if (env.ACTIONS_ID_TOKEN_REQUEST_URL !== undefined) return undefined
    return 'The job needs the permission "id-token: write", so that npm can sign the provenance.'
  }
  if (env.GITLAB_CI !== undefined) {
    if (env.SIGSTORE_ID_TOKEN !== undefined) return undefined
    return 'The job needs an id token named SIGSTORE_ID_TOKEN, so that npm can sign the provenance.'
  }
  return 'npm makes a provenance only within GitHub Actions or GitLab CI: run the release in a job of theirs.'
}

/**
 * Resolves to whether an earlier run has published the tarball. Rejects if the registry cannot tell, and if it has other bytes under the same
 * version: the packages of one release would be made from different commits.
 */
export async function isPublished({ name, version, integrity }: Tarball): Promise<boolean> {
  const id = `${name}@${version}`
  const { code, stdout, stderr } = await run('npm', ['view', id, 'dist.integrity', '--loglevel=error'])
  if (code !== 0 && !stderr.includes('E404'))
    throw new Error(`npm cannot tell whether there is ${id}:\n${stderr}`)
  const published = code === 0 ? stdout.trim() : ''
  if (published === '' || published === integrity) return published !== ''
  throw new Error(`${id} is published with other bytes, ${published} and not ${integrity}.`)
}

/** Has npm check all that it checks before it publishes, and gives what it says. npm refuses a version that is published. */
export async function rehearse(
  tarball: Tarball,
): Promise<{ readonly isFine: boolean; readonly output: string }> {
  const { file } = tarball
  try {
    if (await isPublished(tarball)) return { isFine: true, output: 'published before, and left out' }
  } catch (error) {
    return { isFine: false, output: String(error) }
  }
  const { code, stdout, stderr } = await run('npm', [...publishArgs(file), '--dry-run'])
  return { isFine: code === 0, output: code === 0 ? stdout : `${stdout}${stderr}` }
}

/** Publishes a tarball, unless an earlier run has; resolves to whether it did. */
export async function publish(tarball: Tarball): Promise<boolean> {
  if (await isPublished(tarball)) return false
  await succeed('npm', publishArgs(tarball.file))
  return true
}
