/** The TypeScript compiler, and the errors it finds in a source text. */

import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

const settings = {
  extends: join(root, 'tsconfig.base.json'),
  compilerOptions: {
    noEmit: true,
    allowImportingTsExtensions: true,
    noUnusedLocals: false,
    noUnusedParameters: false,
    declaration: false,
    declarationMap: false,
  },
  include: ['*.ts'],
}

/**
 * The errors in these files, given by their names, each as `a.ts(3,5): error TS…` with the lines that explain it. They see what is installed
 * at `place`, by default what the tests see.
 */
export async function compile(
  files: Readonly<Record<string, string>>,
  place = join(root, 'test'),
): Promise<readonly string[]> {
  const folder = await mkdtemp(join(place, '.tmp-'))
  try {
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(settings))
    for (const [name, source] of Object.entries(files)) await writeFile(join(folder, name), source)
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
    const child = spawn(process.execPath, [tsc, '-p', '.', '--pretty', 'false'], { cwd: folder })
    const output = await text(child.stdout)
    return output
      .split(/\n(?=\S)/)
      .map(error => error.trimEnd())
      .filter(error => error !== '')
  } finally {
    await rm(folder, { recursive: true })
  }
}
