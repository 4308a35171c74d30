// Functions of the caller's that are asynchronous and reject: reported as if they threw, and nothing else is harmed.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import * as gun from '@holster/gun'
import { createProcess, setExitHook } from '@holster/process'
import { closePayload, receiveFrame } from '@holster/testing/frames'
import { eventually, PATIENCE } from '../support/client.ts'
import { httpEnds } from '../support/http-ends.ts'
import { lineName, lines } from '../support/http-server.ts'
import { assertNothingLeft, collectWarnings } from '../support/leftovers.ts'
import { text, upgraded, wires } from '../support/websocket-scene.ts'

const boom = new Error('boom')

const fail = (): never => {
  throw boom
}

const thenable = Object.defineProperty({}, 'then', {
  value: (_: unknown, no: (reason: unknown) => void) => no(boom),
})

/** What the caller's function does, and how: at once, in a promise, or in something that can be awaited. */
const ways: Record<string, () => never> = {
  throws: fail,
  rejects: (async () => fail()) as unknown as () => never,
  'gives a thenable that rejects': (() => thenable) as unknown as () => never,
}

const throwOrderly = (): never => {
  throw 'normal'
}

/** The same with what would be an orderly end if it were a reason to exit. */
const reportedWays: Record<string, () => never> = {
  ...ways,
  "throws 'normal'": throwOrderly,
  "rejects with 'normal'": (async () => throwOrderly()) as unknown as () => never,
}

/** Whether a report tells of one of these. */
const isTold = (reason: unknown): boolean =>
  reason === boom || (reason instanceof Error && reason.cause === 'normal')

/** Takes what the exit hook gets. */
function hooked(): Disposable & { readonly reasons: unknown[] } {
  const reasons: unknown[] = []
  const previous = setExitHook((_, reason) => reasons.push(reason))
  return { reasons, [Symbol.dispose]: () => setExitHook(previous) }
}

/** Turns the event loop until so many reports have come, and a little more. */
async function reported(it: ReturnType<typeof hooked>, count: number): Promise<readonly unknown[]> {
  await eventually(() => it.reasons.length >= count, `fewer than ${count} reports came`)
  await turn()
  return it.reasons
}

const everyEvent = (call: () => never): gun.EventHandler =>
  new Proxy({}, { get: () => call, has: () => true })

const storeOf = (synchronous: boolean, call: () => never): gun.CookieStore => ({
  store: { synchronous },
  getCookieString: synchronous ? async () => '' : call,
  setCookie: call,
  getCookieStringSync: () => '',
  setCookieSync: call,
})

/** A function of the caller's, given where it belongs. */
const places: Record<string, (call: () => never) => { opts?: gun.Opts; reqOpts?: gun.ReqOpts; body?: true }> =
  {
    'every method of eventHandler': call => ({ opts: { eventHandler: everyEvent(call) } }),
    trace: call => ({ opts: { trace: call } }),
    'replyTo, a function': call => ({ reqOpts: { replyTo: call } }),
    'replyTo.send': call => ({ reqOpts: { replyTo: { send: call } } }),
    'a cookie store': call => ({ opts: { cookieStore: storeOf(false, call) } }),
    'a cookie store that is synchronous': call => ({ opts: { cookieStore: storeOf(true, call) } }),
    'close of a content handler': call => ({
      opts: {
        httpOpts: {
          contentHandlers: [
            { init: (_, next) => ({ handle: (isFin, data) => next(isFin, data), close: call }) },
          ],
        },
      },
    }),
  }

