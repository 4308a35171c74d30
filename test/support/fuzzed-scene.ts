// A connection on which anything happens: a server that sends fuzzed bytes, and a caller, an owner and receivers who do what
// they like at any moment. Whatever that is, each stream ends exactly once, the connection ends, and nothing is left of it.

import net from 'node:net'
import './chance.ts'
import { setImmediate as turn } from 'node:timers/promises'
import tls from 'node:tls'
import * as gun from '@holster/gun'
import {
  createProcess,
  type Down,
  type ExitReason,
  type Incoming,
  P,
  type Process,
  setExitHook,
} from '@holster/process'
import { certificates } from '@holster/testing'
import { switchingProtocols } from '@holster/testing/frames'
import { closer, listen } from '@holster/testing/internal'
import fc from 'fast-check'
import { type Mutation, mutated, mutations } from './fuzzed-bytes.ts'
import * as h2 from './http2-frames.ts'
import { collectWarnings, leftovers } from './leftovers.ts'
import { streamEnds } from './stream-ends.ts'
import { http2Proxy, httpProxy } from './tunnel-proxies.ts'

/** What is spoken: HTTP/1.1 or HTTP/2, and whether the first stream is to become a WebSocket. */
export interface Speech {
  readonly version: 'http' | 'http2'
  readonly isWebSocket: boolean
  readonly deflates: boolean
  /** How the server is reached: by the option `proxy`, or through a tunnel over that version. Default: without a proxy. */
  readonly way?: 'option' | 'http' | 'http2'
}

interface Ask {
  readonly how: 'get' | 'head' | 'post' | 'stream' | 'expect'
  readonly to: 'owner' | 'other' | 'function' | 'rejecting'
  readonly flow: number | undefined
}

const FIRST: Ask = { how: 'get', to: 'owner', flow: undefined }

/** What the caller does, to the stream of which he made the `nth` request where it is about one. */
type Act =
  | { readonly act: 'ask'; readonly ask: Ask }
  | {
      readonly act: 'cancel' | 'flow' | 'data' | 'fin' | 'trailers' | 'frames' | 'info' | 'flush'
      readonly nth: number
    }
  | {
      readonly act:
        | 'close'
        | 'shutdown'
        | 'ping'
        | 'exit'
        | 'crash'
        | 'exit other'
        | 'set owner'
        | 'close frame'
        | TunnelAct
    }

/** An act of the caller, or of the proxy, on the tunnel, if there is one. */
type TunnelAct = 'cancel tunnel' | 'end tunnel' | 'reset tunnel' | 'another tunnel'

type Step =
  | Act
  | { readonly act: 'send'; readonly size: number }
  | { readonly act: 'turns'; readonly count: number }
  | { readonly act: 'read'; readonly count: number }

export interface Happening {
  readonly transport: 'tcp' | 'tls'
  readonly bytes: Buffer
  readonly mutations: readonly Mutation[]
  readonly asks: readonly Ask[]
  readonly isEarly: boolean
  /** A body is being sent all the time. */
  readonly isSending: boolean
  readonly steps: readonly Step[]
  /** What the server does when it has sent all. */
  readonly end: 'fin' | 'rst' | 'open'
  /** What the caller does when nothing more happens by itself. */
  readonly last: 'close' | 'shutdown' | 'exit'
  readonly reading: 'all' | 'none' | 'slow' | 'other'
  readonly mark: number | undefined
  readonly flow: number | undefined
  readonly content: readonly Content[]
  /** Within which message to a function, counted over all of them, something is done, and what. */
  readonly within: readonly (readonly [nth: number, act: Act])[]
  /** Within which event of which name something is done, and what. */
  readonly event: readonly [name: gun.EventName, nth: number, act: Act] | undefined
  readonly retry: number
}

type Content = 'passes' | 'waits' | 'decodes' | 'events' | 'throws' | 'rejects' | 'posts' | 'hangs'

// What may happen.

