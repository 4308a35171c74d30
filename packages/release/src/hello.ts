/** The sizes of a minified bundle: of the first example of the README, and of the smallest program of @holster/process alone. */

import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { build } from 'esbuild'
import type { Sizes } from './sizes.ts'

const PROCESS_ALONE = `
import { spawn } from '@holster/process'

const pid = spawn(async self => console.log(await self.receive([{ type: 'hello' }])))
pid.send({ type: 'hello' })
await pid.exited
`

/** Bundles the examples against the packages installed in `folder`, and gives their sizes in bytes. */
export async function sizesOfHello(root: string, folder: string): Promise<Sizes> {
  const readme = await readFile(join(root, 'README.md'), 'utf8')
  return {
    'hello over a WebSocket, bundled': await sizeOf(firstExample(readme), join(folder, 'websocket.ts')),
    'hello to a process, bundled': await sizeOf(PROCESS_ALONE, join(folder, 'process.ts')),
  }
}

/** Gives the first piece of TypeScript in a page. */
export function firstExample(page: string): string {
  const code = /^```ts\n([\s\S]*?)^```$/m.exec(page)?.[1]
  if (code === undefined) throw new Error('The page has no piece of TypeScript.')
  return code
}

async function sizeOf(program: string, file: string): Promise<number> {
  await writeFile(file, program)
  const { outputFiles } = await build({
    entryPoints: [file],
    bundle: true,
    minify: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    write: false,
    legalComments: 'none',
    // The folder is no part of what is measured.
    absWorkingDir: join(file, '..'),
  })
  return outputFiles.reduce((size, { contents }) => size + contents.length, 0)
}
