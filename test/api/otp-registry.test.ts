/** Examples of registries: processes are found by keys of any kind until they end. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { registry, supervisor } from '@holster/otp'
import { createProcess, P, spawn, whereis } from '@holster/process'

test('a registry with unique keys is a table of names', async () => {
  // #region otp/registry/start, otp/registry/register, otp/registry/whereis
  type Line = { type: 'line'; text: string }
  const rooms = registry.start<readonly ['room', number], undefined, Line>({ keys: 'unique' })

  const lobby = createProcess<Line>()
  registry.register(rooms, ['room', 1], lobby)
  registry.whereis(rooms, ['room', 1])?.send({ type: 'line', text: 'hello' })
  const { text } = await lobby.receive([{ type: 'line' }]) // 'hello'
  lobby.exit()
  const gone = registry.whereis(rooms, ['room', 1]) // undefined: an entry ends with its process
  // #endregion
  assert.equal(text, 'hello')
  assert.equal(gone, undefined)
  rooms.exit()
})

test('a registry with duplicate keys is a list of subscribers for each topic', async () => {
  // #region otp/registry/dispatch, otp/registry/register
  type News = { type: 'news'; text: string }
  const topics = registry.start<string, undefined, News>({ keys: 'duplicate' })
  const [ann, bob] = [createProcess<News>(), createProcess<News>()]
  registry.register(topics, 'weather', ann)
  registry.register(topics, 'weather', bob)

  registry.dispatch(topics, 'weather', entries => {
    for (const { pid } of entries) pid.send({ type: 'news', text: 'rain' })
  })
  const { text } = await bob.receive([{ type: 'news' }]) // 'rain'
  // #endregion
  assert.equal(text, 'rain')
  assert.equal(ann.messageQueueLength, 1)
  for (const pid of [topics, ann, bob]) pid.exit()
})

test('a registry under a supervisor is found by its name', async () => {
  // #region otp/registry/childSpec
  const sup = await supervisor.start({
    children: [registry.childSpec({ keys: 'unique', name: 'users' })],
  })
  registry.register('users', 'joe', createProcess(), undefined) // the name instead of the registry
  const found = registry.whereis('users', 'joe')
  // #endregion
  assert.notEqual(found, undefined)
  await supervisor.stop(sup)
})

test('a registry that is linked ends with its process', async () => {
  // #region otp/registry/startLink
  const self = createProcess()
  const users = registry.startLink<string>(self, { keys: 'unique', name: 'users' })
  self.exit('shutdown')
  const reason = await users.exited // 'shutdown'
  // #endregion
  assert.equal(reason, 'shutdown')
})

test('the options of a registry: kind of keys, name, listeners', async () => {
  // #region otp/registry/types/Options, otp/registry/types/ListenerMessage
  await using listener = createProcess<registry.ListenerMessage>({ name: 'listener' })
  const users = registry.start<string, number>({
    keys: 'unique',
    name: 'users',
    listeners: ['listener'], // is sent a message for each change
  })
  const joe = spawn(() => {})
  registry.register(users, 'joe', joe, 42)
  const { key, value } = await listener.receive([{ type: 'registry_register' }]) // 'joe', 42
  await listener.receive([{ type: 'registry_unregister', key: 'joe' }]) // joe has ended
  // #endregion
  assert.deepEqual([key, value], ['joe', 42])
  assert.equal(whereis('users'), users)
  users.exit()
})

test('lookup gives all entries of a key, the oldest first', () => {
  // #region otp/registry/lookup
  const [ann, bob] = [createProcess(), createProcess()]
  const players = registry.start<string, number>({ keys: 'duplicate' })
  registry.register(players, 'red', ann, 10)
  registry.register(players, 'red', bob, 20)
  const entries = registry.lookup(players, 'red') // [{ pid: ann, value: 10 }, { pid: bob, value: 20 }]
  const none = registry.lookup(players, 'blue') // []
  // #endregion
  assert.deepEqual(
    entries.map(({ pid, value }) => [pid, value]),
    [
      [ann, 10],
      [bob, 20],
    ],
  )
  assert.deepEqual(none, [])
  for (const pid of [players, ann, bob]) pid.exit()
})

test('a key that is taken is told by AlreadyRegistered', () => {
  const [ann, bob] = [createProcess(), createProcess()]
  let holder: unknown
  // #region otp/errors/AlreadyRegistered
  const users = registry.start<string>({ keys: 'unique' })
  registry.register(users, 'admin', ann)
  try {
    registry.register(users, 'admin', bob)
  } catch (error) {
    if (!(error instanceof registry.AlreadyRegistered)) throw error
    holder = error.pid // ann
  }
  // #endregion
  assert.equal(holder, ann)
  for (const pid of [users, ann, bob]) pid.exit()
})

test('unregister takes the entries of a process under a key back', () => {
  // #region otp/registry/unregister
  const joe = createProcess()
  const users = registry.start<string>({ keys: 'unique' })
  registry.register(users, 'joe', joe)
  const was = registry.unregister(users, 'joe', joe) // true
  const again = registry.unregister(users, 'joe', joe) // false: there was none
  // #endregion
  assert.deepEqual([was, again], [true, false])
  for (const pid of [users, joe]) pid.exit()
})

test('entries are matched, counted and removed by their values', () => {
  // #region otp/registry/match, otp/registry/countMatch, otp/registry/unregisterMatch
  const [ann, bob] = [createProcess(), createProcess()]
  const seats = registry.start<string, { row: number }>({ keys: 'duplicate' })
  registry.register(seats, 'theatre', ann, { row: 1 })
  registry.register(seats, 'theatre', bob, { row: 1 })
  registry.register(seats, 'theatre', bob, { row: 9 })

  const back = registry.match(seats, 'theatre', { row: P.number.gt(5) }) // [{ pid: bob, value: { row: 9 } }]
  const front = registry.countMatch(seats, 'theatre', { row: 1 }) // 2
  registry.unregisterMatch(seats, 'theatre', bob, { row: 9 })
  const rows = registry.values(seats, 'theatre', bob) // [{ row: 1 }]
  // #endregion
  assert.deepEqual(
    back.map(({ pid }) => pid),
    [bob],
  )
  assert.equal(front, 2)
  assert.deepEqual(rows, [{ row: 1 }])
  for (const pid of [seats, ann, bob]) pid.exit()
})

test('a registry tells the keys and the values of a process', () => {
  // #region otp/registry/keys, otp/registry/values, otp/registry/count
  const joe = createProcess()
  const roles = registry.start<string, number>({ keys: 'duplicate' })
  registry.register(roles, 'reader', joe, 1)
  registry.register(roles, 'writer', joe, 2)
  registry.register(roles, 'writer', joe, 3)
  const keys = registry.keys(roles, joe) // ['reader', 'writer', 'writer']
  const values = registry.values(roles, 'writer', joe) // [2, 3]
  const count = registry.count(roles) // 3
  // #endregion
  assert.deepEqual(keys, ['reader', 'writer', 'writer'])
  assert.deepEqual(values, [2, 3])
  assert.equal(count, 3)
  for (const pid of [roles, joe]) pid.exit()
})

test('select looks through all keys', () => {
  // #region otp/registry/select
  const [ann, bob] = [createProcess(), createProcess()]
  const carts = registry.start<readonly ['cart', number], number>({ keys: 'unique' })
  registry.register(carts, ['cart', 1], ann, 0)
  registry.register(carts, ['cart', 2], bob, 250)
  const full = registry.select(carts, { key: ['cart', P.number], value: P.number.positive() })
  // [{ key: ['cart', 2], pid: bob, value: 250 }]
  const all = registry.select(carts) // both
  // #endregion
  assert.deepEqual(
    full.map(({ key, value }) => [key, value]),
    [[['cart', 2], 250]],
  )
  assert.equal(all.length, 2)
  for (const pid of [carts, ann, bob]) pid.exit()
})

test('updateValue makes a new value of the old one', () => {
  // #region otp/registry/updateValue
  const joe = createProcess()
  const visits = registry.start<string, number>({ keys: 'unique' })
  registry.register(visits, 'joe', joe, 1)
  const updated = registry.updateValue(visits, 'joe', joe, n => n + 1) // [2, 1]: the new one, the old one
  // #endregion
  assert.deepEqual(updated, [2, 1])
  for (const pid of [visits, joe]) pid.exit()
})
