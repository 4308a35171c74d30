/** The gallery of examples: a page for each, with its idea and its code. */

import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('../../../examples/', import.meta.url))

/** Files that examples share, or that belong to another. */
const PARTS = new Set(['local-server.ts', 'workers-body.ts'])

interface Example {
  readonly name: string
  /** The files within `examples`, the main one first. */
  readonly files: readonly string[]
  /** The comment that opens it: its idea in the first paragraph, and how it is used. */
  readonly idea: string
}

function ideaOf(text: string): string {
  const [, block = '', lines = ''] = /^(?:\/\*\*([\s\S]*?)\*\/|((?:\/\/[^\n]*\n)+))/.exec(text) ?? []
  return (block || lines)
    .split('\n')
    .map(line => line.replace(/^\s*(?:\*|\/\/)? ?/, '').trimEnd())
    .join('\n')
    .trim()
}

function readGallery(): Example[] {
  return readdirSync(folder)
    .sort()
    .flatMap(entry => {
      const path = join(folder, entry)
      if (statSync(path).isDirectory()) {
        if (entry.startsWith('.') || entry === 'node_modules') return []
        const inside = readdirSync(path)
          .filter(name => name.endsWith('.ts'))
          .sort()
        const files = ['main.ts', ...inside.filter(name => name !== 'main.ts')].map(
          name => `${entry}/${name}`,
        )
        return [{ name: entry, files, idea: ideaOf(readFileSync(join(path, 'main.ts'), 'utf8')) }]
      }
      if (!entry.endsWith('.ts') || PARTS.has(entry)) return []
      const name = entry.replace(/\.ts$/, '')
      const files = [entry, ...(name === 'workers' ? ['workers-body.ts'] : [])]
      return [{ name, files, idea: ideaOf(readFileSync(path, 'utf8')) }]
    })
}

const firstParagraph = (text: string) => (text.split('\n\n')[0] ?? '').replace(/\s+/g, ' ')

/** Names that are no words of English. */
const SPELLED: Readonly<Record<string, string>> = { http2: 'HTTP/2', rest: 'REST', websocket: 'WebSocket' }

function titleOf(name: string): string {
  const words = name.split('-').map(word => SPELLED[word] ?? word)
  const title = words.join(' ')
  return title.charAt(0).toUpperCase() + title.slice(1)
}

/** A paragraph that is indented shows commands. */
const shownParagraph = (text: string) =>
  /^ {2}/.test(text) ? `\`\`\`sh\n${text.replaceAll(/^ {2}/gm, '')}\n\`\`\`` : text

function pageOf({ name, files, idea }: Example): string {
  const code = files.flatMap(file => [
    ...(files.length === 1 ? [] : [`## ${file}`]),
    `<<< ../../examples/${file}`,
  ])
  const told = idea.split('\n\n').map(shownParagraph)
  const command = idea.includes('npx tsx') ? [] : [`\`\`\`sh\nnpx tsx examples/${files[0]}\n\`\`\``]
  return [`# ${titleOf(name)}`, ...told, ...command, ...code].join('\n\n').concat('\n')
}

/** Gives these pages and that of the whole gallery, by their paths in `docs`. */
export function* galleryPages(): Generator<readonly [string, string]> {
  const examples = readGallery()
  for (const example of examples) yield [`examples/${example.name}.md`, pageOf(example)]
  const isProgram = ({ files }: Example) => files[0]?.includes('/') === true
  const listed = (those: readonly Example[]) =>
    those
      .map(({ name, idea }) => `- [${titleOf(name)}](/examples/${name}): ${firstParagraph(idea)}`)
      .join('\n')
  yield [
    'examples/index.md',
    [
      '# Examples',
      'Each runs as it is in a clone of the repository, with a server that it brings along; the tests run them all.',
      '## Whole programs',
      listed(examples.filter(isProgram)),
      '## One idea each',
      listed(examples.filter(example => !isProgram(example))),
    ]
      .join('\n\n')
      .concat('\n'),
  ]
}
