// A NATS server of a test's own.

import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as passed } from 'node:timers/promises'
import { needing, pathOf } from '../../../../test/support/debian-programs.ts'
import { type Guarded, guarded } from './guarded.ts'

/** The options of a test that needs a NATS server. */
export const needingNats = needing('nats-server')

/** How a server is started. */
export interface ServerOptions {
  /** The configuration of the server, beside where it listens. */
  readonly config?: string
}

/** A server, which has the same port for as long as the test runs. */
export interface NatsServer extends AsyncDisposable {
  readonly url: string
  readonly port: number
  /** Stops the time of the server, whose sockets stay open. */
  pause(): void
  resume(): void
  /** Ends the server without a word to its clients. */
  kill(): Promise<void>
  /** Starts it again after `kill`. */
  restart(): Promise<void>
  /** Has the running server take another configuration. */
  reload(config: string): Promise<void>
}

/** Starts a server on a port that the system chooses. */
export async function natsServer({ config = '' }: ServerOptions = {}): Promise<NatsServer> {
  const folder = await mkdtemp(join(tmpdir(), 'holster-nats-'))
  const file = join(folder, 'nats.conf')
  await writeFile(file, config)
  let running = start(folder, file, -1)
  const port = await portOf(folder, running)
  return {
    port,
    url: `127.0.0.1:${port}`,
    pause: () => void running.child.kill('SIGSTOP'),
    resume: () => void running.child.kill('SIGCONT'),
    kill: () => running.kill(),
    async restart() {
      running = start(folder, file, port)
      await portOf(folder, running)
    },
    async reload(next) {
      await writeFile(file, next)
      running.child.kill('SIGHUP')
    },
    async [Symbol.asyncDispose]() {
      await running.kill()
      await rm(folder, { recursive: true })
    },
  }
}

function start(folder: string, file: string, port: number): Guarded {
  const args = ['--addr', '127.0.0.1', '--port', String(port), '--config', file, '--ports_file_dir', folder]
  return guarded(pathOf('nats-server') ?? 'nats-server', args, { stdio: 'ignore' })
}

/** Resolves to the port once the server listens, which is when it has written its file of ports. */
async function portOf(folder: string, { child, ended }: Guarded): Promise<number> {
  let hasEnded = false
  void ended.then(() => {
    hasEnded = true
  })
  for (;;) {
    if (hasEnded) throw new Error(`nats-server has ended with ${await ended} instead of listening`)
    const name = (await readdir(folder)).find(each => each.endsWith(`_${child.pid}.ports`))
    const text = name === undefined ? '' : await readFile(join(folder, name), 'utf8')
    // The file may be there before its content is.
    const [, port] = /(?:nats|tls):\/\/[^"]*:(\d+)"/.exec(text) ?? []
    if (port !== undefined) return Number(port)
    await passed(5)
  }
}
