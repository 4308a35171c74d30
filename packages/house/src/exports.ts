/** Which files of `src` a package exports: those that its package.json names, before they were built. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** One way into a package. */
export interface Export {
  /** As others import it: `@holster/process`. */
  readonly specifier: string
  /** The file in `src` without its ending: `index`. */
  readonly file: string
}

interface Manifest {
  readonly name: string
  readonly exports?: Readonly<Record<string, string | { readonly default?: string }>>
}

export function exportsOf(folder: string): Export[] {
  const { name, exports = {} }: Manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  return Object.entries(exports).flatMap(([path, target]) => {
    const built = typeof target === 'string' ? target : target.default
    const file = /^[.]\/dist\/(.*)[.]js$/.exec(built ?? '')?.[1]
    return file === undefined ? [] : [{ specifier: name + path.slice(1), file }]
  })
}
