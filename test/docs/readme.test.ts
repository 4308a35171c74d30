/** The rows of the README's table compile, and what it says of the exit code is so. */

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { compile } from '../support/compiler.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** The names that rows use without saying where they come from. */
const names = `
import * as gun from '@holster/gun'
import { GunError } from '@holster/gun'
import { createProcess, exit, makeRef, P, Process, ReceiveTimeout, register, spawn, whereis } from '@holster/process'
import type { MonitorRef } from '@holster/process'
import { CookieJar } from 'tough-cookie'
type Message = gun.GunMessage | { readonly type: 'a'; readonly n: number } | { readonly type: 'b'; readonly n: number }
declare const self: Process<Message>
declare const pid: Process<Message>
declare const message: Message
declare const reason: unknown
declare const connPid: gun.ConnPid
declare const streamRef: gun.StreamRef
declare const frame: gun.WsFrame
declare const host: string
declare const path: string
declare const hs: Record<string, string>
declare const a: { readonly type: 'a' }
declare const pattern: { readonly type: 'a' }
declare const patterns: readonly [{ readonly type: 'a' }]
declare const ms: number
declare const f: (message: Message) => number
declare const g: (message: Message) => string
declare const myHandler: gun.WsHandler<object>
declare const init: unknown
declare const handle: unknown
declare function asPattern(pattern: P.Pattern<number>): void
`

const readme = await readFile(join(root, 'README.md'), 'utf8')

/** What names that rows give to different things are in a row about the client, and in another. */
const ofClient = 'declare const ref: gun.StreamRef\ndeclare const b: Uint8Array\n'
const ofProcess = "declare const ref: MonitorRef\ndeclare const b: { readonly type: 'b' }\n"

/** The code of a row, as a module: what it declares hides what it would otherwise find. */
function asModule(code: string, others: string): string {
  return `${names}${others}export async function row() {\n${code}\n}\n`
}

/** The code in a cell of a table, each piece behind the other. */
function codeOf(cell: string): string {
  return [...cell.matchAll(/`([^`]+)`/g)]
    .map(([, code = '']) => code.replaceAll('{ … }', '{}').replaceAll('…', 'undefined'))
    .map(code => (code.startsWith('P.') ? `asPattern(${code})` : code.startsWith('{') ? `;(${code})` : code))
    .join('\n')
}

test('every row of the table from Erlang to TypeScript compiles', async () => {
  const [, table = ''] = readme.split('## From Erlang to TypeScript')
  const rows = [...(table.split('\n##')[0] ?? '').matchAll(/^\| ([^|]*`[^|]*|[^|]*) \| ([^|]*) \|$/gm)].slice(
    2,
  )
  assert.ok(rows.length > 40, String(rows.length))
  const files = rows.map(([, , cell = ''], i) => {
    const others = /gun[._]/.test(cell) ? ofClient : ofProcess
    return [`row-${i}.ts`, `// ${cell}\n${asModule(codeOf(cell), others)}`]
  })
  const errors = await compile(Object.fromEntries(files))
  assert.deepEqual(
    errors.map(error => [error, rows[Number(/^row-(\d+)/.exec(error)?.[1])]?.[2]]),
    [],
  )
})

/** How a program ends that has these lines. */
async function run(source: string): Promise<{ readonly code: number | null; readonly stderr: string }> {
  const folder = await mkdtemp(join(root, 'test', '.tmp-'))
  try {
    const file = join(folder, 'program.ts')
    await writeFile(file, source)
    const child = spawn(process.execPath, ['--import', 'tsx', file], { cwd: root })
    const ended = new Promise<number | null>(resolve => child.on('close', resolve))
    const stderr = await text(child.stderr)
    return { code: await ended, stderr }
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** The snippet of the README that has these words. */
function snippet(words: string): string {
  const snippets = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)]
  return snippets.find(([, code = '']) => code.includes(words))?.[1] ?? assert.fail(words)
}

const imports = "import { setExitHook, spawn } from '@holster/process'\n"
const crash = "const main = async () => { throw new Error('it broke') }\n"

test('a main process that crashes leaves the exit code alone, unless the program sets it', async () => {
  const alone = await run(`${imports}${crash}await spawn(main).exited`)
  assert.equal(alone.code, 0)
  assert.match(alone.stderr, /exited: Error: it broke/)
  const awaited = await run(`${imports}${crash}${snippet("reason !== 'normal'")}`)
  assert.equal(awaited.code, 1)
  assert.match(awaited.stderr, /exited: Error: it broke/)
  const fine = await run(`${imports}const main = async () => {}\n${snippet("reason !== 'normal'")}`)
  assert.equal(fine.code, 0)
})

test('the exit hook sets the exit code for a crash of any process', async () => {
  const hook = snippet('setExitHook')
  const { code, stderr } = await run(`${imports}${hook}\n${crash}spawn(main)`)
  assert.equal(code, 1)
  assert.match(stderr, /#Process<\d+> .*\n?.*it broke/)
})

test('a process that waits does not keep Node alive', async () => {
  const { code } = await run(`${imports}spawn(self => self.receive([{ type: 'never' }]))`)
  assert.equal(code, 0)
  const awaited = await run(`${imports}await spawn(self => self.receive([{ type: 'never' }])).exited`)
  assert.equal(awaited.code, 13)
})
