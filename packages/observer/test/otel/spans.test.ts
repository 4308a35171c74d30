// Spans of requests and upgrades: their attributes, their parents, the context in the header fields, and one end for each.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as gun from '@holster/gun'
import { instrument } from '@holster/observer/otel'
import { createProcess, exit, type Process } from '@holster/process'
import { SpanKind, SpanStatusCode } from '@opentelemetry/api'
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base'
import { type RecordingServer, recordingServer, type Version } from '../support/recording-server.ts'
import { type Telemetry, telemetry } from '../support/telemetry.ts'

const PATIENCE = 20_000

interface Scene extends AsyncDisposable {
  readonly otel: Telemetry
  readonly server: RecordingServer
  readonly self: Process<gun.GunMessage>
  readonly connPid: gun.ConnPid
}

/** A server, an instrumentation, and a connection that is up. */
async function scene(version: Version = 'http', options?: Parameters<typeof telemetry>[0]): Promise<Scene> {
  const otel = telemetry(options)
  const server = await recordingServer(version)
  const self = createProcess<gun.GunMessage>()
  const connPid = gun.open('127.0.0.1', server.port, { owner: self, protocols: [version], retry: 0 })
  await gun.awaitUp(connPid, PATIENCE)
  return {
    otel,
    server,
    self,
    connPid,
    async [Symbol.asyncDispose]() {
      gun.close(connPid)
      await connPid[Symbol.asyncDispose]()
      self.exit()
      await server[Symbol.asyncDispose]()
      await otel[Symbol.asyncDispose]()
    },
  }
}

function only(otel: Telemetry): ReadableSpan {
  const spans = otel.spans()
  assert.equal(spans.length, 1)
  return spans[0] as ReadableSpan
}

async function ended(connPid: gun.ConnPid): Promise<void> {
  const self = createProcess()
  self.monitor(connPid)
  await self.receive([{ type: 'DOWN' }], PATIENCE)
  self.exit()
}

