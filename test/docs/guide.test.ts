/** The guide names what a program meets in values and not in names that it imports: messages, options, events. */

import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { pages } from '../support/markdown.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Gives those of the names that no page of the guide has as code in its text. */
async function missing(names: Iterable<string>): Promise<string[]> {
  const guide = (await pages()).filter(({ path }) => path.startsWith('docs/'))
  const text = guide.map(page => page.text.replaceAll(/```.*?```/gs, '')).join('\n')
  const codes = text.match(/`[^`]+`/g)?.join(' ') ?? ''
  return [...new Set(names)].filter(name => !new RegExp(`\\b${name}\\b`).test(codes))
}

/** The source of the client: its files, whatever folders they are in. */
async function sources(): Promise<string> {
  const files = await readdir(join(root, 'packages/gun/src'), { recursive: true, withFileTypes: true })
  const texts = files
    .filter(file => file.isFile() && file.name.endsWith('.ts'))
    .map(file => readFile(join(file.parentPath, file.name), 'utf8'))
  return (await Promise.all(texts)).join('\n')
}

/** The names that `pattern` finds in the declarations that begin with `start`, each of which ends with `}` or `]` in the first column. */
async function declared(start: RegExp, pattern: RegExp): Promise<string[]> {
  const declarations = (await sources()).match(new RegExp(`^${start.source}.*?^[}\\]]`, 'gms')) ?? []
  const names = declarations.flatMap(each => [...each.matchAll(pattern)].map(([, name = '']) => name))
  assert.ok(names.length > 5, `only ${names}`)
  return names
}

test('the guide names every message and every notification', async () => {
  assert.deepEqual(await missing(await declared(/export interface /, /'(gun_\w+)'/g)), [])
  assert.deepEqual(await missing(['drain', 'ping_ack', 'settings_changed', 'DOWN']), [])
})

test("the guide names every option but those of Node's sockets", async () => {
  assert.deepEqual(
    await missing(await declared(/export interface ((?!Tcp)\w*Opts|Retry) /, /^ {2}readonly (\w+)\??:/gm)),
    [],
  )
})

test('the guide names every event', async () => {
  assert.deepEqual(await missing(await declared(/export const EVENTS = /, /^ {2}'(\w+)',$/gm)), [])
})
