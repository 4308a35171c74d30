// Servers that are not ours and not Node's, as Debian packages them: each test starts its own and ends it.

import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import type { Writable } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { certificates } from './certificates.ts'

export type Program = 'haproxy' | 'nghttpx' | 'nghttpd' | 'nginx' | 'apache2' | 'h2o'
export type Transport = 'tcp' | 'tls'

const HOST = '127.0.0.1'

// Not everybody's PATH has the folder of servers.
const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin']

const pathOf = (program: Program): string | undefined =>
  folders.map(folder => join(folder, program)).find(path => existsSync(path))

/** The options of a test that needs a program. */
export function needing(program: Program): { skip: string | false } {
  return { skip: pathOf(program) === undefined && `${program} is not installed` }
}

export interface DebianServer extends AsyncDisposable {
  readonly host: string
  readonly port: number
  /** Asks the program to do what a signal means to it. */
  signal(name: NodeJS.Signals): void
  /** Resolves when it has ended, whoever has ended it. */
  readonly ended: Promise<void>
}

/** What is in a folder of its own, where the program has it for as long as it runs. */
interface Files {
  readonly folder: string
  readonly key: string
  readonly cert: string
  /** Both in one, as haproxy wants it. */
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

interface Start {
  readonly program: Program
  /** The arguments of the program; it may write more files. */
  readonly args: (port: number, files: Files) => Promise<readonly string[]> | readonly string[]
  /** A file that the program writes once it serves, where it listens for a moment before that. */
  readonly sign?: string
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
function guardGroup({ pid = 0 }: ChildProcess): ChildProcessByStdio<Writable, null, null> {
  const script = `cat; kill -s KILL -- -${pid}`
  return spawn('sh', ['-c', script], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] })
}

async function start({ program, args, sign }: Start): Promise<DebianServer> {
  const path = pathOf(program) ?? program
  const files = await makeFiles()
  let said = ''
  // A port may be taken by somebody else before the program comes to it.
  for (let attempt = 0; attempt < 5; attempt++) {
    // Below those that the system gives to all who ask for any, as other tests do all the time.
    const port = randomInt(15_000, 32_000)
    // The leader of a group of its own, so that what it starts can be ended with it.
    const stdio = ['ignore', 'ignore', 'pipe'] as const
    const child = spawn(path, await args(port, files), { detached: true, stdio: [...stdio] })
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk
    })
    // Also of what it has started, which holds its end of the pipe.
    const guard = guardGroup(child)
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

export interface ProxyOptions {
  readonly transport: Transport
  /** Where HTTP/1.1 is spoken. */
  readonly backendPort: number
  readonly maxConcurrentStreams?: number
  /** Clients get HTTP/1.1 only. */
  readonly isOld?: boolean
}

export function haproxy(options: ProxyOptions): Promise<DebianServer> {
  const { transport, backendPort, maxConcurrentStreams = 100, isOld = false } = options
  return start({
    program: 'haproxy',
    async args(port, { folder, pem }) {
      const tls = transport === 'tls' ? `ssl crt ${pem} alpn ${isOld ? 'http/1.1' : 'h2'}` : ''
      const config = `
global
  tune.h2.max-concurrent-streams ${maxConcurrentStreams}
defaults
  mode http
  option abortonclose
  timeout connect 10s
  timeout client 60s
  timeout server 60s
frontend clients
  bind ${HOST}:${port} proto ${isOld ? 'h1' : 'h2'} ${tls}
  default_backend servers
backend servers
  server one ${HOST}:${backendPort}
`
      const path = join(folder, 'haproxy.cfg')
      await writeFile(path, config)
      return ['-db', '-f', path]
    },
  })
}

export function nghttpx(options: ProxyOptions): Promise<DebianServer> {
  const { transport, backendPort, maxConcurrentStreams = 100, isOld = false } = options
  return start({
    program: 'nghttpx',
    args: (port, { key, cert }) => [
      '--conf=/dev/null',
      '--workers=1',
      '--no-ocsp',
      `--npn-list=${isOld ? 'http/1.1' : 'h2'}`,
      `--frontend-http2-max-concurrent-streams=${maxConcurrentStreams}`,
      `--backend=${HOST},${backendPort}`,
      `--frontend=${HOST},${port}${transport === 'tls' ? '' : ';no-tls'}`,
      ...(transport === 'tls' ? [key, cert] : []),
    ],
  })
}

