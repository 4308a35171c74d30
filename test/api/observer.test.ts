/** Examples of the observer, and of what OpenTelemetry is told of connections. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as gun from '@holster/gun'
import { startObserver } from '@holster/observer'
import { HolsterInstrumentation, instrument } from '@holster/observer/otel'
import { createProcess } from '@holster/process'
import { telemetry } from '../../packages/observer/test/support/telemetry.ts'
import { websocketServer } from '../support/websocket-server.ts'

test('an observer shows the program on a page, and its figures for Prometheus', async () => {
  // #region observer/startObserver
  const observer = await startObserver({ log: false }) // or { port: 4010 }
  const { status } = await fetch(observer.url) // the page, for a browser
  const metrics = await (await fetch(`${observer.url}metrics`)).text() // for Prometheus
  await observer.stop()
  // #endregion
  assert.equal(status, 200)
  assert.match(metrics, /holster_processes/)
})

test('the options of an observer say where it listens, and what viewers may do', async () => {
  const lines: string[] = []
  // #region observer/types/ObserverOptions
  await using observer = await startObserver({
    host: '127.0.0.1',
    port: 0, // the system chooses one
    token: 'a-token-of-sixteen', // viewers must know it
    allowActions: true, // such as to end a process
    log: line => lines.push(line), // 'Holster observer: http://127.0.0.1:40123/#token=…'
  })
  const { url, token } = observer
  // #endregion
  assert.match(url, /^http:\/\/127\.0\.0\.1:\d+\/#token=a-token-of-sixteen$/)
  assert.equal(token, 'a-token-of-sixteen')
  assert.equal(lines.length, 1)
})

test('each request has a span while the program is instrumented', async () => {
  await using otel = telemetry({ enabled: false })
  await using server = await websocketServer()
  await using self = createProcess<gun.GunMessage>()
  const { host, port } = server
  // #region observer/otel/instrument
  const instrumentation = instrument() // with the providers that OpenTelemetry's SDK has set
  const connPid = gun.open(host, port, { owner: self })
  await gun.awaitUp(connPid)
  await gun.awaitResponse(connPid, gun.get(connPid, '/')) // a span: 'GET', kind CLIENT
  gun.close(connPid)
  instrumentation.disable()
  // #endregion
  assert.deepEqual(
    otel.spans().map(({ name }) => name),
    ['GET'],
  )
  await connPid[Symbol.asyncDispose]()
})

test('an instrumentation begins and ends as it is told', async () => {
  await using otel = telemetry({ enabled: false })
  await using server = await websocketServer()
  await using self = createProcess<gun.GunMessage>()
  const connPid = gun.open(server.host, server.port, { owner: self })
  await gun.awaitUp(connPid)
  const request = () => gun.awaitResponse(connPid, gun.get(connPid, '/'))
  // #region observer/otel/HolsterInstrumentation
  // registerInstrumentations({ instrumentations: [new HolsterInstrumentation({ enabled: false })] })
  const instrumentation = new HolsterInstrumentation({ enabled: false })
  await request() // no span
  instrumentation.enable()
  await request() // a span
  instrumentation.disable()
  // #endregion
  assert.equal(otel.spans().length, 1)
  await connPid[Symbol.asyncDispose]()
})

test('hooks choose the requests, and add attributes to their spans', async () => {
  await using otel = telemetry({ enabled: false })
  await using server = await websocketServer()
  await using self = createProcess<gun.GunMessage>()
  const connPid = gun.open(server.host, server.port, { owner: self })
  await gun.awaitUp(connPid)
  // #region observer/otel/types/InstrumentationOptions
  using _instrumentation = instrument({
    ignoreRequestHook: ({ path }) => path === '/health',
    requestHook: (span, { path }) => void span.setAttribute('shop.area', path.split('/')[1] ?? ''),
  })
  for (const path of ['/health', '/cart/1']) {
    await gun.awaitResponse(connPid, gun.get(connPid, path))
  }
  // one span, with the attribute { 'shop.area': 'cart' }
  // #endregion
  assert.deepEqual(
    otel.spans().map(({ attributes }) => attributes['shop.area']),
    ['cart'],
  )
  await connPid[Symbol.asyncDispose]()
})