for (const version of ['http', 'http2'] as const) {
  describe(`a span over ${version}`, () => {
    test('has the attributes of the conventions, the active span as its parent, and is the parent of the server', async () => {
      await using it = await scene(version)
      const { otel, server, connPid } = it
      const path = '/a/b?q=1&api_key=secret&Signature=abc'
      const { result, spanId, traceId } = otel.within(() => gun.get(connPid, path))
      await gun.awaitResponse(connPid, result, PATIENCE)
      const span = only(otel)
      assert.equal(span.name, 'GET')
      assert.equal(span.kind, SpanKind.CLIENT)
      assert.deepEqual(span.status, { code: SpanStatusCode.UNSET })
      assert.deepEqual(span.attributes, {
        'http.request.method': 'GET',
        'url.full': `http://127.0.0.1:${server.port}/a/b?q=1&api_key=REDACTED&Signature=REDACTED`,
        'url.scheme': 'http',
        'server.address': '127.0.0.1',
        'server.port': server.port,
        'network.protocol.name': 'http',
        'network.protocol.version': version === 'http' ? '1.1' : '2',
        'http.response.status_code': 200,
      })
      assert.equal(span.parentSpanContext?.spanId, spanId)
      assert.equal(span.spanContext().traceId, traceId)
      assert.equal(server.seen.get(path)?.traceparent, `00-${traceId}-${span.spanContext().spanId}-01`)
    })

    test('is made of the context of the call, although the request is sent later', async () => {
      await using otel = telemetry()
      await using server = await recordingServer(version)
      const self = createProcess<gun.GunMessage>()
      const connPid = gun.open('127.0.0.1', server.port, { owner: self, protocols: [version] })
      // The connection is not up yet: both wait for it.
      const first = otel.within(() => gun.get(connPid, '/1'))
      const second = otel.within(() => gun.post(connPid, '/2', {}, 'body'))
      await gun.awaitUp(connPid, PATIENCE)
      for (const { result } of [first, second]) await gun.awaitResponse(connPid, result, PATIENCE)
      const parents = new Map(otel.spans().map(span => [span.name, span.parentSpanContext?.spanId]))
      assert.deepEqual(
        parents,
        new Map([
          ['GET', first.spanId],
          ['POST', second.spanId],
        ]),
      )
      gun.close(connPid)
      await connPid[Symbol.asyncDispose]()
      self.exit()
    })

    test('lasts until the last byte of the response, and includes trailers', async () => {
      await using it = await scene(version)
      const { otel, connPid } = it
      const streamRef = gun.get(connPid, '/trailers')
      const { trailers } = await gun.awaitResponse(connPid, streamRef, PATIENCE)
      assert.ok(trailers)
      assert.equal(only(otel).attributes['http.response.status_code'], 200)
    })

    for (const status of [404, 500] as const) {
      test(`has the status ERROR for ${status}`, async () => {
        await using it = await scene(version)
        await gun.awaitResponse(it.connPid, gun.get(it.connPid, `/status/${status}`), PATIENCE)
        const span = only(it.otel)
        assert.equal(span.status.code, SpanStatusCode.ERROR)
        assert.equal(span.attributes['error.type'], String(status))
        assert.equal(span.attributes['http.response.status_code'], status)
      })
    }

    test('of an unknown method is named HTTP', async () => {
      await using it = await scene(version)
      const streamRef = gun.request(it.connPid, 'PROPFIND', '/empty', {}, '')
      await gun.await(it.connPid, streamRef, PATIENCE)
      const span = only(it.otel)
      assert.equal(span.name, 'HTTP')
      assert.equal(span.attributes['http.request.method'], '_OTHER')
      assert.equal(span.attributes['http.request.method_original'], 'PROPFIND')
    })

    test('ends when the stream is cancelled', async () => {
      await using it = await scene(version)
      const streamRef = gun.get(it.connPid, '/hold')
      await it.server.arrival('/hold')
      gun.cancel(it.connPid, streamRef)
      const span = only(it.otel)
      assert.equal(span.attributes['error.type'], 'cancelled')
      assert.equal(span.status.code, SpanStatusCode.ERROR)
    })

    test('ends when the response breaks off', async () => {
      await using it = await scene(version)
      const streamRef = gun.get(it.connPid, '/cut')
      await assert.rejects(gun.awaitResponse(it.connPid, streamRef, PATIENCE))
      const span = only(it.otel)
      assert.equal(span.status.code, SpanStatusCode.ERROR)
      assert.equal(span.attributes['http.response.status_code'], 200)
      assert.ok(typeof span.attributes['error.type'] === 'string')
      assert.equal(span.events[0]?.name, 'exception')
    })

    test('of each stream ends when the connection is lost', async () => {
      await using it = await scene(version)
      for (const path of ['/hold/1', '/hold/2', '/hold/3']) gun.get(it.connPid, path)
      await it.server.arrival('/hold/1')
      it.server.reset()
      await ended(it.connPid)
      assert.equal(it.otel.begun, 3)
      assert.deepEqual(
        it.otel.spans().map(({ status }) => status.code),
        Array(3).fill(SpanStatusCode.ERROR),
      )
    })

    test('ends when the owner is gone', async () => {
      await using otel = telemetry()
      await using server = await recordingServer(version)
      const owner = createProcess<gun.GunMessage>()
      const connPid = gun.open('127.0.0.1', server.port, {
        owner,
        protocols: [version],
        httpOpts: { closingTimeout: 0 },
        http2Opts: { closingTimeout: 0 },
      })
      await gun.awaitUp(connPid, PATIENCE)
      gun.get(connPid, '/hold')
      await server.arrival('/hold')
      exit(owner, 'shutdown')
      await ended(connPid)
      assert.equal(only(otel).status.code, SpanStatusCode.ERROR)
    })

    test('ends when the connection is closed within a callback', async () => {
      await using it = await scene(version)
      const replyTo = () => gun.close(it.connPid)
      gun.get(it.connPid, '/1', {}, { replyTo })
      gun.get(it.connPid, '/hold', {}, { replyTo: () => {} })
      await ended(it.connPid)
      assert.equal(it.otel.spans().length, 2)
    })

    test('goes on behind data that is refused, and has it as an event', async () => {
      await using it = await scene(version)
      const streamRef = gun.post(it.connPid, '/hold', {}, 'all')
      await it.server.arrival('/hold')
      gun.data(it.connPid, streamRef, 'fin', 'too much')
      assert.equal(it.otel.spans().length, 0)
      gun.cancel(it.connPid, streamRef)
      const span = only(it.otel)
      assert.deepEqual(
        span.events.map(({ name }) => name),
        ['exception'],
      )
      assert.equal(span.attributes['error.type'], 'cancelled')
    })

    test('ends when its body has the wrong length', async () => {
      await using it = await scene(version)
      const streamRef = gun.post(it.connPid, '/hold', { 'content-length': 10 })
      gun.data(it.connPid, streamRef, 'fin', 'short')
      await assert.rejects(gun.await(it.connPid, streamRef, PATIENCE))
      assert.equal(only(it.otel).attributes['error.type'], 'badstate')
    })

    test('leaves the traceparent of the caller as it is', async () => {
      await using it = await scene(version)
      const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
      await gun.awaitResponse(it.connPid, gun.get(it.connPid, '/', { traceparent }), PATIENCE)
      assert.equal(it.server.seen.get('/')?.traceparent, traceparent)
      only(it.otel)
    })

    test('is made of requests of a pool, also of those that wait', async () => {
      await using otel = telemetry()
      await using server = await recordingServer(version)
      const pool = gun.pool.startPool('127.0.0.1', server.port, {
        size: 1,
        pipelining: 1,
        connOpts: { protocols: [version] },
      })
      const headers = { host: `127.0.0.1:${server.port}` }
      const asked = ['/1', '/2', '/3'].map(path => otel.within(() => gun.pool.get(path, headers)))
      const givenUp = otel.within(() => gun.pool.get('/never', headers))
      gun.pool.cancel(givenUp.result)
      for (const { result } of asked) await gun.pool.awaitResponse(result, PATIENCE)
      const spans = otel.spans()
      assert.equal(spans.length, 4)
      for (const { spanId, traceId } of asked) {
        const span = spans.find(each => each.parentSpanContext?.spanId === spanId)
        assert.equal(span?.attributes['http.response.status_code'], 200)
        assert.equal(span?.attributes['server.port'], server.port)
        const sent = `00-${traceId}-${span?.spanContext().spanId}-01`
        assert.ok([...server.seen.values()].some(({ traceparent }) => traceparent === sent))
      }
      const span = spans.find(each => each.parentSpanContext?.spanId === givenUp.spanId)
      assert.equal(span?.attributes['error.type'], 'cancelled')
      assert.equal(server.seen.has('/never'), false)
      pool.exit('shutdown')
      await pool.exited
    })
  })
}

