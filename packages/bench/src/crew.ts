/** The processes that a benchmark starts: each answers a line with a line, under Node, under Bun, or on the BEAM. */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

/** The major version of Bun that is measured; npm fetches it. */
const BUN = 'bun@1'

/** Where npm has put Bun; it is fetched the first time. */
export function findBun(): string {
  return execFileSync('npx', ['--yes', '-p', BUN, '-c', 'command -v bun'], { encoding: 'utf8' }).trim()
}

/** A process that answers each line with a line. */
export class Worker implements Disposable {
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string>

  private constructor(command: string, args: readonly string[]) {
    this.#child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    const { stdout } = this.#child
    if (stdout === null) throw new Error('there is no output to read')
    this.#lines = createInterface({ input: stdout })[Symbol.asyncIterator]()
  }

  /** Flags for Node, such as --cpu-prof, come from NODE_OPTIONS. */
  static onNode(...args: readonly string[]): Worker {
    return new Worker(process.execPath, ['--expose-gc', ...args])
  }

  /** Has no more flags than a program of a user's; nothing is asked of it. */
  static fresh(...args: readonly string[]): Worker {
    return new Worker(process.execPath, args)
  }

  static onBun(bun: string, ...args: readonly string[]): Worker {
    return new Worker(bun, ['run', ...args])
  }

  static onBeam(script: string): Worker {
    return new Worker('escript', [script])
  }

  async read<T>(): Promise<T> {
    const { value, done } = await this.#lines.next()
    if (done) throw new Error(`${this.#child.spawnargs.join(' ')} has ended`)
    return JSON.parse(value) as T
  }

  ask<T>(question: unknown): Promise<T> {
    this.#child.stdin?.write(`${JSON.stringify(question)}\n`)
    return this.read()
  }

  [Symbol.dispose](): void {
    this.#child.stdin?.end()
    this.#child.kill()
  }
}