const flow = fc.oneof(
  { weight: 3, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 4 }) },
)
const ask: fc.Arbitrary<Ask> = fc.record({
  how: fc.constantFrom('get', 'get', 'head', 'post', 'stream', 'stream', 'expect'),
  to: fc.constantFrom('owner', 'owner', 'other', 'function', 'rejecting'),
  flow,
})
const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 2, arbitrary: ask.map((ask): Act => ({ act: 'ask', ask })) },
  {
    weight: 6,
    arbitrary: fc.record({
      act: fc.constantFrom(
        'cancel',
        'flow',
        'data',
        'fin',
        'trailers',
        'frames',
        'info',
        'flush',
        'cancel',
        'data',
      ),
      nth: fc.nat(4),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      act: fc.constantFrom(
        'close',
        'shutdown',
        'ping',
        'exit',
        'crash',
        'exit other',
        'set owner',
        'close frame',
        'cancel tunnel',
        'end tunnel',
        'reset tunnel',
        'another tunnel',
      ),
    }),
  },
)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ act: fc.constant('send' as const), size: fc.integer({ min: 1, max: 200 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ act: fc.constant('turns' as const), count: fc.integer({ min: 1, max: 4 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ act: fc.constant('read' as const), count: fc.integer({ min: 1, max: 5 }) }),
  },
  { weight: 3, arbitrary: act },
)
const EVENTS = [
  'requestStart',
  'requestHeaders',
  'requestEnd',
  'pushPromiseStart',
  'pushPromiseEnd',
  'responseStart',
  'responseInform',
  'responseHeaders',
  'responseTrailers',
  'responseEnd',
  'wsUpgrade',
  'wsRecvFrameStart',
  'wsRecvFrameHeader',
  'wsRecvFrameEnd',
  'wsSendFrameStart',
  'wsSendFrameEnd',
  'protocolChanged',
  'cancel',
  'disconnect',
] as const satisfies readonly gun.EventName[]

export const happening = (bytes: fc.Arbitrary<Buffer>): fc.Arbitrary<Happening> =>
  fc.record({
    transport: fc.constantFrom('tcp', 'tcp', 'tcp', 'tls'),
    bytes,
    mutations,
    asks: fc.array(ask, { maxLength: 4 }),
    isEarly: fc.boolean(),
    isSending: fc.boolean(),
    steps: fc.array(step, { maxLength: 12 }),
    end: fc.constantFrom('fin', 'rst', 'open'),
    last: fc.constantFrom('close', 'shutdown', 'exit'),
    reading: fc.constantFrom('all', 'none', 'slow', 'other'),
    mark: fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined }),
    flow,
    content: fc.oneof(
      fc.constant([]),
      fc.array(
        fc.constantFrom<Content>(
          'passes',
          'waits',
          'decodes',
          'events',
          'throws',
          'rejects',
          'posts',
          'hangs',
        ),
        { minLength: 1, maxLength: 2 },
      ),
    ),
    within: fc.array(fc.tuple(fc.nat(8), act), { maxLength: 2 }),
    event: fc.option(fc.tuple(fc.constantFrom(...EVENTS), fc.nat(3), act), { nil: undefined }),
    retry: fc.constantFrom(0, 0, 1),
  })

// What is done.

/** What is thrown on purpose. */
class Planned extends Error {}

function contentHandler(kind: Content): gun.ContentHandler {
  if (kind === 'decodes') return gun.decode()
  if (kind === 'events') return gun.sse()
  return {
    init({ connPid, streamRef, replyTo }, next) {
      let count = 0
      const fails = (): boolean => (kind === 'throws' || kind === 'rejects') && ++count === 2
      const isSlow = kind === 'waits' || kind === 'rejects'
      return {
        handle(isFin, data) {
          if (kind === 'hangs' && isFin === 'fin') return new Promise(() => {})
          if (kind === 'throws' && fails()) throw new Planned('a content handler throws')
          if (kind === 'posts' && isFin === 'nofin') {
            for (const byte of data.subarray(0, 3)) {
              replyTo.send({ type: 'gun_data', connPid, streamRef, isFin: 'nofin', data: Buffer.of(byte) })
            }
            return
          }
          if (!isSlow) return next(isFin, data)
          return turn().then(() => {
            if (fails()) throw new Planned('a content handler rejects')
            return next(isFin, data)
          })
        },
        close() {
          if (kind === 'throws') throw new Planned('a content handler throws as it is closed')
        },
      }
    },
  }
}

/** Servers for any number of connections, one after the other, and what is spoken with them. */
export interface Stage extends AsyncDisposable {
  /** Lets it happen. Rejects with all that was wrong. */
  play(it: Happening): Promise<void>
}

const see = streamEnds.see.bind(streamEnds)
streamEnds.see = message => {
  // The error answers a command to a connection that is over, and may come before the DOWN of that connection.
  if (!isAnswer(message as gun.GunMessage)) see(message)
}

function isAnswer(message: gun.GunMessage): boolean {
  if (message.type !== 'gun_error') return false
  return message.reason.code === 'closed' && message.reason.message.endsWith('has ended')
}

/** How many turns of the event loop something that goes on by itself may need. */
const TURNS = 30

