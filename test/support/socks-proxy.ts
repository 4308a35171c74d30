// A server of SOCKS5 (RFC 1928) with names and passwords (RFC 1929), which leads to where it is asked to unless a test decides otherwise.

import net from 'node:net'
import type tls from 'node:tls'
import type { Peer } from '@holster/testing'
import { origin } from './origin.ts'
import {
  createLedger,
  type LeadsTo,
  type Ledger,
  type LedgerOptions,
  resetLater,
  type Side,
  type TunnelProxy,
  type TunnelRequest,
} from './tunnel-ledger.ts'

/** A CONNECT of SOCKS5. */
export interface SocksRequest extends TunnelRequest {
  /** How the host was written. */
  readonly form: 'ipv4' | 'ipv6' | 'name'
  /** The methods that were offered before it. */
  readonly methods: readonly number[]
  readonly username?: string
  readonly password?: string
  /** All bytes that the client has sent up to its end. */
  readonly bytes: Buffer
}

/** A reply; with the code 0 the tunnel is open behind it. */
export interface SocksReply {
  /** Default: 0, or 5 (refused) where nobody listens. */
  readonly code?: number
  /** The address that is named as bound. Default: 0.0.0.0. */
  readonly host?: string
  readonly port?: number
  /** Bytes of the tunnel that are sent in one write with the reply. */
  readonly glued?: string | Uint8Array
  /** Where the tunnel leads in place of where it was asked for. */
  readonly leadsTo?: LeadsTo
}

/** Exact bytes are all that is sent; `closeTunnel` and `resetTunnel` end what they have begun. */
export type SocksAnswer = SocksReply | SocksStep
export type SocksStep = 'stall' | 'reset' | Uint8Array

export interface SocksProxyOptions extends LedgerOptions<SocksRequest, SocksAnswer> {
  /** Default: tcp. */
  readonly transport?: 'tcp' | 'tls'
  /** Goes over the default `certificates.server`. */
  readonly tls?: tls.TlsOptions
  /** Default: none. */
  readonly auth?: 'none' | { readonly username: string; readonly password: string }
  /** In place of the choice of a method; nothing comes behind it. */
  readonly method?: SocksStep
  /** In place of the answer to a name and a password; nothing comes behind it. */
  readonly login?: SocksStep
  /** How each answer is cut. Default: not at all. */
  readonly delivery?: 'whole' | 'bytes'
}

export interface SocksProxy extends TunnelProxy<SocksRequest> {
  /** The methods that each connection has offered. */
  readonly offers: readonly (readonly number[])[]
}

const NONE = 0
const USERNAME_PASSWORD = 2
const NO_METHOD = 0xff
const REFUSED = 5
const BAD_COMMAND = 7

const forms = { ipv4: 1, name: 3, ipv6: 4 } as const

/** The bytes of a reply. */
export function socksReply({ code = 0, host = '0.0.0.0', port = 0, glued = '' }: SocksReply = {}): Buffer {
  const ending = Buffer.of(port >> 8, port & 0xff)
  return Buffer.concat([Buffer.of(5, code, 0), writeHost(host), ending, Buffer.from(glued)])
}

function writeHost(host: string): Buffer {
  if (net.isIPv4(host)) return Buffer.of(forms.ipv4, ...host.split('.').map(Number))
  if (!net.isIPv6(host)) return Buffer.concat([Buffer.of(forms.name, host.length), Buffer.from(host)])
  const [before = '', after] = host.split('::')
  const groups = (text: string | undefined) =>
    text ? text.split(':').map(group => Number.parseInt(group, 16)) : []
  const [first, last] = [groups(before), groups(after)]
  const words = [...first, ...Array<number>(8 - first.length - last.length).fill(0), ...last]
  return Buffer.of(forms.ipv6, ...words.flatMap(word => [word >> 8, word & 0xff]))
}

