/** Links of pages to files outside of `docs` lead to the page that shows the file, or to the repository where its address is known. */

import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { MarkdownRenderer } from 'vitepress'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const docs = join(root, 'docs')

/** Pages that show files from outside of `docs`: a pattern of the file's path, and the page. */
const SHOWN: readonly (readonly [RegExp, string])[] = [
  [/^README\.md$/, '/'],
  [/^(CHANGELOG|CONTRIBUTING|SECURITY)\.md$/, '/$1'],
  [/^examples\/?$/, '/examples/'],
  [/^examples\/([\w-]+)(?:\.ts|\/.*)?$/, '/examples/$1'],
  [/^packages\/(process|otp|gun|node|observer|testing)(?:\/README\.md)?\/?$/, '/api/$1/'],
]

/** Gives the address of the files of a repository, as the `repository` of a package.json has it; `undefined`: none is set. */
export function filesOf(repository: { readonly url: string } | undefined): string | undefined {
  return repository && `${repository.url.replace(/^git\+/, '').replace(/\.git$/, '')}/blob/main/`
}

const files = filesOf(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).repository)

/** Gives where a relative link of a page leads; `undefined`: nowhere within the site. */
export function targetOf(page: string, link: string): string | undefined {
  const [path = '', ...heading] = link.split('#')
  const anchor = heading.length === 0 ? '' : `#${heading[0]}`
  // A page that includes a file of the root has the links of that file.
  const file = [dirname(join(docs, page)), root].map(base => resolve(base, path)).find(existsSync)
  if (file === undefined) return link
  const within = relative(docs, file)
  if (!within.startsWith('..')) return `/${within.split(sep).join('/')}${anchor}`
  const outside = relative(root, file).split(sep).join('/')
  const shown = SHOWN.find(([pattern]) => pattern.test(outside))
  if (shown !== undefined) return outside.replace(...shown).toLowerCase() + anchor
  return files === undefined ? undefined : files + outside + anchor
}

const isRelative = (link: string) => !/^([a-z]+:|#|\/)/.test(link)

/** A plugin of markdown-it; without a target a link becomes its text. */
export function leadOutside(markdown: MarkdownRenderer): void {
  markdown.core.ruler.push('lead-outside', state => {
    const page: string = state.env.relativePath ?? ''
    for (const { children } of state.tokens) {
      let isDropped = false
      for (const token of children ?? []) {
        if (token.type === 'link_open') {
          const link = token.attrGet('href') ?? ''
          if (!isRelative(link)) continue
          const target = targetOf(page, decodeURI(link))
          isDropped = target === undefined
          if (target !== undefined) token.attrSet('href', target)
        }
        if (isDropped && (token.type === 'link_open' || token.type === 'link_close')) {
          if (token.type === 'link_close') isDropped = false
          token.type = 'text'
          token.tag = ''
          token.nesting = 0
          token.content = ''
        }
      }
    }
  })
}
