/** Each link between the repository's pages leads somewhere, and each command that they name exists. */

import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { filesOf } from '../../packages/docs/.vitepress/links.ts'
import { anchorsOf, linksOf, pages, targetOf } from '../support/markdown.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const all = await pages()

/** The page that a link leads to; that of a folder is its README. */
const pageAt = (path: string) =>
  all.find(page => page.path === path) ?? all.find(page => page.path === join(path, 'README.md'))

const relativeLinks = all.flatMap(page =>
  linksOf(page)
    .filter(link => !/^[a-z]+:/.test(link))
    .map(link => ({ page, link })),
)

test('links to files outside of the site lead to the repository, in the form that a release wants', () => {
  const repository = { type: 'git', url: 'git+https://host.example/owner/name.git' }
  assert.equal(filesOf(repository), 'https://host.example/owner/name/blob/main/')
  assert.equal(filesOf(undefined), undefined)
})

test('each relative link leads to a file or a folder', () => {
  assert.ok(relativeLinks.length >= 10, `${relativeLinks.length} links are not all`)
  const broken = relativeLinks.filter(({ page, link }) => !existsSync(join(root, targetOf(page, link))))
  assert.deepEqual(
    broken.map(({ page, link }) => `${page.path}: ${link}`),
    [],
  )
})

test('each link to a heading leads to one', () => {
  // Pages that are made have their links looked at on the site.
  const toHeadings = relativeLinks.filter(({ link }) => link.includes('#') && !link.includes('/api/'))
  const broken = toHeadings.filter(({ page, link }) => {
    const target = pageAt(targetOf(page, link))
    return target === undefined || !anchorsOf(target).has(link.split('#')[1] ?? '')
  })
  assert.deepEqual(
    broken.map(({ page, link }) => `${page.path}: ${link}`),
    [],
  )
})

test('each command of npm that a page names is a script of the workspace', async () => {
  const { scripts } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
  const named = all.flatMap(({ path, text }) =>
    [...text.matchAll(/\bnpm run ([a-z][\w:-]*)/g)].map(([, script = '']) => ({ path, script })),
  )
  assert.ok(named.length >= 5, `${named.length} commands are not all`)
  assert.deepEqual(
    named.filter(({ script }) => !(script in scripts)),
    [],
  )
})