export async function stage({ version, isWebSocket, deflates, way }: Speech): Promise<Stage> {
  const secureContext = tls.createSecureContext({ ca: certificates.ca })
  let onConnection = (socket: net.Socket): void => void socket.destroy()
  const sockets = new Set<net.Socket>()
  const servers = {
    tcp: net.createServer(socket => onConnection(socket)),
    tls: tls.createServer(
      { ...certificates.server, ALPNProtocols: [version === 'http' ? 'http/1.1' : 'h2'] },
      socket => onConnection(socket),
    ),
  }
  const places = {
    tcp: await listen(servers.tcp, 'tcp'),
    tls: await listen(servers.tls, 'tls'),
  }
  const multiplexing = way === 'http2' ? await http2Proxy() : undefined
  const proxy = multiplexing ?? (way === undefined ? undefined : await httpProxy())
  for (const server of [servers.tcp, servers.tls]) {
    server.on('connection', (socket: net.Socket) => {
      sockets.add(socket)
      socket.on('error', () => {}).on('close', () => sockets.delete(socket))
    })
  }

  async function play(it: Happening): Promise<void> {
    const remaining = leftovers()
    const calm = collectWarnings()
    const problems: string[] = []
    const hook = setExitHook((from, reason) => {
      const cause = reason instanceof Error && 'cause' in reason ? reason.cause : undefined
      if (!(reason instanceof Planned || cause instanceof Planned))
        problems.push(`reported of ${from}: ${inspectError(reason)}`)
    })
    const mark = it.mark === undefined ? {} : { highWaterMark: { messages: it.mark } }
    const owner = createProcess<gun.GunMessage>(mark)
    const other = createProcess<gun.GunMessage>(mark)
    const watcher = createProcess<Down>()
    const peers: net.Socket[] = []
    const bytes = mutated(it.bytes, it.mutations)
    let sent = 0

    onConnection = socket => {
      peers.push(socket)
      const isFirst = peers.length === 1
      socket.on('error', () => {})
      if (version === 'http2') {
        socket.write(Buffer.concat([h2.settings({ ENABLE_CONNECT_PROTOCOL: 1 }), h2.settingsAck()]))
        socket.resume()
      } else if (isWebSocket) socket.once('data', head => socket.write(agree(head, deflates)))
      else socket.resume()
      // Each further one gets all at once.
      if (!isFirst) socket.end(bytes)
    }

    const check = (message: Incoming<gun.GunMessage>): void => {
      if ('reason' in message && isDefect(message.reason))
        problems.push(`${message.type}: ${inspectError(message.reason)}`)
    }
    let seen = 0
    const function_ = streamEnds.watch(message => {
      check(message)
      const nth = seen++
      for (const [at, act] of it.within) if (at === nth) perform(act)
    })
    const receivers: Record<Ask['to'], gun.ReplyTo> = {
      owner,
      other,
      function: function_,
      rejecting: (async message => {
        streamEnds.see(message)
        check(message)
        await turn()
        throw new Planned('a receiver rejects')
      }) as gun.Receiver,
    }
    const told = new Map<string, number>()
    const eventHandler =
      it.event === undefined
        ? {}
        : {
            [it.event[0]]: (event: object | gun.CancelEvent) => {
              // The channels, from which it would be known, are told behind the handler.
              if ('endpoint' in event && event.endpoint === 'local') streamEnds.cancelled(event.streamRef)
              const [name, nth, act] = it.event as NonNullable<typeof it.event>
              const count = told.get(name) ?? 0
              told.set(name, count + 1)
              if (count === nth) perform(act)
            },
          }
    const http = {
      closingTimeout: 30,
      flow: it.flow ?? Number.POSITIVE_INFINITY,
      contentHandlers: it.content.map(contentHandler),
    }
    const { port } = places[it.transport]
    const manner = { transport: it.transport, tlsOpts: { secureContext }, protocols: [version] } as const
    const isByHand = way === 'http' || way === 'http2'
    const connPid = gun.open('localhost', isByHand ? (proxy?.port ?? 0) : port, {
      owner,
      ...(isByHand ? { transport: 'tcp', protocols: [way] } : manner),
      ...(way === 'option' && { proxy: `http://localhost:${proxy?.port}` }),
      retry: it.retry,
      retryFun: left => ({ retries: left - 1, timeout: 1 }),
      eventHandler,
      ...(process.env.FUZZ_TRACE === undefined ? {} : { trace: true }),
      httpOpts: { ...http, cancelTimeout: 30 },
      http2Opts: http,
      wsOpts: {
        closingTimeout: 30,
        flow: it.flow ?? Number.POSITIVE_INFINITY,
        compress: deflates,
        maxPayload: 200_000,
        silencePings: false,
      },
    })
    watcher.monitor(connPid)

    const streams: gun.StreamRef[] = []
    const dig = (): gun.StreamRef => {
      const streamRef = gun.connect(connPid, { host: 'localhost', port, ...manner })
      if (gun.info(connPid).stateName !== 'terminated') streamEnds.began(connPid, streamRef)
      return streamRef
    }
    const tunnel = isByHand ? dig() : undefined
    let hasBegun = false
    const begin = ({ how, to, flow }: Ask): void => {
      const opts = {
        replyTo: receivers[to],
        ...(flow === undefined ? {} : { flow }),
        ...(tunnel === undefined ? {} : { tunnel }),
      }
      const path = `/${streams.length}`
      let streamRef: gun.StreamRef
      const isFirst = !hasBegun
      hasBegun = true
      if (isWebSocket && isFirst) streamRef = gun.wsUpgrade(connPid, path, {}, opts)
      else if (how === 'get') streamRef = gun.get(connPid, path, {}, opts)
      else if (how === 'head') streamRef = gun.head(connPid, path, {}, opts)
      else if (how === 'post') streamRef = gun.post(connPid, path, {}, 'body', opts)
      else if (how === 'expect') streamRef = gun.post(connPid, path, { expect: '100-continue' }, 'body', opts)
      else streamRef = gun.post(connPid, path, {}, undefined, { ...opts, sendHighWaterMark: 100 })
      streams.push(streamRef)
      // What is asked of a WebSocket is answered with badstate, which ends nothing that has begun.
      const isAsked = version === 'http2' || !isWebSocket || isFirst
      if (isAsked && gun.info(connPid).stateName !== 'terminated') streamEnds.began(connPid, streamRef)
    }
    const perform = (it: Act): void => {
      if (it.act === 'ask') return begin(it.ask)
      if ('nth' in it) {
        const streamRef = streams[it.nth % Math.max(1, streams.length)]
        if (streamRef === undefined) return
        performOn(connPid, streamRef, it.act)
      } else if (it.act === 'close') gun.close(connPid)
      else if (it.act === 'shutdown') gun.shutdown(connPid)
      else if (it.act === 'exit') owner.exit()
      else if (it.act === 'crash') owner.exit(new Planned('the owner crashes'))
      else if (it.act === 'exit other') other.exit()
      else if (it.act === 'set owner') gun.setOwner(connPid, other)
      else if (it.act === 'close frame') gun.wsSend(connPid, ['close', 1000, 'bye'])
      else if (it.act === 'ping') gun.ping(connPid)
      else if (proxy !== undefined) performOnTunnel(it.act)
    }

    const performOnTunnel = (act: TunnelAct): void => {
      if (act === 'another tunnel') dig()
      else if (act === 'cancel tunnel') tunnel === undefined || gun.cancel(connPid, tunnel)
      else if ((proxy?.openTunnels ?? 0) > 0) proxy?.[act === 'end tunnel' ? 'closeTunnel' : 'resetTunnel']()
    }

    let isDown = false
    const down = watcher.receive([{ type: 'DOWN' }]).then(message => {
      isDown = true
      check(message)
    })
    const readers =
      it.reading === 'none'
        ? []
        : [read(owner, it.reading, check, () => isDown), read(other, it.reading, check, () => isDown)]

    try {
      const [first = FIRST, ...rest] = it.asks
      if (it.isEarly) for (const each of it.asks.length === 0 ? [FIRST] : it.asks) begin(each)
      for (
        let i = 0;
        i < 500 && !isDown && gun.info(connPid).stateName !== 'connected' && peers.length === 0;
        i++
      )
        await turn()
      if (!it.isEarly) for (const each of [first, ...rest]) begin(each)
      const within = tunnel === undefined ? {} : { tunnel }
      const upload = it.isSending
        ? gun.post(connPid, '/upload', {}, undefined, { replyTo: () => {}, ...within })
        : undefined
      const turns = async (count: number): Promise<void> => {
        for (let i = 0; i < count && !isDown; i++) {
          if (upload !== undefined) gun.data(connPid, upload, 'nofin', 'x'.repeat(10))
          await turn()
        }
      }
      // The server has the requests.
      await turns(TURNS / 3)
      for (const step of it.steps) {
        const [peer] = peers
        if (step.act === 'send') {
          if (peer?.writable) peer.write(bytes.subarray(sent, sent + step.size))
          sent += step.size
        } else if (step.act === 'turns') await turns(step.count)
        else if (step.act === 'read') {
          for (let i = 0; i < step.count; i++) await owner.receive([P._], 0).then(check, () => {})
        } else perform(step)
      }
      const [peer] = peers
      if (peer?.writable) {
        peer.write(bytes.subarray(sent))
        if (it.end === 'fin') peer.end()
        else if (it.end === 'rst') {
          await turn()
          // Below TLS a reset may leave the handle of the server's socket open for good.
          if (it.transport === 'tls') peer.destroy()
          else peer.resetAndDestroy()
        }
      }
      await turns(TURNS)
      if (!isDown) {
        // Whichever of them owns it by now.
        if (it.last === 'exit') for (const each of [owner, other]) each.exit()
        else perform({ act: it.last })
      }
      await patience(down, () => `it never ends: ${gun.info(connPid).stateName}`)
    } finally {
      for (const socket of [...peers, ...sockets]) socket.destroy()
      // Node's server may keep the socket of a client that has gone while a tunnel was being reset.
      for (const session of multiplexing?.sessions ?? []) session.destroy()
      // What has been posted and nobody has read.
      owner.exit()
      other.exit()
      watcher.exit()
      await Promise.all(readers)
      gun.close(connPid)
    }
    for (let i = 0; i < 4; i++) await turn()
    const left = await remaining()
    if (left.length > 0) problems.push(`left behind: ${left.join(', ')}`)
    setExitHook(hook)
    const { warnings, rejections, exceptions } = await calm.take()
    await calm[Symbol.asyncDispose]()
    for (const each of [...warnings, ...rejections, ...exceptions])
      problems.push(`in the process: ${inspectError(each)}`)
    streamEnds.assert()
    if (problems.length > 0) throw new Error(problems.join('\n'))
  }

  return {
    play,
    async [Symbol.asyncDispose]() {
      await proxy?.close()
      for (const server of [servers.tcp, servers.tls]) await closer(server, () => {})()
    },
  }
}

