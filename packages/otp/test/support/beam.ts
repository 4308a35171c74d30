/** A real Erlang runs a module of a test's folder: each line that it is sent is answered with one. */

import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import type { Writable } from 'node:stream'

/** Says why tests against Erlang are skipped; `false` where they are not. */
export const withoutErlang: string | false =
  spawnSync('erlc', ['-help'], { stdio: 'ignore' }).error === undefined ? false : 'Erlang is not installed'

/** A running Erlang. */
export class Beam implements AsyncDisposable {
  private readonly child: ChildProcess
  private readonly lines: AsyncIterator<string>
  private readonly reader: Interface
  private readonly folder: string

  private constructor(child: ChildProcess, reader: Interface, folder: string) {
    this.child = child
    this.reader = reader
    this.lines = reader[Symbol.asyncIterator]()
    this.folder = folder
  }

  /** Compiles `file`, and runs the function `main/0` of its module, which reads lines and prints lines; `more` are arguments for `erl`. */
  static async start(file: string, more: readonly string[] = []): Promise<Beam> {
    const folder = await mkdtemp(join(tmpdir(), 'holster-beam-'))
    execFileSync('erlc', ['-o', folder, file], { stdio: ['ignore', 'inherit', 'inherit'] })
    const module = basename(file, '.erl')
    const args = ['+S', '1:1', '-noshell', '-pa', folder, ...more, '-s', module, 'main']
    const child = spawn('erl', args, { stdio: ['pipe', 'pipe', 'inherit'] })
    if (child.stdout === null) throw new Error('erl has no output')
    return new Beam(child, createInterface(child.stdout), folder)
  }

  /** Sends a line, and gives the one that answers it. */
  async ask(line: string): Promise<string> {
    ;(this.child.stdin as Writable).write(`${line}\n`)
    const { value, done } = await this.lines.next()
    if (done) throw new Error(`erl has ended instead of answering ${line}`)
    return value
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = this.child.exitCode === null ? once(this.child, 'exit') : undefined
    this.child.stdin?.end()
    await ended
    this.reader.close()
    await rm(this.folder, { recursive: true })
  }
}

/** A term of Erlang: an atom, a number, or a tuple. */
export type Term = string | number | boolean | readonly Term[]

/** Writes a term as Erlang reads it. */
export function print(term: Term): string {
  return Array.isArray(term) ? `{${term.map(print).join(',')}}` : String(term)
}
