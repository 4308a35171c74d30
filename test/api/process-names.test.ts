/** Examples of names, by which processes are found, and of references, by which answers are known. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  compareByIdentity,
  createProcess,
  makeRef,
  P,
  type Ref,
  register,
  registered,
  spawn,
  unregister,
  whereis,
} from '@holster/process'

test('a registered process is found by its name until it exits', async () => {
  // #region process/register, process/whereis
  type Line = { type: 'line'; text: string }
  const logger = spawn<Line>(self => self.receive([{ type: 'line' }]))
  register('logger', logger)
  whereis<Line>('logger')?.send({ type: 'line', text: 'started' })
  await logger.exited
  const gone = whereis('logger') // undefined: the exit has freed the name
  // #endregion
  assert.equal(gone, undefined)
})

test('a name that is taken cannot be given again', () => {
  const logged: unknown[] = []
  const log = (error: unknown) => logged.push(error)
  // #region process/register
  const [first, second] = [createProcess(), createProcess()]
  register('leader', first)
  try {
    register('leader', second)
  } catch (error) {
    log(error) // Error: name 'leader' is taken by #Process<2 leader>
  }
  // #endregion
  assert.match(String(logged), /leader/)
  assert.equal(whereis('leader'), first)
  first.exit()
  second.exit()
})

test('unregister frees a name of a process that lives on', () => {
  // #region process/unregister
  const [old, next] = [createProcess({ name: 'leader' }), createProcess()]
  unregister('leader') // the process lives on without a name
  register('leader', next)
  // #endregion
  assert.equal(whereis('leader'), next)
  assert.ok(old.isAlive)
  old.exit()
  next.exit()
})

test('registered lists the names in the order in which they were given', () => {
  // #region process/registered
  const cache = createProcess({ name: 'cache' })
  const queue = createProcess({ name: 'queue' })
  const names = registered() // ['cache', 'queue']
  // #endregion
  assert.deepEqual(names, ['cache', 'queue'])
  cache.exit()
  queue.exit()
})

test('a reference tells the answer to one request from all others', async () => {
  // #region process/makeRef
  type Answer = { type: 'answer'; ref: Ref; value: number }
  await using self = createProcess<Answer>()
  const [first, second] = [makeRef(), makeRef()]
  self.send({ type: 'answer', ref: second, value: 2 })
  self.send({ type: 'answer', ref: first, value: 1 })
  const { value } = await self.receive([{ type: 'answer', ref: first }]) // 1, by identity
  // #endregion
  assert.equal(value, 1)
})

test('the instances of a class are told apart inside P.union as well', async () => {
  // #region process/compareByIdentity
  class Room {
    readonly seats = 4
  }
  compareByIdentity(Room) // otherwise P.union would take any object with 4 seats
  const [red, blue, green] = [new Room(), new Room(), new Room()]

  await using porter = createProcess<{ type: 'free'; room: Room }>()
  porter.send({ type: 'free', room: green })
  porter.send({ type: 'free', room: blue })
  const { room } = await porter.receive([{ type: 'free', room: P.union(red, blue) }]) // blue
  // #endregion
  assert.equal(room, blue)
})
