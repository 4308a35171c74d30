// reupgrade and a server that refuses for a while: asked for again, later and later, and each refusal is told.

import assert from 'node:assert/strict'
import { describe, mock, type TestContext, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import * as gun from '@holster/gun'
import { setExitHook } from '@holster/process'
import type { Peer, RequestHead } from '@holster/testing'
import { receiveFrame, switchingProtocols } from '@holster/testing/frames'
import { chance } from '../support/chance.ts'
import { NO_CONTENT, PATIENCE } from '../support/client.ts'
import { assertNothingLeft, collectWarnings } from '../support/leftovers.ts'
import { isH2, type Scene, text, transports, upgraded, wires } from '../support/websocket-scene.ts'

// Node 20 warns at the first use, which no test has to answer for.
mock.timers.reset()
await turn()

/** Time is the test's, and chance is in the middle. */
function clock(t: TestContext): (ms: number) => void {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] })
  chance(0.5)
  t.after(() => chance(0))
  return ms => t.mock.timers.tick(ms)
}

/** The server ends the connection that it has this side of. */
const hangUp = (it: Scene, peer: Peer): void => (it.isH2 ? it.lose() : peer.end())

/** A WebSocket that was lost, and is asked for again: the server's side of that. */
async function lost(
  it: Scene,
  tick: (ms: number) => void,
  last = it.peer,
): Promise<{ peer: Peer; request: RequestHead }> {
  hangUp(it, last)
  await it.self.receive([{ type: 'gun_down' }])
  tick(1000)
  await it.self.receive([{ type: 'gun_up' }])
  return asked(it)
}

/** The next upgrade, on the next connection. */
async function asked(it: Scene): Promise<{ peer: Peer; request: RequestHead }> {
  const peer = await it.next()
  return { peer, request: await peer.receiveRequest() }
}

/** The next upgrade, behind one that was refused. */
async function askedBehind(it: Scene, peer: Peer): Promise<{ peer: Peer; request: RequestHead }> {
  return it.isH2 ? asked(it) : { peer, request: await peer.receiveRequest() }
}

const refusal = (status: number, ...fields: string[]): string =>
  [`HTTP/1.1 ${status} No`, ...fields, 'content-length: 4', '', 'busy'].join('\r\n')

/** The refusal that the owner hears of. */
async function refused(it: Scene): Promise<{ status: number; retryIn: number }> {
  const message = await it.self.receive([{ type: 'gun_notify', event: 'upgrade_refused' }], PATIENCE)
  assert.equal(message.streamRef, it.streamRef)
  assert.ok(message.data.headers.some(([name]) => name === 'content-length'))
  const { status, retryIn } = message.data
  return { status, retryIn }
}

/** Lets so much time pass, and makes sure that nothing was asked for before. */
function wait(tick: (ms: number) => void, ms: number): void {
  tick(ms - 1)
  tick(1)
}

const wsOpts = { reupgrade: true } as const