for (const line of lines) {
  describe(`over ${lineName(line)}`, () => {
    for (const [place, given] of Object.entries(places)) {
      for (const [way, call] of Object.entries(reportedWays)) {
        test(`${place} that ${way} is reported, and the response comes`, async () => {
          await using _left = assertNothingLeft()
          await using _calm = collectWarnings()
          using hook = hooked()
          const { opts, reqOpts } = given(call)
          await using it = await httpEnds(line, opts)
          const other = gun.get(it.connPid, '/other', {}, { replyTo: it.self })
          gun.get(it.connPid, '/', {}, reqOpts)
          const fields = [['set-cookie', 'a=1'] as const, ['content-length', '2'] as const]
          await it.peer.serve({ status: 200, fields, body: 'ok' })
          await it.peer.serve({ status: 200, fields, body: 'ok' })
          const response = await gun.await(it.connPid, other, PATIENCE)
          assert.ok(response.type === 'gun_response' && response.status === 200)
          assert.equal(String((await gun.awaitBody(it.connPid, other, PATIENCE)).body), 'ok')
          const reasons = await reported(hook, 1)
          assert.ok(reasons.length > 0 && reasons.every(isTold), String(reasons))
          assert.equal(gun.info(it.connPid).stateName, 'connected')
        })
      }
    }

    for (const [way, call] of Object.entries(ways)) {
      test(`init of a content handler that ${way} fails its stream alone, and is reported if it is not told`, async () => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        using hook = hooked()
        await using it = await httpEnds(line, { httpOpts: { contentHandlers: [{ init: call }] } })
        const first = gun.get(it.connPid, '/1')
        const second = gun.get(it.connPid, '/2')
        await it.peer.serve({ status: 200, fields: [['content-length', '2']], body: 'ok' })
        await it.peer.serve({ status: 204 })
        const { reason } = await it.self.receive([{ type: 'gun_error', streamRef: first }], PATIENCE)
        assert.deepEqual([reason.code, reason.kind], ['handler_error', 'stream_error'])
        if (way === 'throws') assert.equal(reason.cause, boom)
        else {
          assert.match(reason.message, /init of a content handler must give .* not a promise/)
          assert.deepEqual(await reported(hook, 1), [boom])
        }
        const response = await it.self.receive([{ type: 'gun_response', streamRef: second }], PATIENCE)
        assert.equal(response.status, 204)
      })
    }
  })
}

for (const wire of wires) {
  describe(`a subprotocol's handler over ${wire}`, () => {
    for (const [way, call] of Object.entries(ways)) {
      test(`whose handle ${way} ends its WebSocket with 1011, and handler_error`, async () => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        using hook = hooked()
        const wsOpts = { defaultProtocol: { init: () => undefined, handle: call } }
        await using it = await upgraded(wire, { wsOpts, opts: { retry: 0 } })
        await it.peer.send(text('a'))
        const { reason } = await it.self.receive([{ type: 'gun_error', streamRef: it.streamRef }])
        assert.equal(reason.code, 'handler_error')
        assert.deepEqual((await receiveFrame(it.peer)).payload, closePayload(1011))
        if (way === 'throws') assert.equal(reason.cause, boom)
        else {
          assert.match(reason.message, /handle must give a number of messages, not a promise/)
          assert.deepEqual(await reported(hook, 1), [boom])
        }
        assert.deepEqual(await it.story(), it.ending('handler_error').slice(1))
      })

      if (way === 'throws') continue
      test(`whose init ${way} ends its WebSocket with 1011, and handler_error`, async () => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        const wsOpts = { defaultProtocol: { init: call, handle: () => 0 } }
        await using it = await upgraded(wire, { wsOpts, opts: { retry: 0 } })
        const { reason } = await it.self.receive([{ type: 'gun_error', streamRef: it.streamRef }])
        assert.equal(reason.code, 'handler_error')
        assert.equal(reason.cause, boom)
        assert.deepEqual((await receiveFrame(it.peer)).payload, closePayload(1011))
        assert.deepEqual(await it.story(), it.ending('handler_error').slice(1))
      })
    }

    test('whose init gives a promise that resolves, or what cannot be read, has that for a state', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const unreadable = new Proxy({}, { get: fail })
      for (const state of [Promise.resolve(1), unreadable]) {
        let given: unknown
        const handle = (_frame: gun.WsFrameIn, mine: unknown): number => {
          given = mine
          return 0
        }
        const wsOpts = { defaultProtocol: { init: () => state, handle } }
        await using it = await upgraded(wire, { wsOpts })
        await it.peer.send(text('a'))
        await eventually(() => given === state, 'the frame did not come with its state')
      }
    })
  })
}

test('an event handler whose methods cannot be read is reported, and the connection goes on', async () => {
  await using _left = assertNothingLeft()
  await using _calm = collectWarnings()
  using hook = hooked()
  let isBroken = false
  const eventHandler = {
    get responseStart(): () => void {
      if (isBroken) throw boom
      return () => {}
    },
  }
  await using it = await httpEnds({ version: 'http', transport: 'tcp' }, { eventHandler })
  isBroken = true
  const streamRef = gun.get(it.connPid, '/')
  await it.peer.serve({ status: 204 })
  await it.self.receive([{ type: 'gun_response', streamRef }], PATIENCE)
  assert.ok(hook.reasons.length > 0 && hook.reasons.every(reason => reason === boom))
})

test('the exit hook itself may be asynchronous and reject: Node warns of both', async () => {
  await using calm = collectWarnings()
  const previous = setExitHook(async () => fail())
  try {
    createProcess().exit('crash')
    const { warnings } = await calm.take()
    assert.deepEqual(
      warnings.map(({ message }) => message.replace(/^\S+ exited: /, '')),
      ['crash', 'Error: boom'],
    )
  } finally {
    setExitHook(previous)
  }
})
