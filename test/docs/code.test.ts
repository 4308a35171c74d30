/** The code in the pages of the repository compiles as it stands there, each piece by itself. */

import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { compile } from '../support/compiler.ts'
import { codeOf } from '../support/markdown.ts'
import { moduleOf, piecesOfPages, SELF } from '../support/pieces.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

test('each piece of code in a page of the repository compiles', async () => {
  const pieces = await piecesOfPages()
  assert.ok(Object.keys(pieces).length >= 9, `${Object.keys(pieces)} are not all`)
  assert.deepEqual(await compile(pieces), [])
})

/** Names that are known in comments besides, by the package: its own names, and what a reader imagines. */
const KNOWN: Readonly<Record<string, string>> = {
  gun: `
import { createProcess } from '@holster/process'
declare const chunks: Iterable<Buffer>
${SELF}
declare const pool: gun.PoolPid`,
  node: `
import { availableParallelism } from 'node:os'
import { moduleAt, registerCodec, spawnAt, startNode, workers } from '@holster/node'
import { nats } from '@holster/node/nats'
declare class Money {
  constructor(amount: number, currency: string)
  readonly amount: number
  readonly currency: string
}`,
  observer: SELF,
  otp: `
import { application, type ChildSpec, genServer, supervisor } from '@holster/otp'
import { fromMachine } from '@holster/otp/xstate'
declare const [database, server, reader, writer, log]: [ChildSpec, ChildSpec, ChildSpec, ChildSpec, ChildSpec]
declare const sessions: import('@holster/otp').supervisor.SupervisorRef
declare const openSession: (parent: import('@holster/process').Process<never>, user: string) => import('@holster/process').Process
declare const door: import('xstate').ActorLogic<any, any, any>`,
  process: `
import type { Call } from '@holster/process'
declare const worker: { send(message: object): void }
declare const self: import('@holster/process').Process<{ type: 'answer'; ok: boolean }>`,
}

/** A module of bodies, which an example spawns on another node. */
const WORKER =
  "export async function counter(_self: import('@holster/process').Process, _from: number): Promise<void> {}"

test('each piece of code in a comment of the API compiles', async () => {
  const pieces: Record<string, string> = { 'worker.ts': WORKER }
  for (const name of Object.keys(KNOWN)) {
    const folder = join(root, 'packages', name, 'src')
    const files = (await readdir(folder, { recursive: true })).filter(file => file.endsWith('.ts'))
    for (const file of files.sort()) {
      const text = await readFile(join(folder, file), 'utf8')
      for (const [comment] of text.matchAll(/^ *\/\*\*[\s\S]*?\*\//gm)) {
        const page = { path: file, text: comment.replaceAll(/^ *\* ?/gm, '') }
        for (const code of codeOf(page, 'ts')) {
          const piece = `${name}-${file.replace(/\.ts$/, '').replaceAll('/', '-')}-${Object.keys(pieces).length + 1}.ts`
          pieces[piece] = moduleOf(code, 'docs', KNOWN[name])
        }
      }
    }
  }
  assert.ok(Object.keys(pieces).length >= 20, `${Object.keys(pieces)} are not all`)
  assert.deepEqual(await compile(pieces), [])
})
