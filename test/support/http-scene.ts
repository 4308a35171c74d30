// HTTP as both of its ends see it: responses sent over each transport and cut in each way, and what is heard of them.

import assert from 'node:assert/strict'
import { type TestOptions, test } from 'node:test'
import * as gun from '@holster/gun'
import { type Down, type Exit, P } from '@holster/process'
import type { Peer, Transport } from '@holster/testing'
import { type Client, connect, defer, PATIENCE } from './client.ts'
import {
  type Answer,
  type Asked,
  httpOrigin,
  type Line,
  lineName,
  lines,
  NOTHING,
  nameOf,
  versions,
} from './http-server.ts'
import { assertNothingLeft, collectWarnings } from './leftovers.ts'
import { origin } from './origin.ts'

export const transports = ['tcp', 'tls', 'unix'] as const
/** Each response in a write of its own, each byte in one, or all responses in one. */
export const deliveries = ['whole', 'bytes', 'glued'] as const

export interface Wire {
  readonly transport: Transport
  readonly delivery: (typeof deliveries)[number]
}

const manners = { whole: 'at once', bytes: 'byte by byte', glued: 'glued to what follows' } as const

type Run<T> = (given: T) => Promise<void>

async function guarded<T>(given: T, run: Run<T>): Promise<void> {
  await using _left = assertNothingLeft()
  await using _calm = collectWarnings()
  await run(given)
}

/** A test for each transport, after which nothing is left. */
export function onEachTransport(name: string, run: Run<Transport>, options: TestOptions = {}): void {
  for (const transport of transports) {
    test(`${name}, over ${transport}`, options, () => guarded<Transport>(transport, run))
  }
}

/** A test for each transport and each way to send a response. */
export function onEachWire(name: string, run: Run<Wire>): void {
  for (const delivery of deliveries) {
    onEachTransport(`${name}, sent ${manners[delivery]}`, transport => run({ transport, delivery }))
  }
}

/** A test for each version of HTTP over each transport, after which nothing is left. */
export function onEachLine(name: string, run: Run<Line>): void {
  for (const line of lines) test(`${name}, over ${lineName(line)}`, () => guarded<Line>(line, run))
}

/** A test for each version of HTTP, over tcp. */
export function onEachVersion(name: string, run: Run<Line>): void {
  for (const version of versions) {
    test(`${name}, over ${nameOf(version)}`, () => run({ version, transport: 'tcp' }))
  }
}

/** A test for each of these and each way to send a response. */
export function onEachLineAndDelivery(name: string, run: Run<Line & Wire>): void {
  for (const delivery of deliveries) {
    onEachLine(`${name}, sent ${manners[delivery]}`, line => run({ ...line, delivery }))
  }
}

/** How much of a long response is sent byte by byte: its beginning and its end. */
const EDGE = 300

/** Sends responses, whose characters are bytes. Resolves, too, when the client has gone before. */
export async function deliver(peer: Peer, responses: readonly string[], wire: Wire): Promise<void> {
  const parts = wire.delivery === 'glued' ? [responses.join('')] : responses
  for (const part of parts) {
    const bytes = Buffer.from(part, 'latin1')
    if (wire.delivery !== 'bytes') await peer.send(bytes)
    else if (bytes.length <= 2 * EDGE) await peer.send(bytes, 'bytes')
    else {
      await peer.send(bytes.subarray(0, EDGE), 'bytes')
      await peer.send(bytes.subarray(EDGE, -EDGE))
      await peer.send(bytes.subarray(-EDGE), 'bytes')
    }
  }
}

/** A message without the parts that every one has, short enough to compare. */
export type Short = readonly unknown[]

export function shorten(message: gun.GunMessage): Short {
  switch (message.type) {
    case 'gun_inform':
      return ['inform', message.status, message.headers]
    case 'gun_response':
      return ['response', message.status, message.headers, message.isFin]
    case 'gun_data':
      return ['data', message.data.toString('latin1'), message.isFin]
    case 'gun_trailers':
      return ['trailers', message.headers]
    case 'gun_error':
      return ['error', message.reason.code]
    default:
      return [message.type]
  }
}

function endsStream(message: gun.GunMessage): boolean {
  if (message.type === 'gun_trailers' || message.type === 'gun_error') return true
  return (message.type === 'gun_response' || message.type === 'gun_data') && message.isFin === 'fin'
}

