// Forward proxies and servers of SOCKS5 as Debian packages them, none of which needs root or writes outside its own folder.

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type DebianServer, HOST, needing, start, userName } from './debian-programs.ts'
import { succeed } from './program.ts'

export { type DebianServer, needing } from './debian-programs.ts'

export interface Credentials {
  readonly username: string
  readonly password: string
}

export interface ForwardOptions {
  /** The only user of the proxy. Default: everybody may use it. */
  readonly auth?: Credentials
}

export interface SecureForwardOptions extends ForwardOptions {
  /** Default: tcp. */
  readonly transport?: 'tcp' | 'tls'
}

/** CONNECT over HTTP/1.1, with `Basic` where it has `auth`. */
export function squid({ transport = 'tcp', auth }: SecureForwardOptions = {}): Promise<DebianServer> {
  return start({
    program: 'squid',
    isUnprivileged: true,
    leaves: port => `/dev/shm/holster${port}-*`,
    async args(port, { folder, key, cert }) {
      const helper = join(folder, 'auth')
      const login = auth === undefined ? '' : `${auth.username} ${auth.password}`
      const script = `while read -r login; do [ "$login" = '${login}' ] && echo OK || echo ERR; done`
      const basic = `
auth_param basic program /bin/sh ${helper}
auth_param basic children 1 startup=1
auth_param basic realm holster
acl known proxy_auth REQUIRED
http_access allow known
http_access deny all`
      const config = `
${transport === 'tls' ? `https_port ${HOST}:${port} tls-cert=${cert} tls-key=${key}` : `http_port ${HOST}:${port}`}
visible_hostname localhost
pid_filename none
cache_log ${folder}/log
access_log none
cache_store_log none
netdb_filename none
coredump_dir ${folder}
cache deny all
pinger_enable off
shutdown_lifetime 0 seconds
${auth === undefined ? 'http_access allow all' : basic}
`
      const path = join(folder, 'squid.conf')
      await writeFile(helper, script)
      await writeFile(path, config)
      return ['-N', '-n', `holster${port}`, '-f', path]
    },
  })
}

/** CONNECT over HTTP/1.1, with `Basic` where it has `auth`. */
export function tinyproxy({ auth }: ForwardOptions = {}): Promise<DebianServer> {
  return start({
    program: 'tinyproxy',
    isUnprivileged: true,
    async args(port, { folder }) {
      const config = `
Listen ${HOST}
Port ${port}
Timeout 600
LogFile "${folder}/log"
LogLevel Critical
${auth === undefined ? '' : `BasicAuth ${auth.username} ${auth.password}`}
`
      const path = join(folder, 'tinyproxy.conf')
      await writeFile(path, config)
      return ['-d', '-c', path]
    },
  })
}

