/** Pieces of code of the pages as modules, which can be compiled each by itself. */

import { posix } from 'node:path'
import { codeOf, pages } from './markdown.ts'

/** What the text around a piece of code has introduced. */
const known = `
declare const connPid: import('@holster/gun').ConnPid
declare const main: (self: import('@holster/process').Process) => Promise<void>
`

/** The process that the text around a piece has introduced. */
export const SELF =
  "declare const self: import('@holster/process').Process<import('@holster/gun').GunMessage>"

/** Two folders below the root, where pieces are compiled. */
const ROOT = '../..'

/**
 * Imports have their place outside of the function in which the rest stands, so that it may declare what is known anew. A file
 * that is imported lies where it does from the page's folder.
 */
export function moduleOf(code: string, folder: string, more = SELF): string {
  const lines = code.split('\n')
  const isImport = (line: string) => line.startsWith('import ')
  const imports = lines.filter(isImport)
  const gun = "import * as gun from '@holster/gun'"
  const process = "import { setExitHook, spawn } from '@holster/process'"
  if (!imports.includes(gun)) imports.push(gun)
  if (!imports.some(line => line.includes('@holster/process'))) imports.push(process)
  const rest = lines.filter(line => !isImport(line))
  const resolved = imports.map(line =>
    line.replace(/'(\.[^']*)'/, (_, path: string) => `'${ROOT}/${posix.join(folder, path)}'`),
  )
  return [...resolved, known, more, 'export async function code() {', ...rest, '}'].join('\n')
}

/** Gives the pieces of all pages, by names of files. */
export async function piecesOfPages(): Promise<Record<string, string>> {
  const pieces: Record<string, string> = {}
  for (const page of await pages()) {
    const name = page.path.replaceAll('/', '-').replace(/\.md$/, '')
    for (const code of codeOf(page, 'ts')) {
      pieces[`${name}-${Object.keys(pieces).length + 1}.ts`] = moduleOf(code, posix.dirname(page.path))
    }
  }
  return pieces
}