/** All messages of a stream; its data joined, since where it is cut is the network's business. */
export async function collect({ owner }: Pick<Client, 'owner'>, streamRef: gun.StreamRef): Promise<Short[]> {
  const collected: Short[] = []
  let body: Buffer | undefined
  for (;;) {
    const message = await owner.receive([{ streamRef }], PATIENCE)
    if (message.type === 'gun_data') {
      body = Buffer.concat([body ?? Buffer.alloc(0), message.data])
      if (message.isFin === 'fin') return [...collected, ['data', body.toString('latin1'), 'fin']]
    } else {
      if (body !== undefined) collected.push(['data', body.toString('latin1'), 'nofin'])
      body = undefined
      collected.push(shorten(message))
      if (endsStream(message)) return collected
    }
  }
}

/** What `collect` gives for a 204 without headers. */
export const noContent: readonly Short[] = [['response', 204, [], 'fin']]

export interface Exchange {
  /** A request without a body. Default: `GET /`. */
  readonly ask?: (connPid: gun.ConnPid) => gun.StreamRef
  readonly answer: string
  /** What `collect` gives. */
  readonly story: readonly Short[]
}

/** Has one request after the other answered on one connection, or, where responses are glued, all at once; then
 * nothing else has come, and nothing else was sent. */
export async function converse(
  wire: Wire,
  exchanges: readonly Exchange[],
  opts: gun.Opts = {},
): Promise<void> {
  await using server = await origin(
    async peer => {
      const answers = exchanges.map(({ answer }) => answer)
      for (const batch of wire.delivery === 'glued' ? [answers] : answers.map(answer => [answer])) {
        for (const _ of batch) await peer.receiveRequest()
        await deliver(peer, batch, wire)
      }
      assert.equal((await peer.receiveAll()).length, 0)
    },
    { transport: wire.transport },
  )
  await using client = await connect(server, wire.transport, opts)
  const { owner, connPid } = client
  const asked: gun.StreamRef[] = []
  const ask = ({ ask = it => gun.get(it, '/') }: Exchange) => asked.push(ask(connPid))
  if (wire.delivery === 'glued') for (const exchange of exchanges) ask(exchange)
  for (const [i, exchange] of exchanges.entries()) {
    if (wire.delivery !== 'glued') ask(exchange)
    assert.deepEqual(await collect(client, asked[i] as gun.StreamRef), exchange.story)
  }
  assert.equal(owner.messageQueueLength, 0)
  gun.close(connPid)
  await server.finished()
}

export interface Answered {
  /** A request without a body. Default: `GET /`. */
  readonly ask?: (connPid: gun.ConnPid) => gun.StreamRef
  readonly answer: Answer
  /** What `collect` gives. */
  readonly story: readonly Short[]
}

/** As `converse`, in either version of HTTP. */
export async function exchange(
  wire: Line & Wire,
  exchanges: readonly Answered[],
  opts: gun.Opts = {},
): Promise<void> {
  const isGlued = wire.delivery === 'glued'
  await using server = await httpOrigin(wire, async peer => {
    for (const batch of isGlued ? [exchanges] : exchanges.map(each => [each])) {
      const asked: Asked[] = []
      for (const _ of batch) asked.push(await peer.request())
      const bytes = asked.map((each, i) => each.encode(batch[i]?.answer ?? NOTHING))
      await peer.send(Buffer.concat(bytes), wire.delivery === 'bytes' ? 'bytes' : 'whole')
    }
    await peer.nothingMore()
  })
  await using client = await connect(server, wire, opts)
  const { owner, connPid } = client
  const asked: gun.StreamRef[] = []
  const ask = ({ ask = it => gun.get(it, '/') }: Answered) => asked.push(ask(connPid))
  if (isGlued) for (const each of exchanges) ask(each)
  for (const [i, each] of exchanges.entries()) {
    if (!isGlued) ask(each)
    assert.deepEqual(await collect(client, asked[i] as gun.StreamRef), each.story)
  }
  assert.equal(owner.messageQueueLength, 0)
  gun.close(connPid)
  await server.finished()
}

export interface Ending {
  /** The requests that are sent before anything is answered. Default: `GET /0` and `GET /1`. */
  readonly asks?: readonly ((connPid: gun.ConnPid) => gun.StreamRef)[]
  readonly answers: readonly string[]
  /** The server closes the connection after its answers. */
  readonly closes?: boolean
  readonly opts?: gun.Opts
}

