/** The parts of the market feed hold against every fault of an exchange. */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import type * as gun from '@holster/gun'
import { genServer, supervisor } from '@holster/otp'
import { call, exit, type Process, processes, processInfo, setExitHook, spawn } from '@holster/process'
import type { Peer } from '@holster/testing'
import { frame, opcodes, receiveFrame, switchingProtocols } from '@holster/testing/frames'
import { WebSocket } from 'ws'
import { archive } from '../../examples/market-feed/archive.ts'
import { findBook } from '../../examples/market-feed/book.ts'
import { market } from '../../examples/market-feed/market.ts'
import { FAULTS, faultAt, startExchange, tickOf } from '../../examples/market-feed/server.ts'
import type { Request } from '../../examples/market-feed/tick.ts'
import { defer, eventually } from '../support/client.ts'
import { origin } from '../support/origin.ts'
import { text } from '../support/websocket-scene.ts'

const SYMBOL = 'S00'

const tick = (seq: number): Buffer => text(JSON.stringify(tickOf(SYMBOL, seq)))
const end = (last: number): Buffer => text(JSON.stringify({ type: 'end', last }))

const ticks = (from: number, to: number): Buffer[] =>
  Array.from({ length: to - from + 1 }, (_, n) => tick(from + n))

async function request(peer: Peer): Promise<Request> {
  return JSON.parse(String((await receiveFrame(peer)).payload))
}

/** Accepts the upgrade of a feed, and gives the first that it asks for. */
async function accept(peer: Peer): Promise<Request> {
  await peer.send(switchingProtocols(await peer.receiveRequest()))
  return await request(peer)
}

/** The prices that feeds have handed to the book, and whoever is to hear of the end of trading. */
async function trade(t: TestContext, port: number, symbols: readonly string[] = [SYMBOL]) {
  const log = t.mock.method(console, 'log', () => {})
  const tree = await supervisor.start(market({ port, symbols, archived: 0 }))
  t.after(() => supervisor.stop(tree).catch(() => {}))
  const lines = () => log.mock.calls.map(call => String(call.arguments[0]))
  return { tree, lines }
}

const summary = (count: number, symbols = 1) =>
  new RegExp(`^the book has ${count} ticks of ${symbols} symbols in order`)

function feedProcess(symbol = SYMBOL): Process<never> {
  const found = processes().find(each => each.label === `feed ${symbol}`)
  assert.ok(found, `there is no feed of ${symbol}`)
  return found
}

test('an exchange that is killed in the middle of a frame is asked for what was not whole', async t => {
  const asked: Request[] = []
  await using server = await origin(async (peer, index) => {
    asked.push(await accept(peer))
    if (index > 0) return peer.send(Buffer.concat([...ticks(3, 4), end(4)]))
    await peer.send(Buffer.concat([tick(1), tick(2), tick(3).subarray(0, 20)]))
    peer.end()
  })
  const { tree, lines } = await trade(t, server.port)
  assert.equal(await tree.exited, 'shutdown')
  assert.deepEqual(asked, [
    { type: 'subscribe', from: 1 },
    { type: 'subscribe', from: 3 },
  ])
  assert.match(lines().at(-1) ?? '', summary(4))
})

test('garbage crashes the feed, and another subscribes behind what the book has', async t => {
  const crashes: unknown[] = []
  const previous = setExitHook((_pid, reason) => crashes.push(reason))
  t.after(() => setExitHook(previous))
  const asked: Request[] = []
  await using server = await origin(async (peer, index) => {
    asked.push(await accept(peer))
    await peer.send(Buffer.concat(index === 0 ? [tick(1), text('{"type":"tick"')] : [tick(2), end(2)]))
  })
  const { tree, lines } = await trade(t, server.port)
  assert.equal(await tree.exited, 'shutdown')
  assert.deepEqual(asked, [
    { type: 'subscribe', from: 1 },
    { type: 'subscribe', from: 2 },
  ])
  assert.deepEqual(crashes.map(String), ['Error: garbage from the exchange: {"type":"tick"'])
  assert.match(lines().at(-1) ?? '', summary(2))
})