describe('a span of an upgrade', () => {
  test('ends with the upgrade, not with the WebSocket', async () => {
    await using it = await scene()
    const { result, spanId, traceId } = it.otel.within(() => gun.wsUpgrade(it.connPid, '/ws?token=secret'))
    const { type } = await gun.await(it.connPid, result, PATIENCE)
    assert.equal(type, 'gun_upgrade')
    const span = only(it.otel)
    assert.equal(span.name, 'GET')
    assert.equal(span.attributes['http.response.status_code'], 101)
    assert.equal(span.attributes['url.full'], `http://127.0.0.1:${it.server.port}/ws?token=REDACTED`)
    assert.equal(span.parentSpanContext?.spanId, spanId)
    const sent = it.server.seen.get('/ws?token=secret')?.traceparent
    assert.equal(sent, `00-${traceId}-${span.spanContext().spanId}-01`)
  })

  test('that is refused has the status of the refusal', async () => {
    await using it = await scene()
    const { type } = await gun.await(it.connPid, gun.wsUpgrade(it.connPid, '/refused'), PATIENCE)
    assert.equal(type, 'gun_response')
    const span = only(it.otel)
    assert.equal(span.attributes['http.response.status_code'], 403)
    assert.equal(span.status.code, SpanStatusCode.ERROR)
  })

  test('whose answer is wrong ends with the error', async () => {
    await using it = await scene()
    await assert.rejects(gun.await(it.connPid, gun.wsUpgrade(it.connPid, '/wrong'), PATIENCE))
    const span = only(it.otel)
    assert.equal(span.status.code, SpanStatusCode.ERROR)
    assert.notEqual(span.attributes['error.type'], undefined)
  })

  test('that comes back with the next connection is one of its own, which says so', async () => {
    await using otel = telemetry()
    const server = await recordingServer()
    const { port } = server
    const self = createProcess<gun.GunMessage>()
    const connPid = gun.open('127.0.0.1', port, {
      owner: self,
      wsOpts: { reupgrade: true },
      retry: 10,
      retryTimeout: 10,
    })
    const { result, spanId } = otel.within(() => gun.wsUpgrade(connPid, '/ws'))
    await self.receive([{ type: 'gun_upgrade', streamRef: result }], PATIENCE)
    server.reset()
    await self.receive([{ type: 'gun_upgrade', streamRef: result }], PATIENCE)
    const spans = otel.spans()
    assert.deepEqual(
      spans.map(({ attributes }) => attributes['http.request.resend_count']),
      [undefined, 1],
    )
    assert.deepEqual(
      spans.map(({ parentSpanContext }) => parentSpanContext?.spanId),
      [spanId, spanId],
    )
    gun.close(connPid)
    await connPid[Symbol.asyncDispose]()
    self.exit()
    await server[Symbol.asyncDispose]()
  })
})

