/** The licences of whatever a user of the packages installs, or gets as a part of their files: each goes with MIT, and has a text. */

import { readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import satisfies from 'spdx-satisfies'
import { manifestOf } from './workspace.ts'

/** The licences under which code may be a part of a program with the licence MIT. */
const ALLOWED = [
  'MIT',
  'MIT-0',
  'ISC',
  'BSD-2-Clause',
  'BSD-3-Clause',
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'Unlicense',
  'CC0-1.0',
]

const TEXT = /^(licen[cs]e|copying)/i

/** Packages with the binary for one platform, and the package that has the text for all of them. */
const TEXT_ELSEWHERE: readonly (readonly [RegExp, string])[] = [[/^@msgpackr-extract\//, 'msgpackr-extract']]

/** A library with its licence. */
export interface Library {
  readonly name: string
  readonly version: string
  /** An expression of SPDX, as its package.json has it. */
  readonly license: string | undefined
  /** The text; empty if the library has none. */
  readonly text: string
}

/** Reads the library in a folder. */
export async function libraryIn(folder: string): Promise<Library> {
  const { name, version, license } = manifestOf(folder)
  const file = (await readdir(folder)).find(entry => TEXT.test(entry))
  const text = file === undefined ? '' : await readFile(join(folder, file), 'utf8')
  return { name, version, license: typeof license === 'string' ? license : undefined, text: text.trim() }
}

/** Gives the libraries installed in a folder, also those within others. */
export async function librariesIn(folder: string): Promise<readonly Library[]> {
  const entries = await readdir(join(folder, 'node_modules'), { recursive: true })
  const folders = entries
    .filter(path => /(^|\/node_modules\/)(@[^/]+\/)?[^/@.][^/]*\/package\.json$/.test(`${path}`))
    .map(path => dirname(join(folder, 'node_modules', path)))
  const libraries = await Promise.all([...new Set(folders)].sort().map(libraryIn))
  return libraries.filter(({ name, version }) => name !== undefined && version !== undefined)
}

/** Says what is wrong with the licences of libraries that are installed together. */
export function complaintsAboutLicences(libraries: readonly Library[]): readonly string[] {
  return libraries
    .map(library => {
      const [, elsewhere] = TEXT_ELSEWHERE.find(([pattern]) => pattern.test(library.name)) ?? []
      const text = library.text || libraries.find(({ name }) => name === elsewhere)?.text || ''
      return complaintAbout({ ...library, text })
    })
    .filter(complaint => complaint !== undefined)
}

function complaintAbout({ name, version, license, text }: Library): string | undefined {
  const library = `${name} ${version}`
  if (license === undefined) return `${library} names no licence.`
  if (!isAllowed(license))
    return `${library} has the licence ${license}, which is not among those that go with MIT.`
  if (text === '') return `${library} has the licence ${license}, but no text of it.`
  return undefined
}

function isAllowed(license: string): boolean {
  try {
    return satisfies(license, ALLOWED)
  } catch {
    // No expression of SPDX, such as "SEE LICENSE IN …".
    return false
  }
}

/** Gives the folders of the libraries whose files esbuild has put into a bundle, from the names of its inputs. */
export function bundledFolders(inputs: Iterable<string>): readonly string[] {
  const folders = [...inputs].map(input => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1])
  return [...new Set(folders)].filter(folder => folder !== undefined).sort()
}

/** Says which texts of bundled libraries none of the files of a package has. */
export function missingTexts(libraries: readonly Library[], files: readonly string[]): readonly string[] {
  const squeeze = (text: string) => text.replaceAll(/\s+/g, ' ')
  const squeezed = files.map(squeeze)
  return libraries
    .filter(({ text }) => !squeezed.some(file => file.includes(squeeze(text))))
    .map(
      ({ name, version }) =>
        `The text of the licence of ${name} ${version}, which is bundled, is in no file.`,
    )
}
