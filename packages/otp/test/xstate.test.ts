// A machine runs as a process: its events are messages, its end is an exit.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  type Call,
  createProcess,
  type Down,
  exit,
  type Process,
  reply,
  setExitHook,
  spawn,
} from '@holster/process'
import { expectTypeOf } from 'expect-type'
import { assign, fromPromise, setup } from 'xstate'
import { fromMachine } from '../src/xstate.ts'

type DoorEvent =
  | { type: 'open' }
  | { type: 'close' }
  | { type: 'break' }
  | { type: 'remove' }
  | Call<{ type: 'state' }, string>
  | Call<{ type: 'opened' }, number>
  | Down

/** A door that closes by itself after a second, and counts how often it was opened. */
const door = setup({
  types: {} as { events: DoorEvent; context: { opened: number }; input: { opened: number } },
  actions: {
    count: assign({ opened: ({ context }) => context.opened + 1 }),
    tell: ({ context, event }, { state }: { state: string }) => {
      assert.ok(event.type === 'call')
      if (event.request.type === 'opened') reply(event.from as never, context.opened as never)
      else reply(event.from as never, state as never)
    },
    break: () => {
      throw new Error('broken')
    },
  },
}).createMachine({
  context: ({ input }) => input,
  initial: 'closed',
  on: { break: { actions: 'break' }, remove: '.removed', DOWN: '.removed' },
  states: {
    closed: { on: { open: 'open', call: { actions: { type: 'tell', params: { state: 'closed' } } } } },
    open: {
      entry: 'count',
      on: { close: 'closed', call: { actions: { type: 'tell', params: { state: 'open' } } } },
      after: { 1000: 'closed' },
    },
    removed: { type: 'final' },
  },
})

const startDoor = (options?: Parameters<typeof spawn>[1]) =>
  spawn(fromMachine(door, { input: { opened: 0 } }), options)

/** Collects what reaches the exit hook. */
function collectExits(t: { after(run: () => void): void }): unknown[] {
  const exits: unknown[] = []
  const previous = setExitHook((_, reason) => {
    exits.push(reason)
  })
  t.after(() => void setExitHook(previous))
  return exits
}

describe('a machine as a process', () => {
  test('takes messages as events, in order, and answers calls', async () => {
    const pid = startDoor({ name: 'door' })
    const self = createProcess()
    pid.send({ type: 'open' })
    assert.equal(await self.call(pid, { type: 'state' }), 'open')
    pid.send({ type: 'close' })
    pid.send({ type: 'open' })
    pid.send({ type: 'close' })
    assert.equal(await self.call('door', { type: 'state' }), 'closed')
    const opened = await self.call(pid, { type: 'opened' })
    expectTypeOf(opened).toEqualTypeOf<number>()
    assert.equal(opened, 2)
    pid.exit()
  })

  test("exits 'normal' when the machine is done", async () => {
    const pid = startDoor()
    pid.send({ type: 'remove' })
    assert.equal(await pid.exited, 'normal')
  })

  test('exits with the error of an action, which is reported once', async t => {
    const exits = collectExits(t)
    const pid = startDoor()
    pid.send({ type: 'break' })
    const reason = await pid.exited
    assert.match(String(reason), /broken/)
    assert.deepEqual(exits, [reason])
  })

  test('exits with the error of an action that runs at its start', async t => {
    const exits = collectExits(t)
    const broken = setup({}).createMachine({
      entry: () => {
        throw new Error('at once')
      },
    })
    assert.match(String(await spawn(fromMachine(broken)).exited), /at once/)
    assert.equal(exits.length, 1)
  })

  test('stops with its process: no delay fires, and no child goes on', async t => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const aborted: string[] = []
    let ticks = 0
    const busy = setup({
      actors: {
        work: fromPromise(({ signal }) => {
          signal.addEventListener('abort', () => aborted.push('work'))
          return new Promise(() => undefined)
        }),
      },
      actions: {
        tick: () => {
          ticks++
        },
      },
    }).createMachine({
      invoke: { src: 'work' },
      initial: 'on',
      states: { on: { after: { 10: { target: 'on', reenter: true, actions: 'tick' } } } },
    })
    const pid = spawn(fromMachine(busy))
    await new Promise(resolve => setImmediate(resolve))
    t.mock.timers.tick(10)
    assert.equal(ticks, 1)
    exit(pid, 'shutdown')
    t.mock.timers.tick(100)
    assert.equal(ticks, 1)
    assert.deepEqual(aborted, ['work'])
  })

  test('can be linked and monitored, and hears of ends as events', async t => {
    const exits = collectExits(t)
    const watched = createProcess()
    const pid = spawn(
      fromMachine(door, self => {
        self.monitor(watched)
        return { input: { opened: 0 } }
      }),
    )
    const self = createProcess()
    const ref = self.monitor(pid)
    await new Promise(resolve => setImmediate(resolve))
    watched.exit('gone')
    const { reason } = await self.receive([{ type: 'DOWN', ref }])
    assert.equal(reason, 'normal')
    assert.deepEqual(exits, ['gone'])
  })

  test('knows the events of its machine, and refuses others', () => {
    const body = fromMachine(door, { input: { opened: 0 } })
    expectTypeOf(body).parameter(0).toEqualTypeOf<Process<DoorEvent>>()
    // @ts-expect-error no such event
    assert.ok(() => startDoor().send({ type: 'lift' }))
    // @ts-expect-error opened is a number
    assert.ok(fromMachine(door, { input: { opened: '1' } }))
    assert.throws(() => fromMachine({} as typeof door, { input: { opened: 0 } }), {
      name: 'TypeError',
      message: 'logic must be a machine, or other actor logic',
    })
  })
})
