/** Finds the files of `src` that a package exports, or has run as commands: those that its package.json names, before they were built. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** One way into a package. */
export interface Export {
  /** As others import it: `@holster/process`; a command has the path of its file. */
  readonly specifier: string
  /** The file in `src` without its ending: `index`. */
  readonly file: string
}

interface Manifest {
  readonly name: string
  readonly exports?: Readonly<Record<string, string | { readonly default?: string }>>
  readonly bin?: Readonly<Record<string, string>>
}

export function exportsOf(folder: string): Export[] {
  const {
    name,
    exports = {},
    bin = {},
  }: Manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const entries = Object.entries(exports).map(
    ([path, target]) => [name + path.slice(1), typeof target === 'string' ? target : target.default] as const,
  )
  const commands = Object.values(bin).map(built => [built, built] as const)
  return [...entries, ...commands].flatMap(([specifier, built]) => {
    const file = /^[.]\/dist\/(.*)[.]js$/.exec(built ?? '')?.[1]
    return file === undefined ? [] : [{ specifier, file }]
  })
}