const twice = [0, 1].map(n => (connPid: gun.ConnPid) => gun.get(connPid, `/${n}`))

/** What somebody else has had put behind a response; the next request must not get it. */
export const SMUGGLED = 'HTTP/1.1 200 OK\r\nX-Smuggled: yes\r\nContent-Length: 8\r\n\r\nsmuggled'

/** In words, all that the owner hears of a connection that is not made again; streams are numbered. */
export async function ending(
  wire: Wire,
  { asks = twice, answers, closes, opts }: Ending,
): Promise<{ words: string[]; errors: gun.GunError[] }> {
  const ready = defer<void>()
  await using server = await origin(
    async peer => {
      await ready.promise
      for (const _ of asks) await peer.receiveRequest()
      await deliver(peer, answers, wire)
      if (closes) peer.end()
      await peer.closed
    },
    { transport: wire.transport },
  )
  await using client = await connect(server, wire.transport, { retry: 0, ...opts })
  const { owner, connPid } = client
  owner.monitor(connPid)
  const streamRefs = asks.map(ask => ask(connPid))
  ready.resolve()
  const words: string[] = []
  const errors: gun.GunError[] = []
  let data: { of: gun.StreamRef; text: string } | undefined
  for (;;) {
    const message: gun.GunMessage | Down | Exit = await owner.receive([P._], PATIENCE)
    if (message.type === 'gun_error') {
      errors.push(message.reason)
      assert.equal(message.reason.kind, 'connection_error')
    }
    if (message.type === 'gun_data' && message.isFin === 'nofin' && message.streamRef !== undefined) {
      assert.ok(data === undefined || data.of === message.streamRef)
      data = { of: message.streamRef, text: `${data?.text ?? ''}${message.data.toString('latin1')}` }
      continue
    }
    if (data !== undefined && message.type !== 'gun_data') {
      words.push(`${streamRefs.indexOf(data.of)}: data nofin ${data.text}`)
    }
    words.push(tell(message, streamRefs, data?.text ?? ''))
    data = undefined
    if (message.type === 'DOWN') return { words, errors }
  }
}

function tell(
  message: gun.GunMessage | Down | Exit,
  streamRefs: readonly gun.StreamRef[],
  text: string,
): string {
  const known: readonly unknown[] = streamRefs
  const number = (ref: unknown): number => known.indexOf(ref)
  switch (message.type) {
    case 'gun_inform':
      return `${number(message.streamRef)}: inform ${message.status}`
    case 'gun_response':
      return `${number(message.streamRef)}: response ${message.status} ${message.isFin}`
    case 'gun_data':
      return `${number(message.streamRef)}: data fin ${text}${message.data.toString('latin1')}`
    case 'gun_trailers':
      return `${number(message.streamRef)}: trailers ${message.headers.map(field => field.join('='))}`
    case 'gun_error': {
      const { streamRef, reason } = message
      return streamRef === undefined ? `error ${reason.code}` : `${number(streamRef)}: error ${reason.code}`
    }
    case 'gun_down':
      return `down ${codeOf(message.reason)}, killed [${message.killedStreams.map(number)}]`
    case 'DOWN':
      return `DOWN ${codeOf(message.reason)}`
    default:
      return message.type
  }
}

function codeOf(reason: unknown): string {
  if (Array.isArray(reason)) return reason.map(codeOf).join(' ')
  return reason instanceof gun.GunError ? reason.code : String(reason)
}

/** How a connection is lost for a reason, with these streams open. */
export function lost(code: string, ...open: number[]): string[] {
  return [
    ...open.map(n => `${n}: error ${code}`),
    `down ${code}, killed [${open}]`,
    `error ${code}`,
    `DOWN shutdown ${code}`,
  ]
}

/** How it ends in order with the response to the first of two requests: the second hears so with the head of that. */
export function endedBehind(code: 'refused_stream' | 'closed', ...words: string[]): string[] {
  const head = words.findIndex(each => each.startsWith('0: response'))
  return [
    ...words.slice(0, head),
    `1: error ${code}`,
    ...words.slice(head),
    'down normal, killed []',
    'DOWN normal',
  ]
}
