// Metrics through OpenTelemetry's API: of requests and connections by the conventions, and Holster's own gauges.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import * as gun from '@holster/gun'
import { createProcess, P } from '@holster/process'
import type { DataPoint, Histogram, MetricData } from '@opentelemetry/sdk-metrics'
import { recordingServer } from '../support/recording-server.ts'
import { telemetry } from '../support/telemetry.ts'

const PATIENCE = 20_000

const points = ({ dataPoints }: MetricData) => dataPoints as unknown as readonly DataPoint<number>[]
const histograms = ({ dataPoints }: MetricData) => dataPoints as unknown as readonly DataPoint<Histogram>[]

/** The sum of the values of a metric, of the points with these attributes. */
function sum(metric: MetricData, wanted: Record<string, unknown> = {}): number {
  const matching = points(metric).filter(({ attributes }) =>
    Object.entries(wanted).every(([name, value]) => attributes[name] === value),
  )
  return matching.reduce((total, { value }) => total + value, 0)
}

for (const version of ['http', 'http2'] as const) {
  test(`requests over ${version} are counted while they are active, and timed when they end`, async () => {
    await using otel = telemetry()
    await using server = await recordingServer(version)
    const self = createProcess<gun.GunMessage>()
    const connPid = gun.open('127.0.0.1', server.port, { owner: self, protocols: [version] })
    await gun.awaitUp(connPid, PATIENCE)
    await gun.awaitResponse(connPid, gun.get(connPid, '/ok'), PATIENCE)
    await gun.awaitResponse(connPid, gun.get(connPid, '/status/503'), PATIENCE)
    const held = gun.get(connPid, '/hold')
    await server.arrival('/hold')
    const active = await otel.metric('http.client.active_requests')
    assert.equal(active.descriptor.unit, '{request}')
    assert.equal(sum(active), 1)
    gun.cancel(connPid, held)
    assert.equal(sum(await otel.metric('http.client.active_requests')), 0)

    const duration = await otel.metric('http.client.request.duration')
    assert.equal(duration.descriptor.unit, 's')
    const common = {
      'http.request.method': 'GET',
      'server.address': '127.0.0.1',
      'server.port': server.port,
      'url.scheme': 'http',
      'network.protocol.name': 'http',
      'network.protocol.version': version === 'http' ? '1.1' : '2',
    }
    assert.deepEqual(
      histograms(duration).map(({ attributes, value }) => [attributes, value.count]),
      [
        [{ ...common, 'http.response.status_code': 200 }, 1],
        [{ ...common, 'http.response.status_code': 503, 'error.type': '503' }, 1],
        [{ ...common, 'error.type': 'cancelled' }, 1],
      ],
    )
    assert.deepEqual(
      histograms(duration)[0]?.value.buckets.boundaries,
      [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10],
    )
    gun.close(connPid)
    await connPid[Symbol.asyncDispose]()
    self.exit()
  })
}

test('connections are counted by their state while they are open, and timed when they are not any more', async () => {
  await using otel = telemetry()
  await using server = await recordingServer()
  const self = createProcess<gun.GunMessage>()
  const connPid = gun.open('127.0.0.1', server.port, { owner: self })
  await gun.awaitUp(connPid, PATIENCE)
  const end = { 'server.address': '127.0.0.1', 'server.port': server.port }
  const open = async (state: string) =>
    sum(await otel.metric('http.client.open_connections'), { ...end, 'http.connection.state': state })
  assert.deepEqual([await open('idle'), await open('active')], [1, 0])
  gun.get(connPid, '/hold')
  await server.arrival('/hold')
  assert.deepEqual([await open('idle'), await open('active')], [0, 1])
  gun.close(connPid)
  await connPid[Symbol.asyncDispose]()
  assert.deepEqual([await open('idle'), await open('active')], [0, 0])
  const duration = await otel.metric('http.client.connection.duration')
  const [point] = histograms(duration)
  assert.equal(point?.value.count, 1)
  assert.deepEqual(point?.attributes, {
    ...end,
    'url.scheme': 'http',
    'network.protocol.name': 'http',
    'network.protocol.version': '1.1',
  })
  self.exit()
})

test('processes and mailboxes are gauges', async () => {
  await using otel = telemetry()
  const before = sum(await otel.metric('holster.process.count'))
  const waiting = createProcess<number>()
  const full = createProcess<number>({ highWaterMark: { messages: 2 } })
  const end = waiting.receive([P.any])
  for (const message of [1, 2, 3]) full.send(message)
  await turn()
  const count = await otel.metric('holster.process.count')
  assert.equal(count.descriptor.unit, '{process}')
  assert.equal(sum(count), before + 2)
  assert.ok(sum(count, { 'holster.process.status': 'waiting' }) >= 1)
  assert.equal(sum(await otel.metric('holster.mailbox.messages')), 3)
  assert.equal((await otel.metric('holster.mailbox.bytes')).descriptor.unit, 'By')
  assert.equal(sum(await otel.metric('holster.mailbox.over_mark')), 1)
  waiting.send(1)
  await end
  waiting.exit()
  full.exit()
  assert.equal(sum(await otel.metric('holster.mailbox.messages')), 0)
})

test('pools tell of their connections and of those that wait', async () => {
  await using otel = telemetry()
  await using server = await recordingServer()
  const pool = gun.pool.startPool('127.0.0.1', server.port, { size: 1, pipelining: 1, scope: 'tests' })
  await gun.pool.awaitUp(pool)
  const authority = `127.0.0.1:${server.port}`
  const opts = { scope: 'tests' }
  const streams = ['/hold', '/1', '/2'].map(path => gun.pool.get(path, { host: authority }, opts))
  await server.arrival('/hold')
  const of = { 'holster.pool.authority': authority, 'holster.pool.scope': 'tests' }
  const connections = await otel.metric('holster.pool.connections')
  assert.equal(sum(connections, { ...of, 'holster.connection.state': 'up' }), 1)
  assert.equal(sum(await otel.metric('holster.pool.waiting'), of), 2)
  for (const streamRef of streams) gun.pool.cancel(streamRef)
  pool.exit('shutdown')
  await pool.exited
})
