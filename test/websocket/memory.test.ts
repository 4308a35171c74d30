// Memory stays bounded whatever a server sends: floods, compressed floods, bombs; and nothing of what is wanted is lost.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import * as gun from '@holster/gun'
import { createProcess, type Process, type ProcessOptions } from '@holster/process'
import { certificates } from '@holster/testing'
import { frame, opcodes, receiveFrame } from '@holster/testing/frames'
import { Deflate } from '../support/deflate.ts'
import { DEFLATE, settle, until } from '../support/flood.ts'
import { type Flood, type FloodServer, floodServer, pathOf } from '../support/flood-server.ts'
import { assertNothingLeft, collectWarnings } from '../support/leftovers.ts'
import { isH2, upgraded, type Wire, wires } from '../support/websocket-scene.ts'

const MIB = 1024 * 1024

/** How much memory has grown since it was made, at the most that was looked at. */
class Memory {
  readonly #before = this.#used()
  readonly #most = { ...this.#before }

  /** `'peak'`: with what is garbage by now. */
  look(how: 'peak' | 'kept'): void {
    const { managed, rss } = this.#used(how)
    this.#most.managed = Math.max(this.#most.managed, managed)
    this.#most.rss = Math.max(this.#most.rss, rss)
  }

  /** Some three times what it takes, and a small part of what is sent. */
  assertBounded(): void {
    const managed = this.#most.managed - this.#before.managed
    const rss = this.#most.rss - this.#before.rss
    const grown = `memory has grown by ${Math.round(managed / MIB)} MiB, rss by ${Math.round(rss / MIB)} MiB`
    assert.ok(managed < 128 * MIB && rss < 160 * MIB, grown)
  }

  #used(how: 'peak' | 'kept' = 'kept'): { managed: number; rss: number } {
    if (how === 'kept') {
      assert.ok(globalThis.gc, 'run with --expose-gc')
      globalThis.gc()
    }
    const { heapUsed, external, rss } = process.memoryUsage()
    return { managed: heapUsed + external, rss }
  }
}

interface Flooded extends AsyncDisposable {
  readonly self: Process<gun.GunMessage>
  readonly connPid: gun.ConnPid
  readonly streamRef: gun.StreamRef
}

async function flooded(
  { port }: FloodServer,
  wire: Wire,
  flood: Flood,
  highWaterMark: NonNullable<ProcessOptions['highWaterMark']> = {},
): Promise<Flooded> {
  const self = createProcess<gun.GunMessage>({ highWaterMark })
  const tlsOpts = { ca: certificates.ca }
  const connPid = gun.open('localhost', port, {
    owner: self,
    transport: wire.endsWith('tls') ? 'tls' : 'tcp',
    protocols: [isH2(wire) ? 'http2' : 'http'],
    tlsOpts,
    retry: 0,
  })
  await self.receive([{ type: 'gun_up' }])
  const streamRef = gun.wsUpgrade(connPid, pathOf(flood), {}, { compress: flood.compressed ?? false })
  await self.receive([{ type: 'gun_upgrade', streamRef }])
  return {
    self,
    connPid,
    streamRef,
    async [Symbol.asyncDispose]() {
      gun.close(connPid)
      await connPid[Symbol.asyncDispose]()
      self.exit()
    },
  }
}

/** Takes messages that have come, which are those from `from` on. Nothing is waited for. */
async function takeInOrder({ self }: Flooded, { size }: Flood, count: number, from: number): Promise<void> {
  for (let n = from; n < from + count; n++) {
    const { frame } = await self.receive([{ type: 'gun_ws' }], 0)
    const payload = frame[1] as Buffer
    if (payload.length !== size || payload.readUInt32BE() !== n) assert.fail(`${frame[0]} in place of ${n}`)
  }
}