function readHost(form: SocksRequest['form'], bytes: Buffer): string {
  if (form === 'name') return String(bytes)
  if (form === 'ipv4') return bytes.join('.')
  const words = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(2 * i).toString(16))
  return new URL(`http://[${words.join(':')}]`).hostname.slice(1, -1)
}

export async function socks5Proxy(options: SocksProxyOptions = {}): Promise<SocksProxy> {
  const { transport = 'tcp' } = options
  const ledger = createLedger(options)
  const offers: number[][] = []
  const server = await origin(peer => serve(ledger, peer, options, offers), {
    transport,
    ...(options.tls && { tls: options.tls }),
  })
  return Object.assign(ledger.view(server), { offers })
}

async function serve(
  ledger: Ledger<SocksRequest, SocksAnswer>,
  peer: Peer,
  options: SocksProxyOptions,
  offers: number[][],
): Promise<void> {
  const { auth = 'none', method, login, delivery = 'whole' } = options
  peer.socket.setNoDelay()
  const read: Buffer[] = []
  const receive = async (count: number): Promise<Buffer> => {
    const bytes = await peer.receive(count)
    read.push(bytes)
    return bytes
  }
  const receiveText = async (): Promise<string> => String(await receive((await receive(1))[0] ?? 0))
  const say = (...bytes: number[]): Promise<void> => peer.send(Buffer.from(bytes), delivery)
  const client = (): Side => ({ duplex: peer.detach(), reset: () => peer.reset() })
  const play = async (step: SocksStep): Promise<void> => {
    if (step === 'stall') await peer.closed
    else if (step === 'reset') await resetLater(peer)
    else {
      await peer.send(step, delivery)
      ledger.join(client(), undefined)
    }
  }

  const [version = 0, count = 0] = await receive(2)
  if (version !== 5) throw new Error(`a greeting of version ${version}`)
  const methods = [...(await receive(count))]
  offers.push(methods)
  if (method !== undefined) return play(method)
  const wanted = auth === 'none' ? NONE : USERNAME_PASSWORD
  if (!methods.includes(wanted)) {
    await say(5, NO_METHOD)
    return peer.end()
  }
  await say(5, wanted)

  let credentials: Pick<SocksRequest, 'username' | 'password'> = {}
  if (auth !== 'none') {
    const [negotiation] = await receive(1)
    if (negotiation !== 1) throw new Error(`a negotiation of version ${negotiation}`)
    credentials = { username: await receiveText(), password: await receiveText() }
    if (login !== undefined) return play(login)
    const isRight = credentials.username === auth.username && credentials.password === auth.password
    await say(1, isRight ? 0 : 1)
    if (!isRight) return peer.end()
  }

  const [, command, reserved, type] = await receive(4)
  if (reserved !== 0) throw new Error(`a reserved byte of ${reserved}`)
  const form = type === forms.ipv4 ? 'ipv4' : type === forms.ipv6 ? 'ipv6' : 'name'
  const length = form === 'ipv4' ? 4 : form === 'ipv6' ? 16 : ((await receive(1))[0] ?? 0)
  const host = readHost(form, await receive(length))
  const port = (await receive(2)).readUInt16BE()
  if (command !== 1) {
    await peer.send(socksReply({ code: BAD_COMMAND }), delivery)
    return peer.end()
  }

  const authority = form === 'ipv6' ? `[${host}]:${port}` : `${host}:${port}`
  const request = {
    host,
    port,
    authority,
    form,
    methods,
    ...credentials,
    bytes: Buffer.concat(read),
  } as const
  const answer = (await ledger.ask(request)) ?? {}
  if (answer === 'stall' || answer === 'reset' || answer instanceof Uint8Array) return play(answer)
  if ((answer.code ?? 0) !== 0) {
    await peer.send(socksReply(answer), delivery)
    return peer.end()
  }
  let server: Side | undefined
  try {
    server = await ledger.dial(request, answer.leadsTo)
  } catch {
    await peer.send(socksReply({ code: REFUSED }), delivery)
    return peer.end()
  }
  await peer.send(socksReply(answer), delivery)
  ledger.join(client(), server)
}
