/** Programs in pages: a piece of TypeScript with a piece of text right behind it is a program, and the text is what it prints. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Page } from './markdown.ts'
import { type Run, run } from './program.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

export interface Program {
  readonly source: string
  /** What the page says that the program prints. */
  readonly printed: string
  /** The last heading before the program. */
  readonly heading: string
}

const PROGRAM = /^```ts\n((?:(?!^```)[\s\S])*?)^```\n\n```text\n([\s\S]*?)^```$/gm

/** Gives the programs of a page, in their order. */
export function programsOf({ text }: Page): readonly Program[] {
  return [...text.matchAll(PROGRAM)].map(({ 1: source = '', 2: printed = '', index }) => {
    const headings = [...text.slice(0, index).matchAll(/^#+ (.+)$/gm)]
    return { source, printed, heading: headings.at(-1)?.[1] ?? '' }
  })
}

/** Runs the lines as a program of their own, from a folder in which the packages are installed. */
export async function runProgram(source: string, ...flags: readonly string[]): Promise<Run> {
  const folder = await mkdtemp(join(root, 'test', '.tmp-'))
  try {
    const file = join(folder, 'program.ts')
    await writeFile(file, source)
    return await run(process.execPath, ['--import', 'tsx', ...flags, file], { cwd: root })
  } finally {
    await rm(folder, { recursive: true })
  }
}
