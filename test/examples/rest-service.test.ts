/** The REST service answers each request, whatever its backend and its clients do. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as gun from '@holster/gun'
import { createProcess } from '@holster/process'
import { FIELD } from '../../examples/rest-service/deadline.ts'
import { Problem, problemOf } from '../../examples/rest-service/problem.ts'
import { isSafe } from '../../examples/rest-service/retry.ts'
import type { Fault } from '../../examples/rest-service/server.ts'
import { eventually, freePort, rejection } from '../support/client.ts'
import { ask, serving } from './rest-service-scene.ts'

for (const [method, faults, status, heard] of [
  ['GET', ['refuse'], 200, 2],
  ['GET', ['reset'], 200, 2],
  ['GET', ['cut'], 200, 2],
  ['GET', ['busy'], 200, 2],
  ['GET', ['refuse', 'reset', 'busy'], 200, 4],
  ['GET', ['reset', 'reset', 'reset', 'reset'], 502, 4],
  ['GET', ['busy', 'busy', 'busy', 'busy'], 503, 4],
  ['DELETE', ['reset'], 201, 2],
  ['POST', ['refuse'], 201, 2],
  ['POST', ['refuse', 'refuse', 'refuse', 'refuse'], 503, 4],
  ['POST', ['reset'], 502, 1],
  ['POST', ['cut'], 502, 1],
  ['POST', ['busy'], 503, 1],
  ['POST', ['refuse', 'reset'], 502, 2],
] as const satisfies readonly (readonly [string, readonly Fault[], number, number])[]) {
  test(`${method} that meets ${faults.join(', ')} is ${status} after ${heard} tries`, async t => {
    await using it = await serving(t)
    it.backend.plan(`${method} /items/1`, ...faults)
    assert.equal((await ask(it, method, '/items/1')).status, status)
    assert.equal(it.backend.heard.length, heard)
  })
}

test('the backend is told what is left of the deadline, which is no more with each try', async t => {
  await using it = await serving(t)
  it.backend.plan('GET /items/1', 'reset', 'reset')
  await ask(it, 'GET', '/items/1', { [FIELD]: '5000' })
  const told = it.backend.heard.map(({ timeout }) => timeout)
  assert.equal(told.length, 3)
  assert.deepEqual(
    told,
    [...told].sort((a, b) => b - a),
  )
  assert.ok(told.every(ms => ms <= 5000))
})

test('a deadline that passes is 504, and the backend need not go on', async t => {
  await using it = await serving(t)
  it.backend.plan('GET /items/1', 'hang')
  const { status, text } = await ask(it, 'GET', '/items/1', { [FIELD]: '50' })
  assert.deepEqual([status, text], [504, '{"status":504,"title":"the deadline has passed"}'])
  await eventually(() => it.backend.underWay === 0, 'the stream is reset')
})

test('a deadline that passes between two tries is 504', async t => {
  await using it = await serving(t)
  it.backend.plan('GET /items/1', 'reset', 'hang')
  assert.equal((await ask(it, 'GET', '/items/1', { [FIELD]: '50' })).status, 504)
})

test('a client that leaves takes its request at the backend with it', async t => {
  await using it = await serving(t)
  it.backend.plan('GET /items/1', 'hang')
  gun.get(it.connPid, '/items/1')
  await eventually(() => it.backend.underWay === 1, 'the backend has the request')
  gun.close(it.connPid)
  await eventually(() => it.backend.underWay === 0, 'the stream is reset')
})

test('without a backend the answer is 503, and says when to come again', async t => {
  await using it = await serving(t, await freePort())
  const { status, field } = await ask(it, 'GET', '/items/1')
  assert.deepEqual([status, field('retry-after')], [503, '1'])
})

for (const [what, path, headers, body, status] of [
  ['a path that nobody knows', '/nothing', {}, '', 404],
  ['a deadline that is no number', '/items/1', { [FIELD]: 'soon' }, '', 400],
  ['a deadline of nothing', '/items/1', { [FIELD]: '0' }, '', 400],
  ['a body at the limit of what is kept', '/orders', {}, 'a'.repeat(64 * 1024), 201],
  ['a body of a byte more', '/orders', {}, 'a'.repeat(64 * 1024 + 1), 413],
] as const) {
  test(`${what} is ${status}`, async t => {
    await using it = await serving(t)
    assert.equal((await ask(it, 'POST', path, headers, body)).status, status)
    // The connection goes on.
    assert.equal((await ask(it, 'GET', '/items/1')).status, 200)
  })
}

test('a stop lets what is under way finish, and nothing new begin', async t => {
  await using it = await serving(t)
  it.backend.plan('GET /items/1', 'hold')
  const response = ask(it, 'GET', '/items/1')
  const release = await it.backend.held('GET /items/1')
  const stopped = it.stop()
  const isServed = () =>
    fetch(`http://127.0.0.1:${it.port}/items/2`).then(
      () => true,
      () => false,
    )
  while (await isServed());
  release()
  assert.equal((await response).status, 200)
  await stopped
})

test('errors become statuses', async () => {
  const gunError = async (promise: Promise<unknown>) => problemOf(await rejection(promise)).status
  const gone = gun.open('127.0.0.1', await freePort(), { owner: createProcess(), retry: 0 })
  assert.equal(await gunError(gun.awaitUp(gone)), 502)
  assert.equal(problemOf(new Problem(404, 'no')).status, 404)
  assert.equal(problemOf(new Error('a bug')).status, 500)
  assert.equal(problemOf('a bug').status, 500)
  assert.equal(problemOf(Object.assign(new Error('aborted'), { code: 'ECONNRESET' })).status, 499)
  assert.equal(isSafe('GET', new Error('a bug')), false)
})
