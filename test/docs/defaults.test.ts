/** A default stands in the comment of its option, in the code, and in tables of the pages: they say the same. */

import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { pages } from '../support/markdown.ts'

const packages = fileURLToPath(new URL('../../packages/', import.meta.url))
const NAMES = ['process', 'otp', 'gun', 'node', 'observer']

const NODE = 'the default of Node'

interface Option {
  readonly file: string
  readonly name: string
  /** As the comment has it: a number, a word, or a text in quotes. */
  readonly value: string
}

const UNITS: Readonly<Record<string, number>> = { KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 }

/** Brings a value into one form: `16_384`, `16,384` and `16 KiB` are one. */
function plain(value: string): string {
  const bare = value.replaceAll('`', '').trim()
  const [, count = '', unit = ''] = /^([\d.,]+) (KiB|MiB|GiB)$/.exec(bare) ?? []
  if (unit !== '') return String(Number(count.replaceAll(',', '')) * (UNITS[unit] ?? 1))
  const digits = bare.replace(/(\d)[_,](?=\d)/g, '$1')
  // A product of numbers, as code writes sizes.
  if (/^[\d*+\s]+$/.test(digits))
    return String(digits.split('*').reduce((product, part) => product * Number(part), 1))
  return digits.replaceAll('"', "'")
}

const OPTION = /\/\*\*((?:(?!\*\/)[\s\S])*?)\*\/\s*(?:readonly )?(\w+)\?:/g
const DEFAULT = /\bDefault (`\d[^`]*`|`[^`[]+`|'[^']+'|\d[\d_,.]*(?: [KMG]iB)?)/

async function sourcesOf(name: string): Promise<Map<string, string>> {
  const folder = join(packages, name, 'src')
  const files = (await readdir(folder, { recursive: true })).filter(file => file.endsWith('.ts'))
  return new Map(
    await Promise.all(files.map(async file => [file, await readFile(join(folder, file), 'utf8')] as const)),
  )
}

function optionsIn(sources: ReadonlyMap<string, string>): Option[] {
  return [...sources].flatMap(([file, text]) =>
    [...text.matchAll(OPTION)].flatMap(([, comment = '', name = '']) => {
      const said = DEFAULT.exec(comment.replace(/\s*\n\s*\*\s*/g, ' '))?.[1]
      return said === undefined ? [] : [{ file, name, value: said.replace(/[.,]$/, '') }]
    }),
  )
}

/** Values that the code gives to a name where nobody else does. */
function defaultsOf(name: string, sources: ReadonlyMap<string, string>): Set<string> {
  const all = [...sources.values()].join('\n').replaceAll(/\/\*\*[\s\S]*?\*\//g, '')
  const constants = new Map(
    [...all.matchAll(/\bconst ([A-Z][A-Z_\d]*)(?:: \w+)? = ([^\n{[]+)/g)].map(([, key = '', value = '']) => [
      key,
      value,
    ]),
  )
  const value = String.raw`((?:'[^']*'|[^,})\n;])+)`
  const found = [
    ...all.matchAll(new RegExp(String.raw`\b${name}(?:: \w+)? = ${value}`, 'g')),
    ...all.matchAll(new RegExp(String.raw`\b${name}: ${value}`, 'g')),
    ...all.matchAll(new RegExp(String.raw`\b${name} \?\? ${value}`, 'g')),
    ...all.matchAll(
      new RegExp(String.raw`\b${name}: v\.optional\((?:(?!v\.optional)[\s\S])*?,\s+(\d[\d_* ]*),?\s*\)`, 'g'),
    ),
  ].map(([, text = '']) => text.replace(/ as const$/, '').trim())
  return new Set(found.map(text => plain(constants.get(text) ?? text)))
}

/** Defaults that mean nothing is limited, done or checked otherwise: code has no value for them. */
const ABSENT = new Set(['Infinity', 'false', "'raise'"])

/** Defaults that the code has by another name, and where; those of Node are Node's. */
const ELSEWHERE: Readonly<Record<string, string | undefined>> = {
  checkoutTimeout: 'CHECKOUT_TIMEOUT',
  keepAliveInitialDelay: NODE,
  level: NODE,
  memLevel: NODE,
  signals: 'DEFAULT_SIGNALS',
  size: 'SIZE',
}

function isInCode({ name, value }: Option, sources: ReadonlyMap<string, string>): boolean {
  const elsewhere = ELSEWHERE[name] ?? name
  if (elsewhere === NODE) return true
  const said = plain(value)
  const found = defaultsOf(elsewhere, sources)
  if (found.has(said)) return true
  const isLiteral = (text: string) => /^\d+$/.test(text)
  return ABSENT.has(said) && (found.has('Number.POSITIVE_INFINITY') || ![...found].some(isLiteral))
}

for (const name of NAMES) {
  test(`each default in a comment of ${name} is that of the code`, async () => {
    const sources = await sourcesOf(name)
    const wrong = optionsIn(sources).filter(option => !isInCode(option, sources))
    assert.deepEqual(
      wrong.map(({ file, name, value }) => `${file}: ${name} ${value}`),
      [],
    )
  })
}

test('each default in a table of options is that of a comment', async () => {
  const documented = new Map<string, Set<string>>()
  for (const name of NAMES) {
    for (const option of optionsIn(await sourcesOf(name))) {
      const values = documented.get(option.name) ?? new Set()
      documented.set(option.name, values.add(plain(option.value)))
    }
  }
  let compared = 0
  const wrong: string[] = []
  for (const { path, text } of await pages()) {
    for (const [, names = '', defaults = ''] of text.matchAll(/^\| ((?:`\w+`(?:, )?)+) +\| ([^|]+) \|/gm)) {
      const keys = [...names.matchAll(/`(\w+)`/g)].map(([, key = '']) => key)
      const values = keys.length === 1 ? [defaults] : defaults.split(/,\s+/)
      for (const [index, key] of keys.entries()) {
        const value = plain(values[Math.min(index, values.length - 1)] ?? '')
        const said = documented.get(key)
        if (said === undefined || !/^(\d+|Infinity|true|false|'[^']*')$/.test(value)) continue
        compared++
        if (!said.has(value)) wrong.push(`${path}: ${key} ${value}, but ${[...said].join(' or ')}`)
      }
    }
  }
  assert.ok(compared > 30, `${compared} are not all`)
  assert.deepEqual(wrong, [])
})
