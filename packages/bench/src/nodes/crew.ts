/** The processes of the benchmark: one for each client and way, and a NATS server. */

import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as passed } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Cost } from '../cost.ts'
import { Worker } from '../crew.ts'
import type { RunningClient } from '../rounds.ts'
import type { Job } from './contract.ts'
import type { CrowdJob } from './crowd-worker.ts'

const pathOf = (file: string) => fileURLToPath(new URL(file, import.meta.url))

export const CLIENTS = ['holster', 'bare'] as const
export type ClientName = (typeof CLIENTS)[number]

/** `servers` says where the NATS server is, if messages travel by it. */
export function startClient(name: ClientName, servers?: string): RunningClient<Job> {
  const args = servers === undefined ? [] : [servers]
  const worker = Worker.onNode(pathOf('worker.js'), `${name}-client`, ...args)
  return { run: job => worker.ask<Cost>(job), [Symbol.dispose]: () => worker[Symbol.dispose]() }
}

/** Starts a client with so many WebSockets in so many worker threads, or with none in its only thread. */
export function startCrowd(threads: number, url: string, connections: number): RunningClient<CrowdJob> {
  const worker = Worker.onNode(pathOf('crowd-worker.js'), String(threads), url, String(connections))
  return { run: job => worker.ask<Cost>(job), [Symbol.dispose]: () => worker[Symbol.dispose]() }
}

/** A NATS server on a port that the system has chosen. */
export class NatsServer implements Disposable {
  readonly servers: string
  readonly #child: ChildProcess
  readonly #folder: string

  private constructor(child: ChildProcess, folder: string, servers: string) {
    this.#child = child
    this.#folder = folder
    this.servers = servers
  }

  /** Starts a server; `undefined` if none is installed. */
  static async start(): Promise<NatsServer | undefined> {
    // Not everybody's PATH has the folder of servers.
    const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin']
    const program = folders.map(folder => join(folder, 'nats-server')).find(path => existsSync(path))
    if (program === undefined) return undefined
    const folder = mkdtempSync(join(tmpdir(), 'holster-bench-'))
    const child = spawn(program, ['-a', '127.0.0.1', '-p', '-1', '--ports_file_dir', folder], {
      stdio: 'ignore',
    })
    // The server writes down its port when it listens.
    while (readdirSync(folder).length === 0) await passed(10)
    const [file = ''] = readdirSync(folder)
    const { nats } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as {
      readonly nats: readonly string[]
    }
    return new NatsServer(child, folder, nats[0] ?? '')
  }

  [Symbol.dispose](): void {
    this.#child.kill()
    rmSync(this.#folder, { recursive: true })
  }
}
