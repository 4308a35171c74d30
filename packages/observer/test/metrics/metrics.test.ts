// The metrics as Prometheus reads them: what each line says, and that nothing of before is left in them.

import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import * as gun from '@holster/gun'
import { createProcess, measureMessageWaits, processInfo } from '@holster/process'
import { AskedWaits } from '../../src/metrics/asked-waits.ts'
import { metricsText } from '../../src/metrics/metrics.ts'
import { recordingServer } from '../support/recording-server.ts'

const measure = measureMessageWaits()
after(() => measure.stop())

/** The value of a line; `undefined` if there is no such line. */
async function readingOf(line: string): Promise<number | undefined> {
  const { text } = await metricsText(measure.waits)
  const found = text.split('\n').find(each => each.startsWith(`${line} `))
  return found === undefined ? undefined : Number(found.slice(line.length))
}

test('each metric has its help and its type, and those of Node are there too', async () => {
  const { text, type } = await metricsText(measure.waits)
  for (const name of [
    'holster_processes',
    'holster_mailbox_messages',
    'holster_connections',
    'nodejs_heap_size_used_bytes',
  ]) {
    assert.match(text, new RegExp(`^# HELP ${name} .+\n# TYPE ${name} gauge$`, 'm'))
  }
  assert.match(type, /^text\/plain; version=0\.0\.4/)
})

test('mailboxes are counted as they are now', async () => {
  const self = createProcess<number>({ highWaterMark: { messages: 1 } })
  for (const message of [1, 2, 3]) self.send(message)
  await turn()
  assert.equal(await readingOf('holster_mailbox_messages'), 3)
  assert.equal(await readingOf('holster_mailbox_over_mark'), 1)
  self.exit()
  assert.equal(await readingOf('holster_mailbox_messages'), 0)
  assert.equal(await readingOf('holster_mailbox_over_mark'), 0)
})

test('connections are counted by state and protocol, and a state that none is in any more has no line', async () => {
  await using server = await recordingServer()
  const self = createProcess<gun.GunMessage>()
  const connPid = gun.open('127.0.0.1', server.port, { owner: self })
  await gun.awaitUp(connPid)
  const line = 'holster_connections{state="connected",protocol="http"}'
  assert.equal(await readingOf(line), 1)
  gun.close(connPid)
  await connPid[Symbol.asyncDispose]()
  assert.equal(await readingOf(line), undefined)
  self.exit()
})

test('pools are told apart by authority and scope, whose quotes are escaped', async () => {
  await using server = await recordingServer()
  const scope = 'a "b"\n'
  const pool = gun.pool.startPool('127.0.0.1', server.port, { size: 1, scope })
  await gun.pool.awaitUp(pool)
  const labels = `authority="127.0.0.1:${server.port}",scope="a \\"b\\"\\n"`
  assert.equal(await readingOf(`holster_pool_connections{${labels},state="up"}`), 1)
  assert.equal(await readingOf(`holster_pool_waiting{${labels}}`), 0)
  pool.exit('shutdown')
  await pool.exited
})

test('two who ask at once both get all of it', async () => {
  const [first, second] = await Promise.all([metricsText(measure.waits), metricsText(measure.waits)])
  for (const { text } of [first, second]) assert.match(text, /^holster_processes\{status="running"\} \d+$/m)
})

test('the waits of messages are a histogram in seconds, whose buckets hold those before', async t => {
  const before = Number(await readingOf('holster_mailbox_wait_seconds_count'))
  let now = Math.ceil(performance.now())
  const clock = t.mock.method(performance, 'now', () => now)
  const self = createProcess<number>()
  self.send(1)
  now += 250
  await self.receive([1])
  clock.mock.restore()
  const { text } = await metricsText(measure.waits)
  assert.match(
    text,
    /^# HELP holster_mailbox_wait_seconds .+\n# TYPE holster_mailbox_wait_seconds histogram$/m,
  )
  assert.equal(await readingOf('holster_mailbox_wait_seconds_bucket{le="0.2"}'), before)
  assert.equal(await readingOf('holster_mailbox_wait_seconds_bucket{le="0.5"}'), before + 1)
  assert.equal(await readingOf('holster_mailbox_wait_seconds_bucket{le="+Inf"}'), before + 1)
  assert.equal(await readingOf('holster_mailbox_wait_seconds_count'), before + 1)
  assert.ok(Number(await readingOf('holster_mailbox_wait_seconds_sum')) >= 0.25)
  assert.ok(text.endsWith('\n'))
  self.exit()
})

test('waits are measured from the first reading until the last is long ago, or the reader stops', async () => {
  measure.stop()
  const self = createProcess<number>()
  const isMeasured = () => processInfo(self).messageWaits !== undefined
  assert.equal(isMeasured(), false)
  const asked = new AskedWaits(1)
  asked.read()
  assert.equal(isMeasured(), true)
  while (isMeasured()) await turn()
  asked.read()
  assert.equal(isMeasured(), true)
  asked.stop()
  assert.equal(isMeasured(), false)
  self.exit()
})
