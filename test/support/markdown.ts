/** The pages of the repository, as their readers see them: text, pieces of code, links and headings. */

import { readdir, readFile } from 'node:fs/promises'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Folders of which nothing is a page of the repository: what is installed, and what is made. */
const LEFT_OUT = new Set(['node_modules', 'dist', 'build'])

export interface Page {
  /** The path within the repository, with slashes. */
  readonly path: string
  readonly text: string
}

/** A piece of code between two lines of three backticks. */
const CODE = /^```(\w*)\n([\s\S]*?)^```$/gm
const INLINE_CODE = /`[^`\n]+`/g

async function pathsIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true })
  const paths = entries.map(async entry => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) {
      return LEFT_OUT.has(entry.name) || entry.name.startsWith('.') ? [] : pathsIn(path)
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

/** Gives the pieces of code of one language. */
export function codeOf({ text }: Page, language: string): readonly string[] {
  return [...text.matchAll(CODE)].flatMap(([, name, code = '']) => (name === language ? [code] : []))
}

/** Gives the targets of the links, but not of those that stand within code. */
export function linksOf({ text }: Page): readonly string[] {
  const prose = text.replaceAll(CODE, '').replaceAll(INLINE_CODE, 'code')
  return [...prose.matchAll(/\]\(([^()\s]+)\)/g)].map(([, target = '']) => target)
}

/** Gives the anchors of the headings, as the hosts of repositories make them. */
export function anchorsOf({ text }: Page): ReadonlySet<string> {
  const headings = [...text.replaceAll(CODE, '').matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading)
  return new Set(
    headings.map(heading =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{Letter}\p{Number} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  )
}

/** Gives the path, within the repository, to which a relative link of the page leads. */
export function targetOf({ path }: Page, link: string): string {
  const [file = ''] = link.split('#')
  return relative(root, resolve(root, file === '' ? path : join(dirname(path), file)))
    .split(sep)
    .join('/')
}