/** CONNECT over HTTP/1.1, with `Basic` where it has `auth`. */
export function apacheProxy({ transport = 'tcp', auth }: SecureForwardOptions = {}): Promise<DebianServer> {
  const modules = ['mpm_event', 'authz_core', 'authz_user', 'authn_core', 'authn_file', 'auth_basic']
  modules.push('ssl', 'proxy', 'proxy_connect')
  return start({
    program: 'apache2',
    sign: 'pid',
    isUnprivileged: true,
    async args(port, { folder, key, cert }) {
      const hash = createHash('sha1')
        .update(auth?.password ?? '')
        .digest('base64')
      const basic = `AuthType Basic\nAuthName holster\nAuthUserFile ${folder}/users\nRequire valid-user`
      const config = `
ServerRoot ${folder}
ServerName localhost
PidFile ${folder}/pid
ErrorLog ${folder}/error
LogLevel crit
${modules.map(name => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`).join('\n')}
Listen ${HOST}:${port}
${transport === 'tls' ? `SSLEngine on\nSSLCertificateFile ${cert}\nSSLCertificateKeyFile ${key}` : ''}
ProxyRequests On
AllowCONNECT 1-65535
<Proxy *>
${auth === undefined ? 'Require all granted' : basic}
</Proxy>
`
      const path = join(folder, 'apache.conf')
      await writeFile(join(folder, 'users'), `${auth?.username}:{SHA}${hash}\n`)
      await writeFile(path, config)
      return ['-f', path, '-D', 'FOREGROUND']
    },
  })
}

/** SOCKS5 for everybody; its names and passwords would be those of the system. */
export function danted(): Promise<DebianServer> {
  return start({
    program: 'danted',
    isUnprivileged: true,
    async args(port, { folder }) {
      const config = `
logoutput: ${folder}/log
internal: ${HOST} port = ${port}
external: ${HOST}
socksmethod: none
clientmethod: none
user.privileged: ${userName()}
user.unprivileged: ${userName()}
client pass { from: 0.0.0.0/0 to: 0.0.0.0/0 }
socks pass { from: 0.0.0.0/0 to: 0.0.0.0/0 }
`
      const path = join(folder, 'danted.conf')
      await writeFile(path, config)
      return ['-f', path, '-p', join(folder, 'pid')]
    },
  })
}

/** SOCKS5, with a name and a password where it has `auth`. */
export function microsocks({ auth }: ForwardOptions = {}): Promise<DebianServer> {
  return start({
    program: 'microsocks',
    isUnprivileged: true,
    args: port => [
      ...['-i', HOST, '-p', String(port)],
      ...(auth === undefined ? [] : ['-u', auth.username, '-P', auth.password]),
    ],
  })
}

/** The options of a test that needs `ssh`: the user it runs as must be one that can log in. */
export function needingSsh(): { skip: string | false } {
  const { skip } = needing('ssh', 'sshd')
  const isKnown = readFileSync('/etc/passwd', 'latin1').includes(`\n${userName()}:`)
  return { skip: skip || (!isKnown && `there is no user ${userName()}`) }
}

/** SOCKS5 of `ssh -D`, whose other end is an sshd of its own; with keys that are thrown away. */
export async function ssh(): Promise<DebianServer> {
  let folder = ''
  const common = { isUnprivileged: true } as const
  const server = await start({
    ...common,
    program: 'sshd',
    async args(port, files) {
      folder = files.folder
      const config = `
ListenAddress ${HOST}
Port ${port}
HostKey ${folder}/host
PidFile none
AuthorizedKeysFile ${folder}/user.pub
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitTTY no
LogLevel ERROR
`
      await writeFile(join(folder, 'sshd.conf'), config)
      for (const name of ['host', 'user']) {
        const path = join(folder, name)
        await succeed('sh', ['-c', `[ -e ${path} ] || ssh-keygen -q -t ed25519 -N '' -C holster -f ${path}`])
      }
      return ['-D', '-e', '-f', join(folder, 'sshd.conf')]
    },
  })
  try {
    const client = await start({
      ...common,
      program: 'ssh',
      args: port => {
        const options = {
          IdentitiesOnly: 'yes',
          IdentityAgent: 'none',
          UserKnownHostsFile: '/dev/null',
          GlobalKnownHostsFile: '/dev/null',
          StrictHostKeyChecking: 'no',
          BatchMode: 'yes',
          ExitOnForwardFailure: 'yes',
          LogLevel: 'ERROR',
        }
        return [
          ...['-F', '/dev/null', '-N', '-D', `${HOST}:${port}`],
          ...['-i', join(folder, 'user'), '-p', String(server.port)],
          ...Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]),
          `${userName()}@${HOST}`,
        ]
      },
    })
    return {
      ...client,
      async [Symbol.asyncDispose]() {
        await client[Symbol.asyncDispose]()
        await server[Symbol.asyncDispose]()
      },
    }
  } catch (error) {
    await server[Symbol.asyncDispose]()
    throw error
  }
}