describe('a span of a request that is never sent', () => {
  test('ends when the connection cannot be made', async () => {
    await using otel = telemetry()
    const { port } = await closed()
    const self = createProcess<gun.GunMessage>()
    const connPid = gun.open('127.0.0.1', port, { owner: self, retry: 0 })
    const streamRef = gun.get(connPid, '/')
    await assert.rejects(gun.await(connPid, streamRef, PATIENCE))
    const span = only(otel)
    assert.equal(span.status.code, SpanStatusCode.ERROR)
    assert.equal(span.attributes['server.port'], port)
    await ended(connPid)
    // The connection has ended for good by now.
    gun.get(connPid, '/late')
    assert.equal(otel.spans().length, 2)
    self.exit()
  })

  test('ends when a pool gives no connection in time', async () => {
    await using otel = telemetry()
    await using server = await recordingServer()
    const pool = gun.pool.startPool('127.0.0.1', server.port, { size: 1, pipelining: 1 })
    await gun.pool.awaitUp(pool)
    const headers = { host: `127.0.0.1:${server.port}` }
    const first = gun.pool.get('/hold', headers)
    await server.arrival('/hold')
    const late = gun.pool.get('/late', headers, { checkoutTimeout: 1 })
    await assert.rejects(gun.pool.awaitResponse(late, PATIENCE))
    assert.equal(only(otel).attributes['error.type'], 'no_connection_available')
    gun.pool.cancel(first)
    pool.exit('shutdown')
    await pool.exited
  })
})

describe('the options', () => {
  test('leave out requests that ignoreRequestHook names, and call hooks with each span', async () => {
    const told: string[] = []
    await using it = await scene('http', {
      ignoreRequestHook: ({ path }) => path === '/ignored',
      requestHook: (span, { path }) => {
        told.push(path)
        span.setAttribute('hook', path)
      },
      responseHook: (span, { status }) => span.setAttribute('hook.status', status),
    })
    for (const path of ['/ignored', '/seen']) {
      await gun.awaitResponse(it.connPid, gun.get(it.connPid, path), PATIENCE)
    }
    assert.deepEqual(told, ['/seen'])
    const { attributes } = only(it.otel)
    assert.equal(attributes.hook, '/seen')
    assert.equal(attributes['hook.status'], 200)
    assert.equal(it.server.seen.get('/ignored')?.traceparent, undefined)
  })

  test('requireParentforSpans makes spans only below one of the caller', async () => {
    await using it = await scene('http', { requireParentforSpans: true })
    await gun.awaitResponse(it.connPid, gun.get(it.connPid, '/1'), PATIENCE)
    assert.equal(it.otel.spans().length, 0)
    const { result } = it.otel.within(() => gun.get(it.connPid, '/2'))
    await gun.awaitResponse(it.connPid, result, PATIENCE)
    only(it.otel)
  })

  test('that are wrong throw and are named', () => {
    for (const [options, name] of [
      [{ requestHook: 1 }, /requestHook/],
      [{ requestHok: () => {} }, /requestHok/],
      [{ enabled: 'yes' }, /enabled/],
      [{ tracerProvider: {} }, /tracerProvider/],
      [null, /options/],
    ] as const) {
      assert.throws(() => instrument(options as never), { name: 'TypeError', message: name })
    }
  })

  test('disable ends spans that are under way, and listens no more', async () => {
    await using it = await scene()
    const streamRef = gun.get(it.connPid, '/hold')
    await it.server.arrival('/hold')
    it.otel.instrumentation.disable()
    assert.equal(only(it.otel).attributes['error.type'], '_OTHER')
    gun.cancel(it.connPid, streamRef)
    it.otel.instrumentation.enable()
    assert.equal(it.otel.begun, 1)
  })
})

/** A port at which nobody listens. */
async function closed(): Promise<{ readonly port: number }> {
  const server = await recordingServer()
  const { port } = server
  await server[Symbol.asyncDispose]()
  return { port }
}
