/** The pages of the repository, as their readers see them: text, pieces of code, links and headings. */

import { readdir, readFile } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { slugOf } from '../../packages/docs/src/slug.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Folders of which nothing is a page of the repository, by name or by path: what is installed, and what is made. */
const LEFT_OUT = new Set(['node_modules', 'dist', 'build', 'docs/api', 'docs/examples'])

const isLeftOut = (folder: string) =>
  LEFT_OUT.has(basename(folder)) || LEFT_OUT.has(relative(root, folder)) || basename(folder).startsWith('.')

export interface Page {
  /** The path within the repository, with slashes. */
  readonly path: string
  readonly text: string
}

/** A piece of code between two lines of three backticks, with its language and what else the first line says. */
const CODE = /^ *```(\w*)(?: ([^\n]*))?\n([\s\S]*?)^ *```$/gm
const INLINE_CODE = /`[^`\n]+`/g

async function pathsIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true })
  const paths = entries.map(async entry => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) {
      return isLeftOut(path) ? [] : pathsIn(path)
    }
    return entry.name.endsWith('.md') ? [path] : []
  })
  return (await Promise.all(paths)).flat()
}

/** Gives all pages of the repository, in the order of their paths. */
export async function pages(): Promise<readonly Page[]> {
  const paths = (await pathsIn(root)).sort()
  return Promise.all(
    paths.map(async path => ({
      path: relative(root, path).split(sep).join('/'),
      text: await readFile(path, 'utf8'),
    })),
  )
}

/** Gives the pieces of code of one language; those that cannot run say so in their first line, by `no-run`. */
export function codeOf(
  { text }: Page,
  language: string,
  which: 'all' | 'runnable' = 'all',
): readonly string[] {
  return [...text.matchAll(CODE)].flatMap(([, name, more = '', code = '']) =>
    name === language && (which === 'all' || !more.includes('no-run')) ? [code] : [],
  )
}

/** Gives the targets of the links, but not of those that stand within code. */
export function linksOf({ text }: Page): readonly string[] {
  const prose = text.replaceAll(CODE, '').replaceAll(INLINE_CODE, 'code')
  return [...prose.matchAll(/\]\(([^()\s]+)\)/g)].map(([, target = '']) => target)
}

/** Gives the anchors of the headings, as the hosts of repositories make them. */
export function anchorsOf({ text }: Page): ReadonlySet<string> {
  const headings = [...text.replaceAll(CODE, '').matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading)
  return new Set(headings.map(slugOf))
}

/** Gives the path, within the repository, to which a relative link of the page leads. */
export function targetOf({ path }: Page, link: string): string {
  const [file = ''] = link.split('#')
  return relative(root, resolve(root, file === '' ? path : join(dirname(path), file)))
    .split(sep)
    .join('/')
}
