/** Wrong options and child specs throw at once, and name what is wrong. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createProcess, type Process } from '@holster/process'
import { expectTypeOf } from 'expect-type'
import { type CheckedChildSpec, type ChildSpec, type SupervisorOptions, supervisor } from '../../src/index.ts'
import { failsWith, tree } from '../support/tree.ts'

const start = () => 'ignore' as const
const spec: ChildSpec = { id: 'a', start }

test('a wrong child spec names its option', () => {
  const cases: readonly [Record<string, unknown>, RegExp][] = [
    [{ start }, /^TypeError: specs\[0\]\.id must be a non-empty string/],
    [{ id: 'a' }, /^TypeError: specs\[0\]\.start must be a function/],
    [
      { ...spec, restart: 'always' },
      /specs\[0\]\.restart must be 'permanent', 'transient' or 'temporary', not 'always'/,
    ],
    [
      { ...spec, restrat: 'permanent' },
      /specs\[0\]\.restrat is not an option of a child spec: did you mean 'restart'\?/,
    ],
    [{ ...spec, timeout: 5 }, /did you mean 'shutdown'/],
    [{ ...spec, shutdown: -1 }, /^RangeError: specs\[0\]\.shutdown must be a number from 0/],
    [
      { ...spec, shutdown: 'kill' },
      /specs\[0\]\.shutdown must be a number of milliseconds, Infinity or 'brutal_kill'/,
    ],
    [{ ...spec, type: 'server' }, /specs\[0\]\.type must be 'worker' or 'supervisor'/],
    [{ ...spec, significant: 1 }, /specs\[0\]\.significant must be a boolean/],
    [{ ...spec, significant: true }, /significant must be false for a permanent child/],
    [{ ...spec, restart: 'transient', significant: true }, /must be false where autoShutdown is 'never'/],
    [{ ...spec, backoff: { initial: 0, max: 1 } }, /^RangeError: specs\[0\]\.backoff\.initial/],
    [
      { ...spec, backoff: { initial: 2, max: 1 } },
      /^RangeError: specs\[0\]\.backoff\.max must be a number from 2/,
    ],
    [{ ...spec, backoff: { initial: 2, max: 3, jitter: 2 } }, /backoff\.jitter must be a number from 0 to 1/],
  ]
  for (const [wrong, error] of cases) {
    assert.throws(() => supervisor.checkChildspecs([wrong as unknown as ChildSpec], 'never'), error)
  }
  assert.throws(() => supervisor.checkChildspecs([spec, spec]), /specs\[1\]\.id 'a' is that of another child/)
  supervisor.checkChildspecs([spec, { ...spec, id: 'b', restart: 'transient', significant: true }])
})

test('a wrong option of a supervisor is named', () => {
  const self = createProcess()
  const cases: readonly [Record<string, unknown>, RegExp][] = [
    [{ strategy: 'one_for_two' }, /options\.strategy must be 'one_for_one'/],
    [{ maxRestarts: 3 }, /options\.maxRestarts is not an option of a supervisor: did you mean 'intensity'\?/],
    [{ intensity: -1 }, /^RangeError: options\.intensity/],
    [{ intensity: 1.5 }, /options\.intensity must be a whole number or Infinity/],
    [{ period: 0 }, /^RangeError: options\.period/],
    [{ autoShutdown: true }, /options\.autoShutdown must be 'never'/],
    [{ maxChildren: 3 }, /options\.maxChildren is an option of the strategy 'simple_one_for_one' only/],
    [{ strategy: 'simple_one_for_one', children: [spec] }, /options\.children must be left out/],
    [{ children: spec }, /options\.children must be an array of child specs/],
  ]
  for (const [wrong, error] of cases) {
    assert.throws(() => supervisor.startLink(self, wrong as SupervisorOptions), error)
    assert.throws(() => supervisor.childSpec({ id: 'a', ...wrong }), error)
  }
  assert.throws(
    () => supervisor.startLink({} as Process, {}),
    /self must be a process, not \{\}: main programs call start/,
  )
  assert.throws(() => supervisor.start({}, { nmae: 'a' } as never), /did you mean 'name'/)
  self.exit()
})

test('a significant child is refused where autoShutdown is never', async t => {
  const it = tree(t)
  const sup = await it.start({})
  const child = it.child('a', { restart: 'transient', significant: true })
  await assert.rejects(supervisor.startChild(sup, child), failsWith('bad_combination'))
})

test('the spec of a child comes back with its defaults', async t => {
  const it = tree(t)
  const sup = await it.start({ children: [spec, supervisor.childSpec({ id: 'b', restart: 'transient' })] })
  const given = await supervisor.getChildspec(sup, 'a')
  expectTypeOf(given).toEqualTypeOf<CheckedChildSpec>()
  const defaults = { restart: 'permanent', shutdown: 5000, type: 'worker', significant: false }
  assert.deepEqual(given, { id: 'a', start, ...defaults })
  const nested = await supervisor.getChildspec(sup, 'b')
  assert.deepEqual(
    [nested.restart, nested.shutdown, nested.type],
    ['transient', Number.POSITIVE_INFINITY, 'supervisor'],
  )
  await assert.rejects(supervisor.getChildspec(sup, 'c'), failsWith('not_found'))
  supervisor.checkChildspecs([given])
})

test('what is no id and no pid is refused', async t => {
  const it = tree(t)
  const sup = await it.start({})
  // @ts-expect-error an id is a string
  assert.throws(() => supervisor.terminateChild(sup, 1), /id must be the id of a child or its pid, not 1/)
  // @ts-expect-error an id is a string
  assert.throws(() => supervisor.restartChild(sup, it.self), /id must be a string/)
  // @ts-expect-error a supervisor takes no messages
  const send = () => sup.send('hello')
  assert.equal(typeof send, 'function')
})
