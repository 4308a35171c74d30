/** A project of a user: the tarballs and what they depend on, as npm installs them into an empty folder. */

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { succeed } from '../../../test/support/program.ts'
import type { Tarball } from './tarball.ts'

/** Installs the tarballs, and other packages by the exact versions in `others`, into `folder`, which is made. */
export async function installTarballs(
  tarballs: readonly Tarball[],
  folder: string,
  others: Readonly<Record<string, string>> = {},
): Promise<void> {
  await mkdir(folder, { recursive: true })
  const ours = Object.fromEntries(tarballs.map(({ name, file }) => [name, `file:${file}`]))
  const manifest = { private: true, type: 'module', dependencies: { ...others, ...ours } }
  await writeFile(join(folder, 'package.json'), JSON.stringify(manifest, null, 2))
  await succeed('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline'], { cwd: folder })
}