function performOn(connPid: gun.ConnPid, streamRef: gun.StreamRef, act: string): void {
  if (act === 'cancel') gun.cancel(connPid, streamRef)
  else if (act === 'flow') gun.updateFlow(connPid, streamRef, 2)
  else if (act === 'data') gun.data(connPid, streamRef, 'nofin', 'x'.repeat(200))
  else if (act === 'fin') gun.data(connPid, streamRef, 'fin', 'end')
  else if (act === 'trailers') gun.trailers(connPid, streamRef, { 'x-t': '1' })
  else if (act === 'frames') gun.wsSend(connPid, streamRef, [['text', 'hello'], 'ping'])
  else if (act === 'flush') {
    try {
      gun.flush(streamRef)
    } catch (error) {
      // There is no mailbox to flush.
      if (!(error instanceof TypeError)) throw error
    }
  } else {
    try {
      gun.streamInfo(connPid, streamRef)
    } catch (error) {
      if (!(error instanceof gun.GunError && error.code === 'badstate')) throw error
    }
  }
}

/** The 101 that agrees to what the head of a request asks for. */
function agree(head: Buffer, deflates: boolean): string {
  const headers = head
    .toString('latin1')
    .split('\r\n')
    .map(line => line.split(': '))
    .filter((pair): pair is [string, string] => pair.length === 2)
  const extensions = deflates ? [['sec-websocket-extensions', 'permessage-deflate'] as const] : []
  try {
    return switchingProtocols(headers, extensions)
  } catch {
    // Another request came first.
    return ''
  }
}

async function read(
  self: Process<gun.GunMessage>,
  how: 'all' | 'slow' | 'other',
  check: (message: Incoming<gun.GunMessage>) => void,
  isOver: () => boolean,
): Promise<void> {
  try {
    if (how === 'other') await self.receive([{ type: 'gun_sse', event: 'never' as never }])
    for (;;) {
      check(await self.receive([P._]))
      if (how === 'slow') for (let i = 0; i < 3 && !isOver(); i++) await turn()
    }
  } catch {
    // The process has exited.
  }
}

/** Long enough for any machine, as nothing that is waited for needs a time worth speaking of. */
async function patience(promise: Promise<unknown>, what: () => string): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(what())), 20_000)
  })
  try {
    await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

function isDefect(reason: ExitReason): boolean {
  if (Array.isArray(reason)) return reason.some(isDefect)
  return reason instanceof gun.GunError && reason.code === 'internal_error'
}

function inspectError(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause === undefined
    ? String(error.stack)
    : `${error.stack}\ncaused by ${inspectError(error.cause)}`
}