for (const wire of wires) {
  describe(`over ${wire}`, () => {
    let server: FloodServer
    before(async () => {
      server = await floodServer(wire)
    })
    after(() => server[Symbol.asyncDispose]())

    for (const [what, flood, mark] of [
      ['1 GiB in messages of 64 KiB', { count: 16_384, size: 65_536 }, { bytes: 16 * MIB }],
      ['small messages', { count: 300_000, size: 32 }, { messages: 16_384 }],
      [
        'messages of 1 KiB on the wire that inflate to 1 MiB',
        { count: 400, size: MIB, compressed: true },
        { bytes: 8 * MIB },
      ],
    ] as const) {
      test(`an owner that is slow gets all of ${what}, and never much at once`, async () => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        const memory = new Memory()
        await using it = await flooded(server, wire, flood, mark)
        const most = 'bytes' in mark ? mark.bytes / flood.size : mark.messages
        // The mark is looked at once a turn. In one turn libuv reads a socket up to 32 times; a MiB is inflated, and the rest of a message begun.
        // What a stream's window has let come is handed on at once.
        const window = isH2(wire) ? MIB : 0
        const excess = 'compressed' in flood ? 3 : Math.ceil((33 * 65_536 + window) / flood.size)
        let pauses = 0
        for (let taken = 0; taken < flood.count; ) {
          // Nothing is taken while more comes.
          await until(
            () => it.self.messageQueueLength > most / 2 || it.self.messageQueueLength === flood.count - taken,
          )
          for (let before = 0; before !== it.self.messageQueueLength; await settle())
            before = it.self.messageQueueLength
          const waiting = it.self.messageQueueLength
          assert.ok(waiting <= most + excess, `${waiting} wait`)
          const isHeldUp = waiting < flood.count - taken
          if (isHeldUp && pauses++ % 4 === 0) memory.look('kept')
          await takeInOrder(it, flood, waiting, taken)
          taken += waiting
        }
        assert.ok(pauses > 0)
        memory.assertBounded()
      })
    }

    for (const compressed of [false, true]) {
      test(`an owner that waits for what comes behind ${compressed ? 'a compressed' : 'a'} flood gets it`, async () => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        const flood = {
          count: compressed ? 100 : 1000,
          size: compressed ? MIB : 65_536,
          compressed,
          last: 'at last',
        }
        await using it = await flooded(server, wire, flood, { bytes: 4 * MIB })
        await until(() => it.self.messageQueueLength * flood.size > 4 * MIB)
        await settle()
        assert.ok(it.self.messageQueueLength < flood.count)
        await it.self.receive([{ type: 'gun_ws', frame: ['text', 'at last'] }])
        assert.equal(it.self.messageQueueLength, flood.count)
        await takeInOrder(it, flood, flood.count, 0)
      })
    }

    test('a message that inflates to 1 GiB is refused long before', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const deflate = new Deflate()
      const blocks = Buffer.concat(Array(1023).fill(deflate.block(Buffer.alloc(MIB))))
      const payload = Buffer.concat([blocks, deflate.deflate(Buffer.alloc(MIB))])
      const memory = new Memory()
      const wsOpts = { compress: true, maxPayload: 2 * MIB }
      await using it = await upgraded(wire, { opts: { retry: 0 }, wsOpts, answer: DEFLATE })
      await it.peer.send(frame({ opcode: opcodes.binary, rsv1: true, payload }))
      let over = false
      const story = it.story().finally(() => {
        over = true
      })
      while (!over) {
        memory.look('peak')
        await turn()
      }
      assert.deepEqual(await story, it.ending('limit_reached'))
      assert.equal((await receiveFrame(it.peer)).payload.readUInt16BE(), 1009)
      memory.assertBounded()
    })

    test('what a frame announces takes no memory before it comes', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const memory = new Memory()
      await using it = await upgraded(wire, { wsOpts: { maxPayload: Number.POSITIVE_INFINITY } })
      const head = frame({ opcode: opcodes.binary, claims: 2 ** 31, payload: 'the beginning' })
      await it.peer.send(Buffer.concat([frame({ opcode: opcodes.text, payload: 'before' }), head]))
      await it.self.receive([{ type: 'gun_ws' }])
      memory.look('peak')
      memory.assertBounded()
    })
  })
}
