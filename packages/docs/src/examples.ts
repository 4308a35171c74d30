/**
 * Examples of the API are parts of tests: what stands between `// #region gun/open` and `// #endregion` in `test/api` is shown on
 * the page `gun/open`. A region may name several pages, and a member of a type behind `#`, as in `process/Process#receive`. The names
 * that an example has from elsewhere are shown with where they come from; on pages of gun, `gun` needs no word of that.
 */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('../../../test/api/', import.meta.url))

const REGION = /^( *)\/\/ #region ([^\n]+)\n([\s\S]*?)^ *\/\/ #endregion$/gm

/** Pieces of code by the id of the page, or of the member, that shows them. */
export type Examples = ReadonlyMap<string, readonly string[]>

function outdented(code: string, indent: string): string {
  return code
    .split('\n')
    .map(line => (line.startsWith(indent) ? line.slice(indent.length) : line))
    .join('\n')
    .trim()
}

/** Names that a file imports, by the module that it names; a module of the repository's tests is none that a reader has. */
type Imports = ReadonlyMap<string, readonly string[]>

const IMPORT = /^import (?:type )?(?:\{([^}]*)\}|(\* as \w+)) from '([^'.][^']*)'$/gm
const OF_TESTS = new Set(['node:assert/strict', 'node:test'])

function importsOf(text: string): Imports {
  const imports = new Map<string, string[]>()
  for (const [, names = '', whole = '', module = ''] of text.matchAll(IMPORT)) {
    if (OF_TESTS.has(module)) continue
    const all = whole === '' ? names.split(',').map(name => name.trim()) : [whole]
    imports.set(module, [...(imports.get(module) ?? []), ...all.filter(name => name !== '')])
  }
  return imports
}

/** Gives the lines by which a program imports the names that pieces of code use and do not import themselves. */
function importing(imports: Imports, pieces: readonly string[]): string {
  const code = pieces.join('\n')
  const known = new Set([...importsOf(code).values()].flat())
  const words = new Set(code.replace(/\/\/.*$|'[^'\n]*'/gm, '').match(/(?<!\.)\b\w+\b(?!\??:)/g))
  const lines = [...imports].flatMap(([module, names]) => {
    const used = names.filter(name => words.has(/\w+$/.exec(name)?.[0] ?? '') && !known.has(name))
    if (used.length === 0) return []
    if (used[0]?.startsWith('*')) return [`import ${used[0]} from '${module}'`]
    const isOfTypes = used.every(name => name.startsWith('type '))
    const list = used.map(name => (isOfTypes ? name.slice('type '.length) : name)).join(', ')
    return [`import ${isOfTypes ? 'type ' : ''}{ ${list} } from '${module}'`]
  })
  return lines.length === 0 ? '' : `${lines.join('\n')}\n\n`
}

/** A region, with what its file imports; a module that tests load imports for itself. */
interface Piece {
  readonly code: string
  readonly imports: Imports | undefined
}

/** Gives the pieces of a page, the first of a test beginning with what those of tests import. */
function complete(id: string, pieces: readonly Piece[]): string[] {
  const ofTests = pieces.filter(({ imports }) => imports !== undefined)
  const all = ofTests.reduce((all: Imports, piece) => merged(all, piece.imports), new Map())
  const imports = new Map([...all].filter(([module]) => module !== '@holster/gun' || !id.startsWith('gun/')))
  const head = importing(
    imports,
    ofTests.map(({ code }) => code),
  )
  return pieces.map(piece => (piece === ofTests[0] ? head + piece.code : piece.code))
}

/**
 * Reads the examples of all tests, and of the modules that they load, in the order of their files. Those of the methods of Process go
 * without imports, as they stand on one page.
 */
export function readExamples(): Examples {
  const examples = new Map<string, Piece[]>()
  const files = readdirSync(folder).filter(name => name.endsWith('.ts'))
  for (const file of files.sort()) {
    const text = readFileSync(join(folder, file), 'utf8')
    const imports = file.endsWith('.test.ts') ? importsOf(text) : undefined
    for (const [, indent = '', ids = '', code = ''] of text.matchAll(REGION)) {
      for (const id of ids.split(/,\s*/).map(id => id.trim())) {
        examples.set(id, [...(examples.get(id) ?? []), { code: outdented(code, indent), imports }])
      }
    }
  }
  return new Map(
    [...examples].map(([id, pieces]) => [
      id,
      id.startsWith('process/Process#') ? pieces.map(({ code }) => code) : complete(id, pieces),
    ]),
  )
}

function merged(some: Imports = new Map(), others: Imports = new Map()): Imports {
  const modules = new Set([...some.keys(), ...others.keys()])
  return new Map(
    Array.from(modules, module => [
      module,
      [...new Set([...(some.get(module) ?? []), ...(others.get(module) ?? [])])].sort(byName),
    ]),
  )
}

const byName = (a: string, b: string) => a.replace(/^type /, '').localeCompare(b.replace(/^type /, ''))
