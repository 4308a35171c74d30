// Values that hold traps for those who take them apart and put them together.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { moduleAt, send, spawnAt, startNode, stopNode, type Workers, workers } from '@holster/node'
import { createProcess, type Pid, type Process } from '@holster/process'
import { Row } from './support/bodies.ts'

const bodies = moduleAt<typeof import('./support/bodies.ts')>(new URL('./support/bodies.ts', import.meta.url))
const preload = [new URL('./support/typescript.mjs', import.meta.url)]

type Echoed = { readonly type: 'echoed'; readonly body: unknown }

let all: Workers
let self: Process<Echoed>

before(async () => {
  await startNode({ name: 'main' })
  all = await workers(1, { preload })
  self = createProcess<Echoed>()
})

after(async () => {
  self.exit()
  await all.stop()
  await stopNode()
})

/** Sends a value to another node, and gives what comes back. */
async function sent(body: unknown): Promise<unknown> {
  const pid = await spawnAt('main.1', bodies, 'echo')
  pid.send({ type: 'echo', from: self as Pid<unknown>, body })
  return (await self.receive([{ type: 'echoed' }])).body
}

test('an error that is its own cause arrives without it', async () => {
  const error = new Error('round')
  error.cause = error
  const back = (await sent(error)) as Error
  assert.equal(back.message, 'round')
  assert.equal(back.cause, undefined)
})

test('errors that all know each other arrive, as far as there is an end', async () => {
  const errors = Array.from({ length: 14 }, (_, index) => new Error(`error ${index}`)) as (Error & {
    others?: unknown
  })[]
  for (const error of errors) error.others = errors
  const back = (await sent(errors[0])) as Error
  assert.equal(back.message, 'error 0')
})

test('an error keeps fields of any name, and changes nothing but itself', async () => {
  const error = Object.assign(new Error('what'), { toJSON: 'text', constructor: 'other', '\ud800': 1 })
  Object.defineProperty(error, '__proto__', { value: { zero: -0 }, enumerable: true })
  const back = (await sent(error)) as Error
  assert.deepEqual(Object.keys(back).toSorted(), Object.keys(error).toSorted())
  assert.ok(Object.is(Object.getOwnPropertyDescriptor(back, '__proto__')?.value.zero, -0))
  assert.equal('zero' in {}, false)
})

test('an error may have any name', async () => {
  for (const name of ['toString', 'constructor', '__proto__', '']) {
    const error = Object.assign(new Error('what'), { name })
    const back = (await sent(error)) as Error
    assert.ok(back instanceof Error)
    assert.deepEqual([back.name, back.message], [name, 'what'])
  }
})

test('an error of which a part throws arrives without that part', async () => {
  const error = Object.defineProperties(new Error('what'), {
    trap: {
      enumerable: true,
      get() {
        throw new Error('looked at')
      },
    },
    name: { value: Object.create(null) },
    rest: { enumerable: true, value: 1 },
  })
  const back = (await sent(error)) as Error & { rest: number }
  assert.deepEqual([back.name, back.message, back.rest], ['Error', 'what', 1])
})

test('names of fields and texts of errors keep broken surrogates', async () => {
  const body = { '\ud800': 1, '\udfff': -0 }
  assert.deepStrictEqual(await sent(body), body)
  assert.equal(((await sent(new Error('\ud800'))) as Error).message, '\ud800')
})

test('an end for a reason that does not let itself be looked at is told', async () => {
  const pid = await spawnAt('main.1', bodies, 'shy')
  const ref = self.monitor(pid)
  pid.send({ type: 'end' })
  const { reason } = await self.receive([{ type: 'DOWN', ref }])
  assert.equal((reason as Error).message, 'the reason cannot be sent to another node')
})

test('a module that throws what cannot be sent is an error of whoever spawns from it', async () => {
  const code = new URL('./support/throws-at-import.mjs', import.meta.url)
  await assert.rejects(spawnAt('main.1', code, 'anything'), /what the module has thrown cannot be sent/)
})

test('all kinds of bytes that the sender gives away are moved, and are gone here', async () => {
  const pid = await spawnAt('main.1', bodies, 'echo')
  const whole = new Uint8Array([1, 2, 3, 4]).buffer
  const floats = new Float64Array([0, 0.5, 1.5])
  const view = new DataView(new Uint8Array([9, 8, 7]).buffer, 1)
  const body = { whole, floats: floats.subarray(1), view, both: [whole, new Uint8Array(whole, 2)] }
  const wanted = structuredClone(body)
  const transfer = [whole, floats.buffer, view.buffer]
  send(pid, { type: 'echo', from: self as Pid<unknown>, body }, { transfer })
  assert.deepEqual(
    transfer.map(({ byteLength }) => byteLength),
    [0, 0, 0],
  )
  assert.deepEqual((await self.receive([{ type: 'echoed' }])).body, wanted)
})

test('an array of a class that has a codec travels by that', async () => {
  const back = await sent([Row.of(1, 2), [3]])
  assert.ok(Array.isArray(back) && back[0] instanceof Row)
  assert.deepEqual([...back[0]], [1, 2])
})
