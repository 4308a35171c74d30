/** Describes a request by the names and values of OpenTelemetry's conventions for HTTP clients. */

import {
  type Headers,
  info,
  type ProtocolName,
  type RequestCreateEvent,
  type StreamRef,
  streamInfo,
} from '@holster/gun'
import { isSecretName } from '@holster/process/internal'
import type { Attributes } from '@opentelemetry/api'

/** The other end of a request, as far as it is known. */
export interface Server {
  readonly scheme: 'http' | 'https' | undefined
  readonly address: string | undefined
  readonly port: number | undefined
  readonly protocol: ProtocolName | 'ws' | undefined
}

const UNKNOWN: Server = { scheme: undefined, address: undefined, port: undefined, protocol: undefined }

/** The methods that are told as they are (RFC 9110, and PATCH of RFC 5789). */
const METHODS = new Set(['CONNECT', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'TRACE'])

/** Parameters of signed URLs that the conventions name, which no other rule would find. */
const SIGNATURES = new Set(['sig', 'awsaccesskeyid', 'x-goog-signature'])
const REDACTED = 'REDACTED'

/** The name of a span: the method, or `HTTP` for one that is not known. */
export function spanNameOf(method: string): string {
  return METHODS.has(method) ? method : 'HTTP'
}

/** Gives the attributes of a method. */
export function methodAttributes(method: string): Attributes {
  if (METHODS.has(method)) return { 'http.request.method': method }
  return { 'http.request.method': '_OTHER', 'http.request.method_original': method }
}

/** Gives the attributes of the other end that metrics have too. */
export function serverAttributes({ scheme, address, port }: Server): Attributes {
  return {
    ...(address !== undefined && { 'server.address': address }),
    ...(port !== undefined && { 'server.port': port }),
    ...(scheme !== undefined && { 'url.scheme': scheme }),
  }
}

/** Gives the attributes of the protocol. */
export function protocolAttributes(protocol: Server['protocol']): Attributes {
  if (protocol !== 'http' && protocol !== 'http2') return {}
  return { 'network.protocol.name': 'http', 'network.protocol.version': protocol === 'http' ? '1.1' : '2' }
}

/** Looks for the other end of a request: that of its tunnel, of its connection, or the one that its header names. */
export function serverOf({
  connPid,
  tunnel,
  headers,
}: Pick<RequestCreateEvent, 'connPid' | 'tunnel' | 'headers'>): Server {
  if (connPid === undefined) return serverNamed(headers)
  try {
    if (tunnel === undefined) return endOf(info(connPid))
    const end = streamInfo(connPid, tunnel)?.tunnel
    return end === undefined ? UNKNOWN : endOf(end)
  } catch {
    // A connection of another node, or one that is not up and has no tunnels.
    return UNKNOWN
  }
}

interface End {
  readonly transport: 'tcp' | 'tls'
  readonly originHost: string
  readonly originPort: number
  readonly protocol: Server['protocol']
}

function endOf({ transport, originHost: address, originPort: port, protocol }: End): Server {
  return { scheme: transport === 'tls' ? 'https' : 'http', address, port, protocol }
}

/** Takes the other end from the header `host`, which requests of pools have. */
function serverNamed(headers: Headers): Server {
  const host = headers.find(([name]) => name === 'host')?.[1]
  const [, address, port] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(host ?? '') ?? []
  if (address === undefined || address === '') return UNKNOWN
  return {
    ...UNKNOWN,
    address: address.replace(/^\[|\]$/g, ''),
    ...(port !== undefined && { port: Number(port) }),
  }
}

/** Gives the host and port of a request as they stand in its URL; `undefined` where they are not known. */
export function authorityOf({ scheme, address, port }: Server, headers: Headers): string | undefined {
  const host = headers.find(([name]) => name === 'host')?.[1]
  if (host !== undefined || address === undefined) return host
  const name = address.includes(':') ? `[${address}]` : address
  return port === undefined || port === (scheme === 'https' ? 443 : 80) ? name : `${name}:${port}`
}

/** Makes the URL of a request, without credentials and without the values of secret parameters. */
export function urlOf(scheme: string, authority: string, path: string): string {
  const isWhole = /^https?:\/\//i.test(path)
  const whole = isWhole ? path : `${scheme}://${authority}${path === '*' ? '' : path}`
  const [withoutHash = ''] = whole.split('#', 1)
  const at = withoutHash.indexOf('?')
  const [place, query] = at === -1 ? [withoutHash, ''] : [withoutHash.slice(0, at), withoutHash.slice(at)]
  return place.replace(/^([a-z]+:\/\/)[^/]*@/i, `$1${REDACTED}:${REDACTED}@`) + withoutSecrets(query)
}

function withoutSecrets(query: string): string {
  return query.replace(/([?&])([^=&]+)=[^&]*/g, (all, mark, name) => {
    return isSecret(name) ? `${mark}${name}=${REDACTED}` : all
  })
}

function isSecret(name: string): boolean {
  let text = name
  try {
    text = decodeURIComponent(name)
  } catch {
    // The name is shown as it is.
  }
  return SIGNATURES.has(text.toLowerCase()) || isSecretName(text)
}

/** Whether a stream may still go on, so that an error of it has answered a command and not ended it. */
export function goesOn({
  connPid,
  streamRef,
}: {
  connPid: Parameters<typeof info>[0]
  streamRef: StreamRef
}): boolean {
  try {
    return streamInfo(connPid, streamRef) !== undefined
  } catch {
    return false
  }
}
