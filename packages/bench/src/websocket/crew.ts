/** The processes of the benchmark: one server, and one for each client. */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Cost, Job } from './contract.ts'

/** The major version of Bun that is measured; npm fetches it. */
const BUN = 'bun@1'

const pathOf = (file: string) => fileURLToPath(new URL(file, import.meta.url))

/** Where npm has put Bun; it is fetched the first time. */
export function findBun(): string {
  return execFileSync('npx', ['--yes', '-p', BUN, '-c', 'command -v bun'], { encoding: 'utf8' }).trim()
}

/** A process that answers each line with a line. */
class Worker implements Disposable {
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string>

  constructor(command: string, args: readonly string[]) {
    this.#child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    const { stdout } = this.#child
    if (stdout === null) throw new Error('there is no output to read')
    this.#lines = createInterface({ input: stdout })[Symbol.asyncIterator]()
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

export interface Ports {
  readonly plain: number
  readonly compressed: number
}

/** The server, and the ports that it listens on. */
export async function startServer(bun: string): Promise<Ports & Disposable> {
  const worker = new Worker(bun, ['run', pathOf('server.ts')])
  const { plain, compressed } = await worker.read<Ports>()
  return { plain, compressed, [Symbol.dispose]: () => worker[Symbol.dispose]() }
}

export const CLIENTS = ['holster', 'ws', 'undici', 'bun'] as const
export type ClientName = (typeof CLIENTS)[number]

const FILES: Record<ClientName, string> = {
  holster: 'holster-client',
  ws: 'ws-client',
  undici: 'standard-client',
  bun: 'standard-client',
}

export interface RunningClient extends Disposable {
  run(job: Job): Promise<Cost>
}

/** Flags for Node, such as --cpu-prof, come from NODE_OPTIONS. */
export function startClient(name: ClientName, bun: string, { plain, compressed }: Ports): RunningClient {
  const args = [pathOf('worker.ts'), FILES[name], String(plain), String(compressed)]
  const worker =
    name === 'bun'
      ? new Worker(bun, ['run', ...args])
      : new Worker(process.execPath, ['--expose-gc', '--import', 'tsx', ...args])
  return { run: job => worker.ask<Cost>(job), [Symbol.dispose]: () => worker[Symbol.dispose]() }
}