for (const wire of wires) {
  describe(`a WebSocket over ${wire} that comes back to a server that refuses it`, () => {
    for (const status of [426, 429, 502, 503, 504]) {
      test(`with ${status} is asked for again, and is the same stream`, async t => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        const tick = clock(t)
        await using it = await upgraded(wire, { wsOpts })
        let { peer, request } = await lost(it, tick)
        await peer.send(refusal(status))
        assert.deepEqual(await refused(it), { status, retryIn: 1000 })
        assert.equal(it.self.messageQueueLength, 0)
        wait(tick, 1000)
        ;({ peer, request } = await askedBehind(it, peer))
        await peer.send(switchingProtocols(request))
        await it.self.receive([{ type: 'gun_upgrade', streamRef: it.streamRef }], PATIENCE)
        await peer.send(text('down'))
        await it.self.receive([{ type: 'gun_ws', streamRef: it.streamRef }], PATIENCE)
        gun.wsSend(it.connPid, it.streamRef, ['text', 'up'])
        assert.equal(String((await receiveFrame(peer)).payload), 'up')
        assert.equal(it.server.connections, 2)
      })
    }

    test('waits twice as long each time, at most maxDelay, and begins anew once it was back', async t => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const tick = clock(t)
      const reupgrade = { minDelay: 100, maxDelay: 500 }
      await using it = await upgraded(wire, { wsOpts: { reupgrade } })
      let last = it.peer
      for (let n = 0; n < 2; n++) {
        let { peer, request } = await lost(it, tick, last)
        for (const retryIn of [100, 200, 400, 500, 500]) {
          await peer.send(refusal(503))
          assert.deepEqual(await refused(it), { status: 503, retryIn })
          wait(tick, retryIn)
          ;({ peer, request } = await askedBehind(it, peer))
        }
        await peer.send(switchingProtocols(request))
        await it.self.receive([{ type: 'gun_upgrade' }], PATIENCE)
        await peer.send(text('welcome'))
        await it.self.receive([{ type: 'gun_ws' }], PATIENCE)
        last = peer
      }
    })

    for (const [value, retryIn] of [
      ['7', 7500],
      ['0', 500],
      ['86400', 60_500],
      [new Date(9000).toUTCString(), 'date'],
      ['Thu, 01 Jan 1970 00:00:00 GMT', 500],
      ['-5', 1000],
      ['soon', 1000],
      ['7, 9', 1000],
    ] as const) {
      test(`honours retry-after: ${value}`, async t => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        const tick = clock(t)
        await using it = await upgraded(wire, { wsOpts })
        const { peer } = await lost(it, tick)
        await peer.send(refusal(503, `retry-after: ${value}`))
        // A second of the mocked time has passed before.
        assert.equal((await refused(it)).retryIn, retryIn === 'date' ? 8500 : retryIn)
      })
    }

    test('waits for no longer than a timer can, whatever the server wants', async t => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const tick = clock(t)
      const reupgrade = { maxDelay: 2147483647 }
      await using it = await upgraded(wire, { wsOpts: { reupgrade } })
      const { peer } = await lost(it, tick)
      await peer.send(refusal(503, 'retry-after: 999999999'))
      assert.equal((await refused(it)).retryIn, 2147483647)
    })

    test('is not asked for before its time on another connection either', async t => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const tick = clock(t)
      await using it = await upgraded(wire, {
        wsOpts: { reupgrade: { minDelay: 5000 } },
        opts: { retryTimeout: 1000 },
      })
      const { peer } = await lost(it, tick)
      await peer.send(refusal(503))
      await refused(it)
      hangUp(it, peer)
      const down = await it.self.receive([{ type: 'gun_down' }], PATIENCE)
      assert.deepEqual(down.killedStreams, [])
      tick(1000)
      await it.self.receive([{ type: 'gun_up' }], PATIENCE)
      const plain = gun.get(it.connPid, '/plain')
      const next = await asked(it)
      assert.equal(next.request.path, '/plain')
      await next.peer.send(NO_CONTENT)
      await it.self.receive([{ type: 'gun_response', streamRef: plain }], PATIENCE)
      tick(4000)
      const { request } = await askedBehind(it, next.peer)
      assert.equal(request.path, it.request.path)
    })

    test('is asked for with the next connection where there is none when its time has come', async t => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const tick = clock(t)
      await using it = await upgraded(wire, { wsOpts: { reupgrade: { minDelay: 10 } } })
      const { peer } = await lost(it, tick)
      await peer.send(refusal(503))
      await refused(it)
      hangUp(it, peer)
      await it.self.receive([{ type: 'gun_down' }], PATIENCE)
      tick(10)
      assert.equal(gun.info(it.connPid).stateName, 'not_connected')
      tick(1000)
      await it.self.receive([{ type: 'gun_up' }], PATIENCE)
      const { request } = await asked(it)
      assert.equal(request.path, it.request.path)
    })

    for (const [what, reupgrade] of [
      ['a status that is not among them', { statuses: [500] }],
      ['a function that says no', { statuses: () => false }],
      ['no attempts left', { attempts: 0 }],
    ] as const) {
      test(`ends with ${what}: the refusal comes as it is`, async t => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        const tick = clock(t)
        await using it = await upgraded(wire, { wsOpts: { reupgrade } })
        const { peer } = await lost(it, tick)
        await peer.send(refusal(503))
        assert.deepEqual(await it.heard(2), ['response 503 nofin', 'data fin busy'])
        tick(1_000_000)
        assert.equal(it.server.connections, 2)
      })
    }

    test('asks a function for each refusal, and so many times as attempts says', async t => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const tick = clock(t)
      const seen: unknown[] = []
      const statuses = (status: number, headers: gun.Headers): boolean => {
        seen.push([status, headers.some(([name]) => name === 'content-length')])
        return true
      }
      await using it = await upgraded(wire, {
        wsOpts: { reupgrade: { statuses, attempts: 2, minDelay: 10 } },
      })
      let { peer } = await lost(it, tick)
      for (const status of [404, 500]) {
        await peer.send(refusal(status))
        const { retryIn } = await refused(it)
        tick(retryIn)
        ;({ peer } = await askedBehind(it, peer))
      }
      await peer.send(refusal(503))
      assert.deepEqual(await it.heard(2), ['response 503 nofin', 'data fin busy'])
      assert.deepEqual(seen, [
        [404, true],
        [500, true],
      ])
    })

    const boom = new Error('boom')
    for (const [what, statuses, isOurs] of [
      ['throws', () => assert.fail(boom), false],
      ['gives no boolean', () => 1, true],
      ['is asynchronous', async () => true, true],
    ] as const) {
      test(`reports a function that ${what}, and ends with the refusal`, async t => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        const reasons: unknown[] = []
        const previous = setExitHook((_, reason) => reasons.push(reason))
        try {
          const tick = clock(t)
          await using it = await upgraded(wire, {
            wsOpts: { reupgrade: { statuses: statuses as unknown as () => boolean } },
          })
          const { peer } = await lost(it, tick)
          await peer.send(refusal(503))
          assert.deepEqual(await it.heard(2), ['response 503 nofin', 'data fin busy'])
          const [reason] = reasons
          assert.ok(reason instanceof gun.GunError && reason.code === 'bad_option')
          assert.match(reason.message, /^wsOpts.reupgrade.statuses (threw: boom|must give a boolean)/)
          if (!isOurs) assert.equal(reason.cause, boom)
        } finally {
          setExitHook(previous)
        }
      })
    }

    for (const [how, end, told] of [
      ['cancel', (it: Scene) => gun.cancel(it.connPid, it.streamRef), []],
      ['close', (it: Scene) => gun.close(it.connPid), ['error of the stream: shutdown', 'DOWN: shutdown']],
      [
        'shutdown',
        (it: Scene) => gun.shutdown(it.connPid),
        ['error of the stream: shutdown', 'DOWN: shutdown'],
      ],
    ] as const) {
      test(`is not asked for after ${how} while it waits`, async t => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        const tick = clock(t)
        await using it = await upgraded(wire, { wsOpts })
        const { peer } = await lost(it, tick)
        await peer.send(refusal(503))
        await refused(it)
        end(it)
        if (told.length > 0) assert.deepEqual(await it.heard(told.length), told)
        tick(1_000_000)
        for (let turns = 0; turns < 20; turns++) await turn()
        assert.equal(it.self.messageQueueLength, 0)
        assert.equal(it.server.connections, 2)
      })
    }
  })
}