test('a frame that breaks RFC 6455 costs a connection, and no tick', async t => {
  const asked: Request[] = []
  await using server = await origin(async (peer, index) => {
    asked.push(await accept(peer))
    if (index > 0) return peer.send(Buffer.concat([tick(2), end(2)]))
    await peer.send(Buffer.concat([tick(1), frame({ opcode: opcodes.text, payload: '', rsv2: true })]))
    await peer.receiveAll()
    peer.end()
  })
  const { tree, lines } = await trade(t, server.port)
  assert.equal(await tree.exited, 'shutdown')
  assert.deepEqual(asked.at(-1), { type: 'subscribe', from: 2 })
  assert.match(lines().at(-1) ?? '', summary(2))
})

test('a gap is repaired, and no tick behind it overtakes', async t => {
  await using server = await origin(async peer => {
    await accept(peer)
    await peer.send(Buffer.concat([tick(1), tick(4), tick(5), end(6)]))
    assert.deepEqual(await request(peer), { type: 'replay', from: 2, to: 3 })
    assert.deepEqual(await request(peer), { type: 'replay', from: 6, to: 6 })
    const { tick: last } = (await genServer.getState(findBook())).get(SYMBOL) ?? {}
    assert.equal(last?.seq, 1, 'the ticks behind the gap wait for it')
    await peer.send(Buffer.concat([tick(2), tick(3), tick(6)]))
  })
  const { tree, lines } = await trade(t, server.port)
  assert.equal(await tree.exited, 'shutdown')
  await server.finished()
  assert.match(lines().at(-1) ?? '', summary(6))
})

test('a refusal with 503 is tried again on the next connection', async t => {
  const asked: Request[] = []
  await using server = await origin(async (peer, index) => {
    if (index === 1) {
      await peer.receiveRequest()
      return peer.end('HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n')
    }
    asked.push(await accept(peer))
    await peer.send(index === 0 ? tick(1) : Buffer.concat([tick(2), end(2)]))
    if (index === 0) peer.end()
  })
  const { tree, lines } = await trade(t, server.port)
  assert.equal(await tree.exited, 'shutdown')
  assert.equal(server.connections, 3)
  assert.deepEqual(asked.at(-1), { type: 'subscribe', from: 2 })
  assert.match(lines().at(-1) ?? '', summary(2))
})

test('a book that is busy holds the exchange back, and loses nothing', async t => {
  const count = 20_000
  await using server = await origin(async peer => {
    await accept(peer)
    await peer.send(Buffer.concat([...ticks(1, count), end(count)]))
  })
  const { tree, lines } = await trade(t, server.port)
  await genServer.suspend(findBook())
  const feed = feedProcess()
  await eventually(() => processInfo(feed).pressesOn.length > 0, 'the connection is paused')
  assert.ok(processInfo(feed).messageQueueLength < count)
  await genServer.resume(findBook())
  assert.equal(await tree.exited, 'shutdown')
  assert.match(lines().at(-1) ?? '', summary(count))
})

test('an end in order hands over whatever has come', async t => {
  const sent = defer<void>()
  await using server = await origin(async peer => {
    await accept(peer)
    await peer.send(Buffer.concat(ticks(1, 50)))
    sent.resolve()
  })
  const { tree, lines } = await trade(t, server.port)
  await genServer.suspend(findBook())
  await sent.promise
  const feed = feedProcess()
  // The first tick is on its way to the book.
  await eventually(() => processInfo(feed).messageQueueLength === 49, 'all ticks have come')
  exit(tree, 'shutdown')
  await eventually(() => processInfo(feed).messageQueueLength === 50, 'the feed is told to end')
  await genServer.resume(findBook())
  assert.equal(await tree.exited, 'shutdown')
  assert.match(lines().at(-1) ?? '', summary(50))
})

