// The runner of the conformance tables: a case is what a server sends, what the owner gets of it and what leaves.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type * as gun from '@holster/gun'
import { closePayload, type FrameOptions, frame, opcodes } from '@holster/testing/frames'
import { Deflate } from './deflate.ts'
import { assertNothingLeft, type Collected, collectWarnings } from './leftovers.ts'
import {
  agree,
  bytesFrom,
  closedStory,
  errorIn,
  failedStory,
  framesIn,
  read,
  type Scene,
  story,
  tellFrame,
  trickle,
  type WsServer,
  wires,
  wsServer,
} from './scripted-websockets.ts'

// Frames in short.

type Flags = Omit<FrameOptions, 'opcode' | 'payload'>
type Payload = string | Uint8Array
const maker =
  (opcode: number) =>
  (payload: Payload = '', flags: Flags = {}): Buffer =>
    frame({ ...flags, opcode, payload })

export const text = maker(opcodes.text)
export const binary = maker(opcodes.binary)
export const continuation = maker(opcodes.continuation)
export const ping = maker(opcodes.ping)
export const pong = maker(opcodes.pong)
export const closeFrame = maker(opcodes.close)
export const close = (code: number, reason: Payload = ''): Buffer => closeFrame(closePayload(code, reason))

/** A message in fragments with these payloads. */
export function fragments(opcode: number, payloads: readonly Payload[], flags: Flags = {}): Buffer[] {
  return payloads.map((payload, i) => {
    const fin = i === payloads.length - 1
    return i === 0 ? frame({ ...flags, opcode, payload, fin }) : frame({ opcode: 0, payload, fin })
  })
}

/** The two parts of each way to cut the bytes in two, with empty parts at the ends. */
export function cuts(bytes: Uint8Array): [Uint8Array, Uint8Array][] {
  return Array.from({ length: bytes.length + 1 }, (_, at) => [bytes.subarray(0, at), bytes.subarray(at)])
}

/** A part for each byte. */
export function bytesOf(bytes: Uint8Array): Uint8Array[] {
  return Array.from(bytes, byte => Uint8Array.of(byte))
}

// Cases.

export interface Case {
  /** A sentence. */
  readonly name: string
  /** What the server sends: frames, or other bytes. */
  readonly from: readonly Uint8Array[]
  /** What the owner gets and what leaves until the connection ends. */
  readonly gets: readonly gun.WsFrameIn[]
  readonly sends: readonly gun.WsFrame[]
  /** The client takes all, so that the server has to end it: it goes on with a message and a close frame. */
  readonly isOpen: boolean
  /** The error that ends it, where both sides do not close; 'any' that the peer can cause. */
  readonly error?: gun.GunErrorCode | 'any' | undefined
  readonly wsOpts?: gun.WsOpts
  /** What the server agrees to. */
  readonly extensions?: string
}

type More = Partial<Pick<Case, 'wsOpts' | 'extensions' | 'gets' | 'sends'>>

/** What a server goes on with. A client that has ended ignores it. */
const rest = [text('what follows'), close(1000)]

/** The client takes it, and goes on. */
export function taken(name: string, from: Case['from'], gets: Case['gets'], more: More = {}): Case {
  return {
    ...more,
    name,
    from,
    gets: [...gets, ['text', 'what follows'], ['close', 1000, '']],
    sends: [...(more.sends ?? []), ['close', 1000, '']],
    isOpen: true,
  }
}

/** The server closes, and the client answers. */
export function closed(
  name: string,
  from: Case['from'],
  gets: Case['gets'],
  sends: Case['sends'],
  more: More = {},
): Case {
  return { ...more, name, from, gets, sends, isOpen: false }
}

const errors: Readonly<Record<number, gun.GunErrorCode>> = {
  1002: 'badframe',
  1007: 'badencoding',
  1008: 'limit_reached',
  1009: 'limit_reached',
}

/** The client refuses it with this close code; `more` has what it takes before. */
export function refused(name: string, from: Case['from'], closeCode: number, more: More = {}): Case {
  const { gets = [], sends = [] } = more
  const last = ['close', closeCode, ''] as const
  return { ...more, name, from, gets, sends: [...sends, last], isOpen: false, error: errors[closeCode] }
}

/** The client refuses what does not inflate. */
export function notInflated(name: string, from: Case['from'], more: More = {}): Case {
  return { ...refused(name, from, 1007, more), error: 'any' }
}

// The runner.

/** How the server's bytes come: each frame in a write, each byte, or all in one write from the 101 to what follows. */
const feeds = ['whole', 'byte by byte', 'glued'] as const

async function play(
  { peer, request }: Scene,
  { from, isOpen, extensions }: Case,
  feed: (typeof feeds)[number],
): Promise<void> {
  const head = agree({ request }, extensions)
  if (feed === 'glued') return peer.send(Buffer.concat([head, ...from, ...rest]))
  const all = isOpen ? [...from, ...rest] : from
  await peer.send(head)
  if (feed === 'byte by byte') return trickle(peer, all)
  for (const each of all) await peer.send(each)
}

/** What a peer cannot cause. */
const ours = new Set<string | undefined>([
  'bad_option',
  'badstate',
  'not_supported',
  'shutdown',
  'owner_down',
  'internal_error',
] satisfies gun.GunErrorCode[])

async function check(server: WsServer, given: Case, feed: (typeof feeds)[number]): Promise<void> {
  const { gets, sends, error, wsOpts, extensions } = given
  await using it = await server.ask({ silencePings: false, ...wsOpts })
  const played = play(it, given, feed).catch(() => {})
  // A client that has failed ends by itself, in the middle of what the server says.
  const onClose = () => {
    if (error === undefined) played.then(() => it.peer.end())
  }
  const [told, bytes] = await Promise.all([story(it), bytesFrom(it.peer, onClose)])
  const code = error === 'any' ? errorIn(told) : error
  const ending = code === undefined ? closedStory(it) : failedStory(it, code)
  assert.deepEqual(told, ['gun_upgrade', ...gets.map(tellFrame), ...ending])
  assert.ok(!ours.has(code), `the peer is not to blame for ${code}`)
  const inflater = extensions === undefined ? undefined : new Deflate()
  const left = framesIn(bytes, inflater !== undefined).map(each => tellFrame(read(each, inflater)))
  assert.deepEqual(left, sends.map(tellFrame))
}

/** A suite of these cases, each in all feeds over all transports, some of them at a time. */
export function suite(title: string, cases: readonly Case[]): void {
  describe(title, { concurrency: 4 }, () => {
    const servers = new Map<string, WsServer>()
    let left: AsyncDisposable
    let calm: Collected
    before(async () => {
      left = assertNothingLeft()
      calm = collectWarnings()
      for (const wire of wires) servers.set(wire, await wsServer(wire))
    })
    after(async () => {
      await Promise.all([...servers.values()].map(server => server[Symbol.asyncDispose]()))
      await calm[Symbol.asyncDispose]()
      await left[Symbol.asyncDispose]()
    })
    for (const given of cases) {
      test(given.name, async () => {
        const all = [...servers].flatMap(([wire, server]) =>
          feeds.map(async feed => {
            try {
              await check(server, given, feed)
            } catch (cause) {
              throw new Error(`${feed}, over ${wire}: ${(cause as Error).message}`, { cause })
            }
          }),
        )
        const failures = (await Promise.allSettled(all)).filter(result => result.status === 'rejected')
        const [first] = failures
        if (first !== undefined) throw first.reason
      })
    }
  })
}
