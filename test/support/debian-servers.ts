// Servers that are not ours and not Node's, as Debian packages them: of files, and proxies in front of other servers.

import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type DebianServer, type Files, HOST, start } from './debian-programs.ts'

export { type DebianServer, needing, type Program, versionOf } from './debian-programs.ts'

export type Transport = 'tcp' | 'tls'

export interface ProxyOptions {
  readonly transport: Transport
  /** Where HTTP/1.1 is spoken. */
  readonly backendPort: number
  readonly maxConcurrentStreams?: number
  /** Clients get HTTP/1.1 only. */
  readonly isOld?: boolean
  /** Whether what is behind nghttpx is a proxy that it sends a CONNECT to; haproxy always does. Default: false. */
  readonly isForward?: boolean
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
  const { transport, backendPort, maxConcurrentStreams = 100, isOld = false, isForward = false } = options
  return start({
    program: 'nghttpx',
    args: (port, { key, cert }) => [
      '--conf=/dev/null',
      '--workers=1',
      '--no-ocsp',
      ...(isForward ? ['--http2-proxy'] : []),
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
