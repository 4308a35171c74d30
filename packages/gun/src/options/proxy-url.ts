/** The URL of a proxy, read; a wrong one is told without any part of it, which may be a password. */

import { isBasicName, isPassword, isSocksText } from './credentials.js'
import { type HostForms, isHost, parseHost } from './host.js'

/** The parts of a proxy's URL. */
export interface ProxyUrl {
  readonly type: 'http' | 'socks'
  /** The transport to the proxy itself. */
  readonly transport: 'tcp' | 'tls'
  readonly host: HostForms
  readonly port: number
  /** Whether the name of the next host is looked up on this side or by the proxy. */
  readonly resolves: 'here' | 'there'
  /** The user's name and password, decoded; a proxy has either both or neither. */
  readonly username: string | undefined
  readonly password: string | undefined
  /** The scheme, host and port: `http://proxy:3128`. */
  readonly name: string
}

const SCHEMES = {
  'http:': { type: 'http', transport: 'tcp', port: 80, resolves: 'there' },
  'https:': { type: 'http', transport: 'tls', port: 443, resolves: 'there' },
  'socks5:': { type: 'socks', transport: 'tcp', port: 1080, resolves: 'here' },
  'socks5h:': { type: 'socks', transport: 'tcp', port: 1080, resolves: 'there' },
} as const

/** Returns the parts of the URL, or part of a sentence that says how it is wrong. */
export function readProxyUrl(given: unknown): ProxyUrl | string {
  const url = urlOf(given)
  if (url === undefined) return 'must be the URL of a proxy, for example http://proxy:3128'
  const scheme = Object.hasOwn(SCHEMES, url.protocol)
    ? SCHEMES[url.protocol as keyof typeof SCHEMES]
    : undefined
  if (scheme === undefined) return 'must begin with http:, https:, socks5: or socks5h:'
  if (!/^\/?$/.test(url.pathname) || url.search !== '' || url.hash !== '') {
    return 'must end behind the host and its port; in a name or a password /, ? and # are written as %2F, %3F and %23'
  }
  const host = hostOf(url)
  if (host === undefined) return "must have a proxy's host, for example http://proxy:3128"
  const port = url.port === '' ? scheme.port : Number(url.port)
  if (port === 0) return 'must have a port from 1 to 65535'
  const user = readUser(url, scheme.type)
  if (typeof user === 'string') return user
  const name = `${url.protocol}//${host.uriHost}:${port}`
  return { ...scheme, host, port, ...user, name }
}

function urlOf(given: unknown): URL | undefined {
  if (given instanceof URL) return given
  return typeof given === 'string' && URL.canParse(given) ? new URL(given) : undefined
}

/** Returns the host in the same form whatever the scheme; URL parsing leaves the host of `socks5:` as it is written. */
function hostOf({ host }: URL): HostForms | undefined {
  if (host === '' || !URL.canParse(`http://${host}`)) return undefined
  const name = new URL(`http://${host}`).hostname.replace(/^\[|\]$/g, '')
  return isHost(name) ? parseHost(name) : undefined
}

function readUser(url: URL, type: ProxyUrl['type']): Pick<ProxyUrl, 'username' | 'password'> | string {
  if (url.username === '' && url.password === '') return { username: undefined, password: undefined }
  const username = decode(url.username)
  const password = decode(url.password)
  if (username === undefined || password === undefined) {
    return 'must have its name and password in UTF-8, percent-encoded'
  }
  if (!isPassword(username) || !isPassword(password)) {
    return 'must have no control character in its name and password'
  }
  if (type === 'http' && !isBasicName(username)) return 'must have no colon in its name'
  if (type === 'socks' && !(isSocksText(username) && isSocksText(password))) {
    return 'must have a name and a password of 1 to 255 bytes each, or neither'
  }
  return { username, password }
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