export interface NghttpdOptions {
  readonly transport: Transport
  /** What is served, by its path. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>
  readonly args?: readonly string[]
}

export function nghttpd(options: NghttpdOptions): Promise<DebianServer> {
  const { transport, files: served = {}, args = [] } = options
  return start({
    program: 'nghttpd',
    async args(port, { folder, key, cert }) {
      for (const [name, content] of Object.entries(served)) await writeFile(join(folder, name), content)
      return [
        `--address=${HOST}`,
        `--htdocs=${folder}`,
        ...args,
        ...(transport === 'tls' ? [String(port), key, cert] : ['--no-tls', String(port)]),
      ]
    },
  })
}

export interface WebServerOptions {
  readonly transport: Transport
  /** The server of HTTP/1.1 to which the paths below `/echo` go. */
  readonly backendPort: number
  /** What is served, by its path. */
  readonly files: Readonly<Record<string, string | Uint8Array>>
  readonly maxConcurrentStreams?: number
}

/** Writes what is served into a folder of its own, which every user may read, and returns its path. */
async function serve({ folder }: Files, { files }: WebServerOptions): Promise<string> {
  const root = join(folder, 'root')
  await chmod(folder, 0o755)
  await mkdir(root, { recursive: true })
  for (const [name, content] of Object.entries(files)) await writeFile(join(root, name), content)
  return root
}

export function nginx(options: WebServerOptions): Promise<DebianServer> {
  const { transport, backendPort, maxConcurrentStreams = 128 } = options
  return start({
    program: 'nginx',
    async args(port, files) {
      const { folder, key, cert } = files
      const root = await serve(files, options)
      const user = process.getuid?.() === 0 ? 'user root;' : ''
      const config = `
${user}
daemon off;
worker_processes 1;
pid ${folder}/pid;
error_log stderr crit;
events {}
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  client_max_body_size 0;
  http2_max_concurrent_streams ${maxConcurrentStreams};
  server {
    listen ${HOST}:${port} http2${transport === 'tls' ? ' ssl' : ''};
    ssl_certificate ${cert};
    ssl_certificate_key ${key};
    root ${root};
    location /echo {
      proxy_pass http://${HOST}:${backendPort};
      proxy_http_version 1.1;
    }
  }
}
`
      const path = join(folder, 'nginx.conf')
      await writeFile(path, config)
      return ['-c', path, '-p', folder]
    },
  })
}

export function apache(options: WebServerOptions): Promise<DebianServer> {
  const { transport, backendPort, maxConcurrentStreams = 100 } = options
  const modules = ['mpm_event', 'authz_core', 'http2', 'ssl', 'proxy', 'proxy_http']
  return start({
    program: 'apache2',
    sign: 'pid',
    async args(port, files) {
      const { folder, key, cert } = files
      const root = await serve(files, options)
      const config = `
ServerRoot ${folder}
ServerName localhost
PidFile ${folder}/pid
ErrorLog ${folder}/error
LogLevel crit
${modules.map(name => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`).join('\n')}
Listen ${HOST}:${port}
Protocols ${transport === 'tls' ? 'h2' : 'h2c'}
H2Direct on
H2MaxSessionStreams ${maxConcurrentStreams}
${transport === 'tls' ? `SSLEngine on\nSSLCertificateFile ${cert}\nSSLCertificateKeyFile ${key}` : ''}
DocumentRoot ${root}
<Directory ${root}>
  Require all granted
</Directory>
ProxyPass /echo http://${HOST}:${backendPort}/echo
`
      const path = join(folder, 'apache.conf')
      await writeFile(path, config)
      return ['-f', path, '-D', 'FOREGROUND']
    },
  })
}

export function h2o(options: WebServerOptions): Promise<DebianServer> {
  const { transport, backendPort, maxConcurrentStreams = 100 } = options
  return start({
    program: 'h2o',
    async args(port, files) {
      const { folder, key, cert } = files
      const root = await serve(files, options)
      const ssl = transport === 'tls' ? `\n  ssl:\n    key-file: ${key}\n    certificate-file: ${cert}` : ''
      const user = process.getuid?.() === 0 ? 'user: root\n' : ''
      const config = `${user}num-threads: 1
listen:
  host: ${HOST}
  port: ${port}${ssl}
http2-max-concurrent-requests-per-connection: ${maxConcurrentStreams}
hosts:
  default:
    paths:
      /echo:
        proxy.reverse.url: http://${HOST}:${backendPort}/echo
      /:
        file.dir: ${root}
`
      const path = join(folder, 'h2o.conf')
      await writeFile(path, config)
      return ['-c', path]
    },
  })
}
