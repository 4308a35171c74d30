// Programs that Debian packages, as servers of a test: each test starts its own and ends it.

import { type ChildProcess, type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chown, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import net from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { delimiter, join } from 'node:path'
import type { Writable } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { certificates } from '@holster/testing'

export type Program =
  | 'haproxy'
  | 'nghttpx'
  | 'nghttpd'
  | 'nginx'
  | 'apache2'
  | 'h2o'
  | 'squid'
  | 'tinyproxy'
  | 'danted'
  | 'microsocks'
  | 'sshd'
  | 'ssh'
  | 'nats-server'

export const HOST = '127.0.0.1'

// Not everybody's PATH has the folder of servers.
const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin']

/** The path of a program; none where it is not installed. */
export const pathOf = (program: Program): string | undefined =>
  folders.map(folder => join(folder, program)).find(path => existsSync(path))

/** The options of a test that needs programs. */
export function needing(...programs: Program[]): { skip: string | false } {
  const missing = programs.find(program => pathOf(program) === undefined)
  return { skip: missing !== undefined && `${missing} is not installed` }
}

/** The words of a program about its version; none where the program is not installed. */
export function versionOf(program: Program, option: string): string {
  const path = pathOf(program)
  return path === undefined ? '' : spawnSync(path, [option], { encoding: 'utf8' }).stdout
}

/** Debian's user without privileges: whom a program runs as that must not, or need not, be root's. */
const PROXY = { uid: 13, gid: 13 } as const
const isRoot = process.getuid?.() === 0

/** The name of the user that an unprivileged program runs as. */
export const userName = (): string => (isRoot ? 'proxy' : userInfo().username)

export interface DebianServer extends AsyncDisposable {
  readonly host: string
  readonly port: number
  /** Asks the program to do what a signal means to it. */
  signal(name: NodeJS.Signals): void
  /** Resolves when the program has ended, for whatever reason. */
  readonly ended: Promise<void>
}

/** The files that a program has in a folder of its own for as long as it runs. */
export interface Files {
  readonly folder: string
  readonly key: string
  readonly cert: string
  /** The key and the certificate in one file, as haproxy wants them. */
  readonly pem: string
}

async function makeFiles(): Promise<Files> {
  const folder = await mkdtemp(join(tmpdir(), 'holster-'))
  const { key, cert } = certificates.server
  const files = { folder, key: join(folder, 'key'), cert: join(folder, 'cert'), pem: join(folder, 'pem') }
  await writeFile(files.key, key)
  await writeFile(files.cert, cert)
  await writeFile(files.pem, `${cert}${key}`)
  return files
}

export interface Start {
  readonly program: Program
  /** The arguments of the program; it may write more files. */
  readonly args: (port: number, files: Files) => Promise<readonly string[]> | readonly string[]
  /** A file that the program writes once it serves, where it listens for a moment before that. */
  readonly sign?: string
  /** Whether the program runs as a user without privileges, also where the tests run as root. Default: false. */
  readonly isUnprivileged?: boolean
  /** Where the program leaves files outside its folder, as a pattern of the shell. */
  readonly leaves?: (port: number) => string
}

const isOver = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode !== null || signalCode !== null

/** Whether a program has come to listen; if not it has ended. */
async function listens(child: ChildProcess, port: number, sign: string | undefined): Promise<boolean> {
  while (sign !== undefined && !existsSync(sign) && !isOver(child)) await turn()
  while (!isOver(child)) {
    const socket = net.connect(port, HOST)
    try {
      await once(socket, 'connect')
      return !isOver(child)
    } catch {
      await turn()
    } finally {
      socket.destroy()
    }
  }
  return false
}

/**
 * Starts what ends the whole group of a program, once its pipe is closed: by the test, or by the system if the process
 * of the test is itself ended in a way that lets it do nothing more.
 */
function guardGroup({ pid = 0 }: ChildProcess, leaves: string): ChildProcessByStdio<Writable, null, null> {
  const script = `cat; kill -s KILL -- -${pid}; rm -f ${leaves}`
  return spawn('sh', ['-c', script], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] })
}

/** Gives a folder and what is in it to the user without privileges. */
async function handOver(folder: string): Promise<void> {
  const paths = [folder, ...(await readdir(folder)).map(name => join(folder, name))]
  for (const path of paths) await chown(path, PROXY.uid, PROXY.gid)
}

export async function start(how: Start): Promise<DebianServer> {
  const { program, args, sign, isUnprivileged = false, leaves } = how
  const path = pathOf(program) ?? program
  const user = isUnprivileged && isRoot ? PROXY : {}
  const files = await makeFiles()
  let said = ''
  // A port may be taken by somebody else before the program comes to it.
  for (let attempt = 0; attempt < 5; attempt++) {
    // Below those that the system gives to all who ask for any, as other tests do all the time.
    const port = randomInt(15_000, 32_000)
    // The leader of a group of its own, so that what it starts can be ended with it.
    const stdio = ['ignore', 'ignore', 'pipe'] as const
    const all = await args(port, files)
    if (isUnprivileged && isRoot) await handOver(files.folder)
    const env = { ...process.env, HOME: files.folder, TMPDIR: files.folder }
    const child = spawn(path, all, { detached: true, stdio: [...stdio], env, ...user })
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk
    })
    // Also of what it has started, which holds its end of the pipe.
    const guard = guardGroup(child, leaves?.(port) ?? '')
    const guarded = once(guard, 'close')
    const ended = once(child, 'close').then(async () => {
      guard.stdin.end()
      await guarded
    })
    if (!(await listens(child, port, sign && join(files.folder, sign)))) {
      await ended
      continue
    }
    return {
      host: HOST,
      port,
      ended,
      signal: name => {
        child.kill(name)
      },
      async [Symbol.asyncDispose]() {
        guard.stdin.end()
        await ended
        await rm(files.folder, { recursive: true })
      },
    }
  }
  await rm(files.folder, { recursive: true })
  throw new Error(`${program} does not start: ${said}`)
}