for (const seed of [1, 2, 3]) {
  test(`an exchange with a fault at every second tick is read to its end, with seed ${seed}`, async t => {
    const crashes: unknown[] = []
    const previous = setExitHook((_pid, reason) => crashes.push(reason))
    t.after(() => setExitHook(previous))
    const options = { seed, last: 12, pace: 0, faultRate: 0.5 }
    const symbols = ['S00', 'S01', 'S02']
    await using exchange = await startExchange(options)
    const { tree, lines } = await trade(t, exchange.port, symbols)
    assert.equal(await tree.exited, 'shutdown')
    assert.match(lines().at(-1) ?? '', summary(36, 3))
    const expected = { drop: 0, refusal: 0, silence: 0, garbage: 0, gap: 0 }
    for (const symbol of symbols) {
      for (let seq = 1; seq <= options.last; seq++) {
        const fault = faultAt(options, symbol, seq)
        if (fault !== undefined) expected[fault]++
      }
    }
    assert.deepEqual(exchange.faults, expected)
    assert.ok(FAULTS.every(fault => expected[fault] > 0))
    for (const crash of crashes)
      assert.match(String(crash), /garbage from the exchange|refuses S0\d with 503/)
  })
}

test('the archive lets no more ticks come than it has room for, and stores them in order', async t => {
  const log = t.mock.method(console, 'log', () => {})
  const length = 500
  const asked: Request[] = []
  await using server = await origin(async (peer, index) => {
    const first = await accept(peer)
    asked.push(first)
    // The first connection is lost in the middle of the history.
    await peer.send(Buffer.concat(ticks(first.from, index === 0 ? 200 : length)))
    if (index === 0) peer.end()
  })
  const gate = defer<void>()
  const stored: number[] = []
  const reader = spawn<gun.GunMessage>(
    archive({
      port: server.port,
      symbol: SYMBOL,
      length,
      store: async ({ seq }) => {
        stored.push(seq)
        await gate.promise
      },
    }),
  )
  t.after(() => reader.exit())
  await eventually(() => processInfo(reader).messageQueueLength === 15, 'all but the first of sixteen wait')
  gate.resolve()
  assert.equal(await reader.exited, 'normal')
  assert.deepEqual(
    stored,
    Array.from({ length }, (_, n) => n + 1),
  )
  assert.equal(asked.length, 2)
  const [, most] = /of which at most (\d+) waited/.exec(String(log.mock.calls[0]?.arguments[0])) ?? []
  assert.ok(Number(most) <= 16, `${most} waited`)
})

test('an exchange sends a client away that sends garbage, and goes on', async () => {
  await using exchange = await startExchange({ seed: 1, last: 1, pace: 0, faultRate: 0 })
  const open = async (request: string) => {
    const client = new WebSocket(`ws://127.0.0.1:${exchange.port}/ticks/${SYMBOL}`)
    await once(client, 'open')
    client.send(request)
    return client
  }
  for (const garbage of ['{', 'null']) {
    const [code] = await once(await open(garbage), 'close')
    assert.equal(code, 1008)
  }
  const [first] = await once(await open('{"type":"subscribe","from":1}'), 'message')
  assert.deepEqual(JSON.parse(String(first)), tickOf(SYMBOL, 1))
})

test('anybody may ask the book for a price, and for a summary', async t => {
  await using server = await origin(async peer => {
    await accept(peer)
    await peer.send(Buffer.concat(ticks(1, 3)))
  })
  await trade(t, server.port)
  const lastSeq = async () => (await genServer.getState(findBook())).get(SYMBOL)?.tick.seq
  while ((await lastSeq()) !== 3);
  assert.equal(await call(findBook(), { type: 'price', symbol: SYMBOL }), tickOf(SYMBOL, 3).price)
  assert.equal(await call(findBook(), { type: 'price', symbol: 'S99' }), undefined)
  assert.deepEqual(await call(findBook(), { type: 'summary' }), { symbols: 1, ticks: 3, widest: SYMBOL })
})
