/** The rows of a table from Erlang to TypeScript, as modules that compile if the code in them is right. */

import { compile } from './compiler.ts'

/** The names that rows use without saying where they come from. */
const names = `
import * as gun from '@holster/gun'
import { GunError } from '@holster/gun'
import { application, type ChildSpec, genServer, pg, registry, setReportHook, supervisor, task } from '@holster/otp'
import { fromMachine } from '@holster/otp/xstate'
import {
  call, CallError, createProcess, exit, isAlive, makeRef, P, Process, processes, processInfo, ReceiveTimeout, register, registered, reply,
  setExitHook, spawn, trace, whereis,
} from '@holster/process'
import type { Call, From, MonitorRef, Timeout } from '@holster/process'
import { CookieJar } from 'tough-cookie'
import { createMachine } from 'xstate'
type Message =
  | gun.GunMessage
  | { readonly type: 'a'; readonly n: number }
  | { readonly type: 'b'; readonly n: number }
  | Timeout<string>
type Request = { readonly type: 'sum' }
declare const self: Process<Message>
declare const pid: Process<Message>
declare const server: Process<Call<Request, number> | genServer.Cast<{ readonly type: 'reset' }>>
declare const from: From<number>
declare const request: Request
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
declare const counter: genServer.Server<number, number, Call<Request, number>, never>
declare const machine: ReturnType<typeof createMachine>
declare const body: (self: Process) => Promise<void>
declare const spec: ChildSpec
declare const children: readonly ChildSpec[]
declare const sup: Process<never>
declare const fn: () => Promise<number>
declare const job: task.Task<number>
declare const items: readonly number[]
declare const square: (n: number) => number
declare const rooms: registry.Registry<string, number>
`

/** The declarations of names that differ between rows: for a row about the client, and for any other. */
const ofClient = 'declare const ref: gun.StreamRef\ndeclare const b: Uint8Array\n'
const ofProcess = "declare const ref: MonitorRef\ndeclare const b: { readonly type: 'b' }\n"

/** Gives the cells of each row of the tables in a text, without those that head a table. */
export function rowsOf(text: string): readonly (readonly string[])[] {
  const lines = text.split('\n')
  const isRule = (line: string | undefined) => line !== undefined && /^\| -/.test(line)
  return lines
    .filter((line, i) => line.startsWith('| ') && !isRule(line) && !isRule(lines[i + 1]))
    .map(line =>
      line
        .slice(2, -2)
        .split(' | ')
        .map(cell => cell.trim()),
    )
}

/** Gives the rows of those tables in a text whose second column is headed `TypeScript`. */
export function rowsToTypeScript(text: string): readonly (readonly string[])[] {
  const tables = text.split(/\n{2,}/).filter(part => /^\| [^|]* \| TypeScript +\|/.test(part))
  return tables.flatMap(rowsOf)
}

/** Gives the code in a cell of a table, each piece behind the other. */
function codeOf(cell: string): string {
  return [...cell.matchAll(/`([^`]+)`/g)]
    .map(([, code = '']) => code.replaceAll('{ … }', '{}').replaceAll('…', 'undefined'))
    .map(code =>
      code.startsWith('P.') ? `asPattern(${code})` : /^[[{]/.test(code) ? `void (${code})` : code,
    )
    .join('\n')
}

/** Gives the code of a row as a module, whose own declarations hide those of the same name outside. */
function moduleOf(cell: string, more: string): string {
  const others = /gun[._]/.test(cell) ? ofClient : ofProcess
  return `// ${cell}\n${names}${more}${others}export async function row() {\n${codeOf(cell)}\n}\n`
}

/** Gives the errors of the compiler in the second cells of the rows, each with its cell. `more` declares names that only they use. */
export async function errorsIn(rows: readonly (readonly string[])[], more = ''): Promise<readonly unknown[]> {
  const files = rows.map(([, cell = ''], i) => [`row-${i}.ts`, moduleOf(cell, more)])
  const errors = await compile(Object.fromEntries(files))
  return errors.map(error => [error, rows[Number(/^row-(\d+)/.exec(error)?.[1])]?.[1]])
}
