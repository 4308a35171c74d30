/** Checks with publint and attw what the published packages would publish: node --import tsx packages/release/src/publishable.ts */

import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run } from '../../../test/support/program.ts'
import { type Package, packagesOf } from './workspace.ts'

/** Gives what the two tools complain of, one text for each package and tool. */
export async function complaintsAbout(
  root: string,
  packages: readonly Package[],
): Promise<readonly string[]> {
  const complaints: string[] = []
  for (const { path, manifest } of packages) {
    const tools = [
      ['publint', path, '--pack', 'npm', '--strict'],
      ['attw', '--pack', path, '--profile', 'esm-only', '--quiet'],
    ] as const
    for (const [tool, ...args] of tools) {
      const { code, stdout, stderr } = await run(join(root, 'node_modules/.bin', tool), args, { cwd: root })
      if (code !== 0) complaints.push(`${tool} about ${manifest.name}:\n${stdout}${stderr}`)
    }
  }
  return complaints
}

async function main(): Promise<void> {
  const root = resolve(import.meta.dirname, '../../..')
  const complaints = await complaintsAbout(root, packagesOf(root))
  for (const complaint of complaints) console.error(complaint)
  if (complaints.length > 0) process.exitCode = 1
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()
