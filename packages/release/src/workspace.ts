/** The packages that are published: those of the workspace that are not private, each behind those that it depends on. */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The parts of a package.json that a release reads. */
export interface Manifest {
  readonly name: string
  readonly version: string
  readonly private?: boolean
  readonly description?: string
  readonly license?: string
  readonly exports?: Readonly<Record<string, unknown>>
  readonly repository?: unknown
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
}

/** A package that is published. */
export interface Package {
  /** The name of its folder in `packages/`. */
  readonly folder: string
  readonly path: string
  readonly manifest: Manifest
}

/** Reads the package.json of a folder. */
export function manifestOf(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
}

/** Gives the packages that are published from the workspace at `root`, in the order in which they can be. */
export function packagesOf(root: string): readonly Package[] {
  const all = readdirSync(join(root, 'packages'))
    .map(folder => ({ folder, path: join(root, 'packages', folder) }))
    .filter(({ path }) => existsSync(join(path, 'package.json')))
    .map(each => ({ ...each, manifest: manifestOf(each.path) }))
    .filter(({ manifest }) => manifest.private !== true)
  const ordered = new Set<Package>()
  const add = (each: Package): void => {
    for (const name of Object.keys(each.manifest.dependencies ?? {})) {
      const other = all.find(({ manifest }) => manifest.name === name)
      if (other !== undefined) add(other)
    }
    ordered.add(each)
  }
  all.forEach(add)
  return [...ordered]
}