for (const transport of transports) {
  describe(`a WebSocket over ${transport} whose time comes when another has the connection`, () => {
    /** Has the upgrade wait behind another WebSocket, and gives the server's side of that. */
    async function behindAnother(it: Scene, tick: (ms: number) => void): Promise<Peer> {
      const { peer } = await lost(it, tick)
      await peer.send(refusal(503))
      const { retryIn } = await refused(it)
      const other = gun.wsUpgrade(it.connPid, '/other')
      await peer.send(switchingProtocols(await peer.receiveRequest()))
      await it.self.receive([{ type: 'gun_upgrade', streamRef: other }], PATIENCE)
      tick(retryIn)
      assert.equal(it.self.messageQueueLength, 0)
      return peer
    }

    test('is asked for on the next connection', async t => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const tick = clock(t)
      await using it = await upgraded(transport, { wsOpts })
      const { request } = await lost(it, tick, await behindAnother(it, tick))
      assert.equal(request.path, it.request.path)
    })

    test('hears of the end of the connection', async t => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const tick = clock(t)
      await using it = await upgraded(transport, { wsOpts })
      await behindAnother(it, tick)
      gun.close(it.connPid)
      const { streamRef } = it
      const { reason } = await it.self.receive([{ type: 'gun_error', streamRef }], PATIENCE)
      assert.equal(reason.code, 'shutdown')
    })
  })
}

test('the first refusal of an upgrade is final, whatever reupgrade says', async t => {
  await using _left = assertNothingLeft()
  await using _calm = collectWarnings()
  const tick = clock(t)
  const { asking } = await import('../support/websocket-scene.ts')
  await using it = await asking('tcp', { wsOpts })
  await it.peer.send(refusal(503))
  assert.deepEqual(await it.heard(2), ['response 503 nofin', 'data fin busy'])
  tick(1_000_000)
  assert.equal(isH2('tcp'), false)
})
