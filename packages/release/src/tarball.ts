/** Packs the published packages, as `npm publish` does: node --import tsx packages/release/src/tarball.ts [folder] */

import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { succeed } from '../../../test/support/program.ts'
import { type Package, packagesOf } from './workspace.ts'

/** A packed package. Sizes are bytes. */
export interface Tarball {
  readonly name: string
  readonly version: string
  readonly file: string
  readonly size: number
  readonly unpackedSize: number
  /** The hash of its bytes, as a registry tells it. */
  readonly integrity: string
  /** The paths of its files within the package. */
  readonly files: readonly string[]
}

interface PackedByNpm extends Omit<Tarball, 'file' | 'files'> {
  readonly filename: string
  readonly files: readonly { readonly path: string }[]
}

/** Packs each package into `folder`, which is made. */
export async function pack(packages: readonly Package[], folder: string): Promise<readonly Tarball[]> {
  mkdirSync(folder, { recursive: true })
  const paths = packages.map(({ path }) => path)
  const output = await succeed('npm', ['pack', '--json', '--pack-destination', folder, ...paths])
  const packed: readonly PackedByNpm[] = JSON.parse(output)
  return packed.map(({ name, version, filename, size, unpackedSize, integrity, files }) => ({
    name,
    version,
    file: join(folder, filename),
    size,
    unpackedSize,
    integrity,
    files: files.map(({ path }) => path).sort(),
  }))
}

async function main(folder: string): Promise<void> {
  const root = resolve(import.meta.dirname, '../../..')
  for (const { file } of await pack(packagesOf(root), resolve(root, folder))) console.log(file)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv[2] ?? 'build')
