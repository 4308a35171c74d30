/** Writes into the copies of the packages what their pages in a registry need: the repository, and links that lead there. */

import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { manifestOf, type Package } from './workspace.ts'

/** The `repository` of a package.json, without the folder. */
export interface Repository {
  readonly type: string
  readonly url: string
}

/** Reads the repository from the package.json of the workspace at `root`; `undefined` where none is set. Throws for a wrong one. */
export function repositoryOf(root: string): Repository | undefined {
  const { repository } = manifestOf(root)
  if (repository === undefined) return undefined
  if (typeof repository === 'object' && repository !== null && 'type' in repository && 'url' in repository) {
    const { type, url } = repository
    if (type === 'git' && typeof url === 'string' && /^git\+https:\/\/.*\.git$/.test(url))
      return { type, url }
  }
  throw new Error(
    'The repository in package.json must look like {"type":"git","url":"git+https://host/owner/name.git"}.',
  )
}

/** Writes the repository into each package.json, and has the links of each README lead to the files of the tag. */
export async function stamp(
  packages: readonly Package[],
  repository: Repository,
  tag: string,
): Promise<void> {
  const page = repository.url.replace(/^git\+/, '').replace(/\.git$/, '')
  for (const { folder, path } of packages) {
    const directory = `packages/${folder}`
    const manifest = {
      ...manifestOf(path),
      repository: { ...repository, directory },
      homepage: `${page}#readme`,
      bugs: `${page}/issues`,
    }
    await writeFile(join(path, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
    const readme = join(path, 'README.md')
    await writeFile(
      readme,
      withAbsoluteLinks(await readFile(readme, 'utf8'), `${page}/blob/${tag}/${directory}/`),
    )
  }
}

/** Gives a page with its relative links resolved against `base`. */
export function withAbsoluteLinks(page: string, base: string): string {
  return page.replaceAll(/\]\((?![a-z]+:|#)([^()\s]+)\)/g, (_, link) => `](${new URL(link, base)})`)
}
