// Random messages and random bytes of a WebSocket, cut anywhere: valid ones arrive, and invalid ones have a documented end.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import * as gun from '@holster/gun'
import type { Peer } from '@holster/testing'
import { closePayload, frame, opcodes } from '@holster/testing/frames'
import fc from 'fast-check'
import { Deflate } from '../support/deflate.ts'
import { assertNothingLeft, type Collected, collectWarnings } from '../support/leftovers.ts'
import { runs } from '../support/runs.ts'
import {
  bytesFrom,
  closedStory,
  DEFLATE,
  errorIn,
  failedStory,
  framesIn,
  read,
  type Scene,
  story,
  tellFrame,
  type Wire,
  type WsServer,
  wires,
  wsServer,
} from '../support/scripted-websockets.ts'

let left: AsyncDisposable
let calm: Collected
const servers = new Map<Wire, WsServer>()

before(async () => {
  left = assertNothingLeft()
  calm = collectWarnings()
  for (const wire of wires) servers.set(wire, await wsServer(wire))
})
after(async () => {
  for (const server of servers.values()) await server[Symbol.asyncDispose]()
  await calm[Symbol.asyncDispose]()
  await left[Symbol.asyncDispose]()
})

const anyWire = fc.constantFrom(...wires)

function upgrade(wire: Wire, isCompressed: boolean, opts: gun.WsOpts = {}): Promise<Scene> {
  const server = servers.get(wire) as WsServer
  const wsOpts = { silencePings: false, ...opts }
  return isCompressed
    ? server.upgrade({ ...wsOpts, compress: { threshold: 0 } }, DEFLATE)
    : server.upgrade(wsOpts)
}

// What is sent, by either side.

/** Sizes around those where a frame changes its shape. */
const size = fc.oneof(
  { weight: 4, arbitrary: fc.nat(40) },
  { weight: 2, arbitrary: fc.constantFrom(124, 125, 126, 127, 128, 65_535, 65_536) },
  { weight: 1, arbitrary: fc.integer({ min: 200, max: 70_000 }) },
)
/** Any Unicode, since a unit here is a code point; long ones repeat themselves. */
const string = fc.oneof(
  { weight: 3, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.string({ unit: 'binary', minLength: 1, maxLength: 10 }), size)
      .map(([unit, length]) => unit.repeat(Math.ceil(length / unit.length))),
  },
)
const bytes = fc.oneof(
  { weight: 3, arbitrary: fc.uint8Array({ maxLength: 40 }).map(it => Buffer.from(it)) },
  { weight: 1, arbitrary: fc.tuple(fc.nat(255), size).map(([byte, length]) => Buffer.alloc(length, byte)) },
)
const controlBytes = fc.uint8Array({ minLength: 1, maxLength: 125 }).map(it => Buffer.from(it))

const message = fc.oneof(
  string.map((it): gun.WsFrame => ['text', it]),
  bytes.map((it): gun.WsFrame => ['binary', it]),
)
const control = fc.oneof(
  fc.constantFrom<gun.WsFrame>('ping', 'pong'),
  fc.tuple(fc.constantFrom('ping' as const, 'pong' as const), controlBytes),
)

// Arrives.

interface Sending {
  readonly message: gun.WsFrame
  /** Where it is cut into fragments, as parts of its length. */
  readonly cuts: readonly number[]
  /** What comes between its fragments, and behind it. */
  readonly controls: readonly gun.WsFrame[]
  readonly isCompressed: boolean
}

const ratio = fc.double({ min: 0, max: 1, noNaN: true })
const sending: fc.Arbitrary<Sending> = fc.record({
  message,
  cuts: fc.oneof(fc.constant([]), fc.array(ratio, { maxLength: 5 })),
  controls: fc.oneof(fc.constant([]), fc.array(control, { maxLength: 3 })),
  isCompressed: fc.boolean(),
})

function controlFrame(given: gun.WsFrame): Buffer {
  const [name, payload] = typeof given === 'string' ? [given, ''] : [given[0], given[1] as Buffer]
  return frame({ opcode: name === 'ping' ? opcodes.ping : opcodes.pong, payload })
}

/** The frames of a server, and what the owner gets of them, in its order. */
function framesOf(sendings: readonly Sending[], deflater: Deflate | undefined): [Buffer[], gun.WsFrame[]] {
  const frames: Buffer[] = []
  const gets: gun.WsFrame[] = []
  for (const { message, cuts, controls, isCompressed } of sendings) {
    const plain = Buffer.from(message[1] as string | Buffer)
    const rsv1 = isCompressed && deflater !== undefined
    const payload = rsv1 ? deflater.deflate(plain) : plain
    const ends = [...cuts.map(cut => Math.round(cut * payload.length)).sort((a, b) => a - b), payload.length]
    const rest = [...controls]
    for (const [i, end] of ends.entries()) {
      const fin = i === ends.length - 1
      const opcode = i > 0 ? opcodes.continuation : message[0] === 'text' ? opcodes.text : opcodes.binary
      frames.push(
        frame({ opcode, fin, rsv1: rsv1 && i === 0, payload: payload.subarray(ends[i - 1] ?? 0, end) }),
      )
      const between = fin ? rest.splice(0) : rest.splice(0, 1)
      frames.push(...between.map(controlFrame))
      if (fin) gets.push(message)
      gets.push(...between)
    }
  }
  return [frames, gets]
}

/** Writes of these sizes, over and over, each read before the next is written. */
async function sendInChunks(peer: Peer, all: Buffer, sizes: readonly number[]): Promise<void> {
  let at = 0
  for (let i = 0; at < all.length; i++) {
    // Small writes are what tears a frame; of a long one they would be too many.
    const length = i < 300 ? (sizes[i % sizes.length] ?? 1) : 65_536
    await peer.send(all.subarray(at, at + length))
    await turn()
    at += length
  }
}

const chunkSizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 10 }), fc.integer({ min: 1, max: 20_000 })), {
  minLength: 1,
  maxLength: 8,
})

test('messages arrive whole and in their order however they are cut into fragments and chunks', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(sending, { maxLength: 8 }),
      chunkSizes,
      anyWire,
      fc.boolean(),
      async (all, sizes, wire, deflates) => {
        await using it = await upgrade(wire, deflates)
        const [frames, gets] = framesOf(all, deflates ? new Deflate() : undefined)
        const close = frame({ opcode: opcodes.close, payload: closePayload(4000, 'end') })
        const [told, sent] = await Promise.all([
          story(it),
          bytesFrom(it.peer, () => it.peer.end()),
          sendInChunks(it.peer, Buffer.concat([...frames, close]), sizes),
        ])
        assert.deepEqual(
          told,
          [...gets, ['close', 4000, 'end'] as const].map(tellFrame).concat(closedStory(it)),
        )
        const pongs = gets.flatMap((given): gun.WsFrame[] =>
          given === 'ping' ? ['pong'] : given[0] === 'ping' ? [['pong', given[1] as Buffer]] : [],
        )
        assert.deepEqual(
          framesIn(sent, false).map(each => tellFrame(read(each))),
          [...pongs, ['close', 4000, ''] as const].map(tellFrame),
        )
      },
    ),
    runs(300),
  )
})

// Has an end.

/** All that a peer can cause with bytes, and with the end of them; what does not inflate may have a name of its own. */
const documented = /^(badframe|badencoding|baddata|limit_reached|protocol_error|closed|socket_error)$/

/** A server sends this and is gone. Whatever becomes of it, the owner hears how it ended, and the client's last word
 * is a frame. */
async function assertEnds(
  it: Scene,
  garbage: Buffer,
  sizes: readonly number[],
  deflates: boolean,
): Promise<void> {
  const all = it.peer.receiveAll()
  const told = story(it)
  sendInChunks(it.peer, garbage, sizes).then(
    () => it.peer.end(),
    () => {},
  )
  const lines = await told
  const messages = lines.filter(line => /^(text|binary|ping|pong|close)\b/.test(line))
  const ending = lines.slice(messages.length)
  const code = errorIn(ending)
  if (code === undefined) {
    assert.deepEqual(ending, closedStory(it))
    assert.match(messages.at(-1) ?? '', /^close/)
  } else {
    assert.match(code, documented)
    // A close that was received is followed by the end of the connection, and that it was killed only if unanswered.
    assert.deepEqual(ending, failedStory(it, code))
  }
  const frames = framesIn(await all, false)
  // Whoever says why it closes tells the owner the same, and says nothing after it. What was still to be inflated when
  // the server went can no longer be answered.
  const said = frames.findIndex(each => each.opcode === opcodes.close)
  const isGone = code === 'closed' || code === 'socket_error'
  if (said >= 0 || !deflates) assert.equal(said, isGone ? -1 : frames.length - 1)
}

const garbage = fc.uint8Array({ minLength: 1, maxLength: 300 }).map(it => Buffer.from(it))

test('garbage only ever ends in a documented error or in a close', async () => {
  await fc.assert(
    fc.asyncProperty(garbage, chunkSizes, anyWire, fc.boolean(), async (noise, sizes, wire, deflates) => {
      await using it = await upgrade(wire, deflates, { maxPayload: 1_000_000 })
      await assertEnds(it, noise, sizes, deflates)
    }),
    runs(400),
  )
})

const flips = fc.array(fc.tuple(ratio, fc.nat(7)), { minLength: 1, maxLength: 4 })

test('frames with flipped bits only ever end in a documented error or in a close', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(sending, { minLength: 1, maxLength: 5 }),
      flips,
      chunkSizes,
      anyWire,
      fc.boolean(),
      async (all, places, sizes, wire, deflates) => {
        await using it = await upgrade(wire, deflates, { maxPayload: 1_000_000 })
        const noise = Buffer.concat(framesOf(all, deflates ? new Deflate() : undefined)[0])
        for (const [place, bit] of places) {
          const at = Math.floor(place * (noise.length - 1))
          noise.writeUInt8(noise.readUInt8(at) ^ (1 << bit), at)
        }
        await assertEnds(it, noise, sizes, deflates)
      },
    ),
    runs(400),
  )
})

// Leaves.

/** An argument of wsSend, and the frames that it is. */
const call = fc.oneof(
  fc.oneof(message, control).map(given => ({ given, frames: [given] })),
  fc.array(fc.oneof(message, control), { maxLength: 5 }).map(given => ({ given, frames: given })),
)

test('what is sent in any calls is what a server reads, in its order', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(call, { maxLength: 8 }),
      anyWire,
      fc.boolean(),
      fc.boolean(),
      async (calls, wire, deflates, waits) => {
        await using it = await upgrade(wire, deflates)
        const all = bytesFrom(it.peer, () => it.peer.end())
        for (const { given } of calls) {
          gun.wsSend(it.connPid, it.streamRef, given)
          if (waits) await turn()
        }
        gun.wsSend(it.connPid, it.streamRef, ['close', 4001, 'enough'])
        const inflater = deflates ? new Deflate() : undefined
        const sent = framesIn(await all, deflates).map(each => tellFrame(read(each, inflater)))
        const given = calls.flatMap(({ frames }) => frames)
        assert.deepEqual(sent, [...given, ['close', 4001, 'enough'] as const].map(tellFrame))
      },
    ),
    runs(300),
  )
})
