// Back-pressure goes through tunnels: whoever is slow at one end holds up the other, however many proxies are in between.

import assert from 'node:assert/strict'
import type { Readable, Writable } from 'node:stream'
import { test } from 'node:test'
import * as gun from '@holster/gun'
import { eventually, PATIENCE } from '../support/client.ts'
import type { Kinds } from '../support/tunnel-chains.ts'
import type { TunnelOriginOptions } from '../support/tunnel-origins.ts'
import { leadsTo, someWays, type Through, through, wayName } from '../support/tunnel-ways.ts'

type Answer = NonNullable<TunnelOriginOptions['onRequest']>

const MiB = 1 << 20
const PIECE = Buffer.alloc(64 * 1024, 'p')
/** More than the buffers of all sockets on the way hold. */
const MOST = 96 * MiB
/** The mark of the mailbox, and of what may wait to be sent. */
const MARK = MiB

/** Holds once `count` has not changed in many turns of the event loop: nothing moves any more. */
function still(count: () => number): () => boolean {
  let last = -1
  let turns = 0
  return () => {
    const now = count()
    turns = now === last ? turns + 1 : 0
    last = now
    return turns >= 200
  }
}

/** An origin that sends as much as is taken, and counts it. */
class Spring implements TunnelOriginOptions {
  sent = 0
  readonly onRequest: Answer = (_request, response) => {
    response.writeHead(200)
    this.#pour(response as Writable)
  }
  readonly onSocket = (socket: Writable): void => this.#pour(socket)

  #pour(to: Writable): void {
    const more = (): void => {
      while (this.sent < MOST && !to.destroyed) {
        this.sent += PIECE.length
        if (!to.write(PIECE)) return
      }
    }
    to.on('error', () => {}).on('drain', more)
    more()
  }
}

/** An origin that reads nothing until it is told to, and then counts up to the end. */
class Well implements TunnelOriginOptions {
  taken = 0
  hasEnded = false
  #from: Readable | undefined
  readonly onRequest: Answer = (request, response) => {
    this.#from = request as Readable
    this.#from.once('end', () => {
      response.writeHead(200)
      response.end('thanks')
    })
  }
  readonly onSocket = (socket: Readable): void => {
    this.#from = socket
  }

  read(): void {
    this.#from
      ?.on('data', (bytes: Buffer) => {
        this.taken += bytes.length
      })
      .once('end', () => {
        this.hasEnded = true
      })
      .resume()
  }
}

const isRaw = (kinds: Kinds): boolean => leadsTo(kinds, 'raw', 'rawtls')

function ask({ connPid, to, tunnel }: Through, kinds: Kinds): gun.StreamRef | undefined {
  return isRaw(kinds) ? tunnel : gun.get(connPid, '/', {}, to)
}

for (const kinds of someWays) {
  test(`a mailbox over its mark holds up the origin, through ${wayName(kinds)}`, async () => {
    const spring = new Spring()
    await using it = await through(kinds, {}, { highWaterMark: { bytes: MARK } }, spring)
    const { connPid, self } = it
    const streamRef = ask(it, kinds)
    await eventually(() => self.messageQueueLength > 0, 'nothing has come')
    await eventually(
      still(() => spring.sent),
      'the origin sends on and on',
    )
    const held = spring.sent
    assert.ok(held < MOST, `${held} bytes were sent and not read`)
    let taken = 0
    while (taken < held + MARK) {
      const message = await self.receive([{ connPid, streamRef }], PATIENCE)
      if (message.type === 'gun_data') taken += message.data.length
    }
    assert.ok(spring.sent > held)
  })

  test(`flow holds up the origin, through ${wayName(kinds)}`, async () => {
    const spring = new Spring()
    await using it = await through(
      kinds,
      { rawOpts: { flow: 1 }, httpOpts: { flow: 1 }, http2Opts: { flow: 1 } },
      {},
      spring,
    )
    const { connPid, self } = it
    const streamRef = ask(it, kinds)
    await eventually(
      still(() => spring.sent),
      'the origin sends on and on',
    )
    assert.equal(self.messageQueueLength, isRaw(kinds) ? 1 : 2)
    const held = spring.sent
    assert.ok(held < MOST, `${held} bytes were sent and not asked for`)
    gun.updateFlow(connPid, streamRef, MOST)
    let taken = 0
    while (taken < held + MARK) {
      const message = await self.receive([{ connPid, streamRef }], PATIENCE)
      if (message.type === 'gun_data') taken += message.data.length
    }
  })

  test(`an origin that does not read holds up the caller, and drains, through ${wayName(kinds)}`, async () => {
    const well = new Well()
    await using it = await through(kinds, { rawOpts: { sendHighWaterMark: MARK } }, {}, well)
    const { connPid, self, to, tunnel } = it
    const streamRef = isRaw(kinds)
      ? tunnel
      : gun.headers(connPid, 'POST', '/', {}, { sendHighWaterMark: MARK, ...to })
    let given = 0
    const give = (): boolean => {
      given += PIECE.length
      return gun.data(connPid, streamRef, 'nofin', PIECE)
    }
    for (;;) {
      assert.ok(given < MOST, `${given} bytes were taken and not read`)
      while (give());
      const moves = still(() => given)
      await eventually(() => self.messageQueueLength > 0 || moves(), 'neither room nor none')
      if (self.messageQueueLength === 0) break
      await self.receive([{ type: 'gun_notify', event: 'drain', streamRef }], 0)
    }
    well.read()
    const { data } = await self.receive([{ type: 'gun_notify', event: 'drain', streamRef }], PATIENCE)
    assert.ok(Number(data) <= MARK / 2)
    gun.data(connPid, streamRef, 'fin', '')
    await eventually(() => well.hasEnded, 'the end has not come')
    assert.equal(well.taken, given)
  })
}

test('whoever waits for a response behind a body that fills the mailbox gets it, within a tunnel over HTTP/2', async () => {
  await using it = await through(['h2c', 'http'], {}, { highWaterMark: { messages: 2, bytes: 1024 } })
  const { connPid, self, to } = it
  const big = gun.get(connPid, '/big', {}, to)
  const behind = gun.get(connPid, '/', {}, to)
  // The body presses back while nobody waits.
  await eventually(() => self.messageQueueLength > 1, 'nothing of the body has come')
  await self.receive([{ type: 'gun_response', streamRef: behind }], PATIENCE)
  const { body } = await gun.awaitBody(connPid, big, PATIENCE)
  assert.equal(body.length, MiB)
})
