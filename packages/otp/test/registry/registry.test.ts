// A registry finds processes by keys of any kind, until they end.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import {
  type Call,
  call,
  createProcess,
  type Down,
  type Exit,
  P,
  type Process,
  processes,
  processInfo,
  type Registrable,
  reply,
  spawn,
  whereis,
} from '@holster/process'
import { expectTypeOf } from 'expect-type'
import { createActor, createMachine } from 'xstate'
import { turn } from '../../../process/test/support/turns.ts'
import { registry } from '../../src/index.ts'
import { reportedExits } from '../support/reported-exits.ts'

function unique<K, V = undefined>(t: TestContext): registry.Registry<K, V> {
  const started = registry.start<K, V>({ keys: 'unique' })
  t.after(() => started.exit())
  return started
}

function duplicate<K, V = undefined>(t: TestContext): registry.Registry<K, V> {
  const started = registry.start<K, V>({ keys: 'duplicate' })
  t.after(() => started.exit())
  return started
}

function members(t: TestContext, count: number): Process[] {
  return Array.from({ length: count }, () => {
    const pid = createProcess()
    t.after(() => pid.exit())
    return pid
  })
}

test('a registered process is found under its key, with its value, until it is unregistered', t => {
  const rooms = unique<string, number>(t)
  const [pid] = members(t, 1) as [Process]
  registry.register(rooms, 'lobby', pid, 7)
  const found = registry.lookup(rooms, 'lobby')
  expectTypeOf(found).toEqualTypeOf<registry.Entry<number>[]>()
  assert.deepEqual(found, [{ pid, value: 7 }])
  assert.equal(registry.whereis(rooms, 'lobby'), pid)
  assert.deepEqual(registry.keys(rooms, pid), ['lobby'])
  assert.deepEqual(registry.values(rooms, 'lobby', pid), [7])
  assert.equal(registry.count(rooms), 1)
  assert.equal(registry.unregister(rooms, 'lobby', pid), true)
  assert.equal(registry.unregister(rooms, 'lobby', pid), false)
  assert.deepEqual(registry.lookup(rooms, 'lobby'), [])
  assert.equal(registry.whereis(rooms, 'lobby'), undefined)
  assert.equal(registry.count(rooms), 0)
  assert.deepEqual(processInfo(pid).monitoredBy, [])
})

test('a key that is taken is refused, also to the process that has it, and the error names that', t => {
  const rooms = unique<string>(t)
  const [first, second] = members(t, 2) as [Process, Process]
  registry.register(rooms, 'lobby', first)
  for (const pid of [first, second]) {
    assert.throws(
      () => registry.register(rooms, 'lobby', pid),
      (error: registry.AlreadyRegistered) => {
        assert.ok(error instanceof registry.AlreadyRegistered)
        assert.equal(error.pid, first)
        assert.equal(error.key, 'lobby')
        assert.match(error.message, /^key 'lobby' is taken by #Process<\d+>$/)
        return true
      },
    )
  }
  assert.deepEqual(registry.keys(rooms, second), [])
})

test('with duplicate keys there are many processes under a key, and one of them many times', t => {
  const topics = duplicate<string, number>(t)
  const [first, second] = members(t, 2) as [Process, Process]
  registry.register(topics, 'news', first, 1)
  registry.register(topics, 'news', second, 2)
  registry.register(topics, 'news', first, 1)
  registry.register(topics, 'sport', first, 3)
  assert.deepEqual(registry.lookup(topics, 'news'), [
    { pid: first, value: 1 },
    { pid: second, value: 2 },
    { pid: first, value: 1 },
  ])
  assert.deepEqual(registry.keys(topics, first), ['news', 'news', 'sport'])
  assert.deepEqual(registry.values(topics, 'news', first), [1, 1])
  assert.equal(registry.count(topics), 4)
  assert.equal(registry.unregister(topics, 'news', first), true)
  assert.deepEqual(registry.lookup(topics, 'news'), [{ pid: second, value: 2 }])
  assert.deepEqual(registry.keys(topics, first), ['sport'])
})

test('whereis and updateValue need unique keys', t => {
  const topics = duplicate<string, number>(t)
  const [pid] = members(t, 1) as [Process]
  assert.throws(() => registry.whereis(topics, 'news'), {
    message: 'whereis needs a registry with unique keys',
  })
  assert.throws(() => registry.updateValue(topics, 'news', pid, n => n), { message: /^updateValue needs/ })
})

test('a process that ends is forgotten at once, before whoever monitors it hears of that', async t => {
  const rooms = unique<string>(t)
  const other = unique<string>(t)
  const seen: unknown[] = []
  const pid = createProcess()
  const watcher = spawn(async self => {
    self.monitor(pid)
    registry.register(rooms, 'lobby', pid)
    registry.register(other, 'lobby', pid)
    const { pid: ended } = await self.receive([{ type: 'DOWN' }])
    seen.push(ended, registry.lookup(rooms, 'lobby'))
    registry.register(rooms, 'lobby', self)
  })
  const trapping = createProcess({ trapExit: true })
  trapping.link(pid)
  await turn()
  pid.exit('shutdown')
  assert.deepEqual(registry.lookup(rooms, 'lobby'), [])
  assert.deepEqual(registry.lookup(other, 'lobby'), [])
  await watcher.exited
  assert.deepEqual(seen, [pid, []])
  assert.equal(registry.count(rooms), 0)
  trapping.exit()
})

test('a key is free at the moment at which links and monitors are told', async t => {
  const rooms = unique<string>(t)
  const pid = createProcess()
  const watcher = createProcess({ trapExit: true })
  watcher.monitor(pid)
  watcher.link(pid)
  registry.register(rooms, 'lobby', pid)
  const seen: unknown[] = []
  const look = P.when((message: unknown) => {
    seen.push((message as Exit | Down).type, registry.lookup(rooms, 'lobby'))
    return true
  })
  const told = [watcher.receive([look]), watcher.receive([look])]
  pid.exit()
  await Promise.all(told)
  assert.deepEqual(seen, ['EXIT', [], 'DOWN', []])
  watcher.exit()
})

test('a registry keeps no key that nobody has', async t => {
  const rooms = unique<object>(t)
  const [pid] = members(t, 1) as [Process]
  const key = (() => {
    const key = new Date()
    registry.register(rooms, key, pid)
    registry.unregister(rooms, key, pid)
    return new WeakRef(key)
  })()
  await turn()
  gc?.()
  assert.equal(key.deref(), undefined)
})

test('a process that has ended cannot be registered', t => {
  const rooms = unique<string>(t)
  const pid = createProcess()
  pid.exit()
  assert.throws(() => registry.register(rooms, 'lobby', pid), { message: /^pid has exited: #Process</ })
  assert.equal(registry.count(rooms), 0)
  registry.register(rooms, 'lobby', ...(members(t, 1) as [Process]))
})

test('an xstate actor is registered as a process is', t => {
  const rooms = unique<string>(t)
  const actor = createActor(createMachine({})).start()
  registry.register(rooms, 'actor', actor)
  assert.equal(registry.whereis(rooms, 'actor'), actor)
  actor.stop()
  assert.equal(registry.whereis(rooms, 'actor'), undefined)
})

test('arrays and plain objects are one key if their parts are equal', t => {
  type Key = readonly ['user', number] | { readonly room: string; readonly seat?: readonly number[] }
  const seats = unique<Key, string>(t)
  const [pid] = members(t, 1) as [Process]
  registry.register(seats, ['user', 42], pid, 'a')
  registry.register(seats, { room: 'x', seat: [1, 2] }, pid, 'b')
  assert.equal(registry.whereis(seats, ['user', 42]), pid)
  assert.equal(registry.whereis(seats, ['user', 43]), undefined)
  assert.deepEqual(registry.lookup(seats, { seat: [1, 2], room: 'x' }), [{ pid, value: 'b' }])
  assert.deepEqual(registry.lookup(seats, { room: 'x' }), [])
  assert.throws(() => registry.register(seats, ['user', 42], pid, 'c'), registry.AlreadyRegistered)
})

test('a key that is an array or an object is kept as it was', t => {
  const seats = unique<number[]>(t)
  const [pid] = members(t, 1) as [Process]
  const key = [1, 2]
  registry.register(seats, key, pid)
  key[1] = 3
  assert.deepEqual(registry.keys(seats, pid), [[1, 2]])
  assert.equal(Object.isFrozen(registry.keys(seats, pid)[0]), true)
  assert.equal(registry.whereis(seats, [1, 2]), pid)
  assert.equal(registry.whereis(seats, key), undefined)
})

test('no two different keys are taken for one', t => {
  const all = unique<unknown>(t)
  const [pid] = members(t, 1) as [Process]
  const [object, symbol, ref] = [new Date(0), Symbol('s'), createProcess()]
  const different: unknown[] = [
    ...['', 'a', '1', '[1]', '["a"]', '\0', '\0[1]', '\0"\\u0000[1]"', 'undefined', 'null', 'NaN', '#1'],
    ...[1, 1n, -1, Number.NaN, true, false, null, undefined],
    ...[[], [1], ['1'], [1n], [[1]], [1, 2], ['1,2'], [undefined], [null], ['null']],
    ...[[[]], {}, { a: 1 }, { a: 1, b: 2 }, { ab: 12 }, { a: undefined }, { a: { b: 1 } }, [{ a: 1 }]],
    ...[
      object,
      new Date(0),
      [object],
      [new Date(0)],
      symbol,
      Symbol('s'),
      [symbol],
      [Symbol('s')],
      [Symbol.for('s')],
    ],
    ...[ref, [ref], () => 1, [() => 1], Buffer.from('a'), [Buffer.from('a')], ['#1'], [{ toString: 1 }]],
  ]
  for (const key of different) registry.register(all, key, pid)
  assert.equal(registry.count(all), different.length)
  for (const key of different) {
    assert.equal(registry.unregister(all, key, pid), true)
  }
  for (const [one, same] of [
    [Number.NaN, Number.NaN],
    [0, -0],
    [[0], [-0]],
    [[Symbol.for('s')], [Symbol.for('s')]],
    [[object], [object]],
    [
      { a: 1, b: 2 },
      { b: 2, a: 1 },
    ],
    [{ a: 1 }, Object.assign(Object.create(null), { a: 1 })],
  ]) {
    registry.register(all, one, pid)
    assert.equal(registry.unregister(all, same, pid), true)
  }
  ref.exit()
})

test('a key that holds itself is refused, and leaves nothing behind', t => {
  const all = unique<unknown>(t)
  const many = duplicate<unknown>(t)
  const [pid] = members(t, 1) as [Process]
  const key: unknown[] = []
  key.push(key)
  assert.throws(() => registry.register(many, key, pid), { name: 'TypeError' })
  assert.deepEqual(registry.keys(many, pid), [])
  assert.throws(() => registry.lookup(all, key), {
    name: 'TypeError',
    message: /^key must not be deeper than 100 levels$/,
  })
})

test('dispatch calls its function with all entries, and not at all if there are none', t => {
  const topics = duplicate<string, string>(t)
  const [first, second] = members(t, 2) as [Process, Process]
  registry.register(topics, 'news', first, 'a')
  registry.register(topics, 'news', second, 'b')
  const said = registry.dispatch(topics, 'news', entries => {
    expectTypeOf(entries).toEqualTypeOf<registry.Entry<string>[]>()
    for (const { pid, value } of entries) pid.send(value)
    return entries.length
  })
  expectTypeOf(said).toEqualTypeOf<number | undefined>()
  assert.equal(said, 2)
  assert.equal(first.messageQueueLength, 1)
  assert.equal(
    registry.dispatch(topics, 'sport', () => assert.fail('it is called')),
    undefined,
  )
})

test('patterns find entries by their values, and by all of an entry', t => {
  const topics = duplicate<string, { readonly role: 'reader' | 'writer'; readonly n: number }>(t)
  const [first, second] = members(t, 2) as [Process, Process]
  registry.register(topics, 'news', first, { role: 'reader', n: 1 })
  registry.register(topics, 'news', second, { role: 'writer', n: 2 })
  registry.register(topics, 'sport', first, { role: 'writer', n: 3 })
  assert.deepEqual(registry.match(topics, 'news', { role: 'writer' }), [
    { pid: second, value: { role: 'writer', n: 2 } },
  ])
  assert.equal(registry.countMatch(topics, 'news', { n: P.number.gt(0) }), 2)
  assert.deepEqual(
    registry.select(topics, { value: { role: 'writer' } }).map(({ key, value: { n } }) => [key, n]),
    [
      ['news', 2],
      ['sport', 3],
    ],
  )
  assert.deepEqual(
    registry.select(topics, { pid: first }).map(({ key }) => key),
    ['news', 'sport'],
  )
  assert.equal(registry.select(topics).length, 3)
  assert.equal(registry.unregisterMatch(topics, 'news', first, { role: 'writer' }), false)
  assert.equal(registry.unregisterMatch(topics, 'news', first, { role: 'reader' }), true)
  assert.deepEqual(registry.keys(topics, first), ['sport'])
})

test('updateValue changes the value of the process that has the key, and gives both', t => {
  const counters = unique<string, number>(t)
  const [first, second] = members(t, 2) as [Process, Process]
  registry.register(counters, 'a', first, 1)
  registry.register(counters, 'b', first, 5)
  const before = registry.lookup(counters, 'a')
  const changed = registry.updateValue(counters, 'a', first, n => n + 1)
  expectTypeOf(changed).toEqualTypeOf<[value: number, old: number] | undefined>()
  assert.deepEqual(changed, [2, 1])
  assert.deepEqual(before, [{ pid: first, value: 1 }])
  assert.deepEqual(registry.lookup(counters, 'a'), [{ pid: first, value: 2 }])
  assert.deepEqual(registry.keys(counters, first), ['a', 'b'])
  assert.equal(
    registry.updateValue(counters, 'a', second, () => assert.fail('it is called')),
    undefined,
  )
})

test('a registry that ends forgets everything, and leaves the processes alone', t => {
  const rooms = registry.start<string>({ keys: 'unique', name: 'rooms' })
  const [pid] = members(t, 1) as [Process]
  registry.register('rooms', 'lobby', pid)
  assert.equal(registry.whereis(rooms, 'lobby'), pid)
  rooms.exit('shutdown')
  assert.throws(() => registry.lookup(rooms, 'lobby'), {
    message: /^registry has exited: #Process<\d+ rooms>$/,
  })
  assert.throws(() => registry.lookup('rooms', 'lobby'), { message: "no registry is registered as 'rooms'" })
  assert.equal(pid.isAlive, true)
  assert.deepEqual(processInfo(pid).monitoredBy, [])
  const next = registry.start({ keys: 'unique', name: 'rooms' })
  assert.deepEqual(registry.lookup('rooms', 'lobby'), [])
  pid.exit()
  next.exit()
})

test('a registry is linked to who starts it so, and takes no messages', async () => {
  const before = processes().length
  const self = createProcess({ trapExit: true })
  const rooms = registry.startLink<string>(self, { keys: 'unique' })
  ;(rooms as unknown as Process).send('noise')
  await turn()
  assert.equal(processInfo(rooms).messageQueueLength, 0)
  assert.equal(processInfo(rooms).label, 'registry of unique keys')
  assert.deepEqual(processInfo(rooms).links, [self])
  self.exit('shutdown')
  assert.equal(rooms.isAlive, false)
  assert.equal(processes().length, before)
})

test('a child spec starts a registry with its supervisor', async () => {
  const parent = createProcess<never>({ trapExit: true })
  const spec = registry.childSpec({ keys: 'unique', name: 'rooms' })
  assert.equal(spec.id, 'rooms')
  assert.equal(registry.childSpec({ keys: 'duplicate' }).id, 'registry')
  assert.equal(registry.childSpec({ keys: 'duplicate', id: 'mine' }).id, 'mine')
  const child = await spec.start(parent)
  assert.equal(whereis('rooms'), child)
  assert.deepEqual(processInfo(parent).links, [child])
  parent.exit('shutdown')
  assert.equal(whereis('rooms'), undefined)
  assert.throws(() => registry.childSpec({ keys: 'all' } as never), { name: 'TypeError' })
})

test('listeners hear of each change, by pid and by name, also of the ends of processes', async t => {
  const reasons = reportedExits(t)
  const listener = createProcess<registry.ListenerMessage>({ name: 'listener' })
  const other = createProcess<registry.ListenerMessage>()
  const broken = {
    send: () => {
      throw new Error('broken listener')
    },
  }
  const rooms = registry.start<string, number>({
    keys: 'duplicate',
    listeners: [broken, 'listener', other, 'nobody'],
  })
  const pid = createProcess()
  registry.register(rooms, 'a', pid, 1)
  registry.register(rooms, 'b', pid, 2)
  registry.register(rooms, 'b', pid, 3)
  registry.unregister(rooms, 'a', pid)
  registry.unregister(rooms, 'a', pid)
  pid.exit()
  for (const self of [listener, other]) {
    const heard: unknown[] = []
    while (self.messageQueueLength > 0) heard.push(await self.receive([P._]))
    assert.deepEqual(heard, [
      { type: 'registry_register', registry: rooms, key: 'a', pid, value: 1 },
      { type: 'registry_register', registry: rooms, key: 'b', pid, value: 2 },
      { type: 'registry_register', registry: rooms, key: 'b', pid, value: 3 },
      { type: 'registry_unregister', registry: rooms, key: 'a', pid },
      { type: 'registry_unregister', registry: rooms, key: 'b', pid },
    ])
    self.exit()
  }
  assert.equal(reasons.length, 5)
  rooms.exit()
})

test('a listener hears that a process is unregistered from a key when its last entry there is gone', async t => {
  const listener = createProcess<registry.ListenerMessage>()
  const rooms = registry.start<string, number>({ keys: 'duplicate', listeners: [listener] })
  const [pid] = members(t, 1) as [Process]
  registry.register(rooms, 'a', pid, 1)
  registry.register(rooms, 'a', pid, 2)
  listener.flush()
  registry.unregisterMatch(rooms, 'a', pid, 1)
  assert.equal(listener.messageQueueLength, 0)
  registry.unregisterMatch(rooms, 'a', pid, 2)
  assert.equal(listener.messageQueueLength, 1)
  listener.exit()
  rooms.exit()
})

test('wrong arguments throw at once, and name themselves', t => {
  const rooms = unique<string>(t)
  const [pid] = members(t, 1) as [Process]
  const start = (options: unknown) => () => registry.start(options as registry.Options)
  assert.throws(start(undefined), { message: /^options must be an object/ })
  assert.throws(start({}), { message: /^options.keys must be 'unique' or 'duplicate', not undefined$/ })
  assert.throws(start({ keys: 'unique', nam: 'x' }), { message: /did you mean 'name'\?$/ })
  assert.throws(start({ keys: 'unique', name: '' }), { message: /^name must be a non-empty string$/ })
  assert.throws(start({ keys: 'unique', listeners: 5 }), { message: /^options.listeners must be an array$/ })
  assert.throws(start({ keys: 'unique', listeners: [5] }), {
    message: /^options.listeners must hold pids or names, not 5$/,
  })
  assert.throws(() => registry.lookup(5 as never, 'a'), {
    message: /^registry must be what start gave, or its name, not 5$/,
  })
  assert.throws(() => registry.lookup(pid as never, 'a'), { message: /^registry must be what start gave/ })
  assert.throws(() => registry.register(rooms, 'a', {} as Registrable), { message: /^pid must be a process/ })
  assert.throws(() => registry.dispatch(rooms, 'a', 5 as never), { message: /^run must be a function/ })
  assert.throws(() => registry.updateValue(rooms, 'a', pid, 5 as never), {
    message: /^update must be a function/,
  })
  assert.throws(() => registry.match(rooms, 'a', (() => true) as never), { message: /P.when/ })
})

test('the processes of a registry understand the messages that its type says', async t => {
  type Ask = Call<'who', number>
  const users = registry.start<string, undefined, Ask>({ keys: 'unique' })
  t.after(() => users.exit())
  const user = spawn<Ask>(async self => reply((await self.receive([{ type: 'call' }])).from, 42))
  registry.register(users, 'me', user)
  const found = registry.whereis(users, 'me')
  expectTypeOf(found).toEqualTypeOf<registry.Registered<Ask> | undefined>()
  expectTypeOf(registry.lookup(users, 'me')).toEqualTypeOf<registry.Entry<undefined, Ask>[]>()
  const asked = found && call(found, 'who')
  expectTypeOf(asked).toEqualTypeOf<Promise<number> | undefined>()
  assert.equal(await asked, 42)
  const check = (): void => {
    // @ts-expect-error nobody there understands that
    found?.send('hello')
    // @ts-expect-error such a process does not understand the messages
    registry.register(users, 'other', createProcess<{ type: 'other' }>())
  }
  assert.equal(typeof check, 'function')
})

test('the types refuse other keys and values', () => {
  const check = (
    rooms: registry.Registry<'a' | 'b', number>,
    flags: registry.Registry<string>,
    pid: Process,
  ): void => {
    registry.register(rooms, 'a', pid, 1)
    registry.register(flags, 'a', pid)
    registry.register('rooms', ['any', 'key'], pid, 1)
    // @ts-expect-error there is no such key
    registry.register(rooms, 'c', pid, 1)
    // @ts-expect-error a value is a number
    registry.register(rooms, 'a', pid, 'x')
    // @ts-expect-error a value is needed
    registry.register(rooms, 'a', pid)
    // @ts-expect-error there is no such key
    registry.lookup(rooms, 'c')
    // @ts-expect-error no value matches
    registry.match(rooms, 'a', 'x')
    // @ts-expect-error a registry takes no messages
    rooms.send('x')
    // @ts-expect-error its values are others
    const other: registry.Registry<'a', string> = rooms
    void other
    expectTypeOf(registry.keys(rooms, pid)).toEqualTypeOf<('a' | 'b')[]>()
    expectTypeOf(registry.select(rooms)).toEqualTypeOf<registry.KeyedEntry<'a' | 'b', number>[]>()
  }
  assert.equal(typeof check, 'function')
})

test('a registry of all nodes needs a name, and keys that are the same on each', t => {
  assert.throws(() => registry.start({ keys: 'unique', nodes: 'all' }), {
    name: 'TypeError',
    message: "options.name must be given if options.nodes is 'all': the registries find each other by it",
  })
  assert.throws(() => registry.start({ keys: 'unique', nodes: 'some' as never }), {
    name: 'TypeError',
    message: "options.nodes must be 'this' or 'all', not 'some'",
  })
  const onConflict = () => {}
  for (const options of [
    { keys: 'unique', onConflict },
    { keys: 'duplicate', name: 'all', nodes: 'all', onConflict },
  ] as const) {
    assert.throws(() => registry.start(options), {
      name: 'TypeError',
      message: "options.onConflict needs unique keys, and 'all' as options.nodes: otherwise there is none",
    })
  }
  assert.throws(
    () => registry.start({ keys: 'unique', name: 'all', nodes: 'all', onConflict: 'kill' as never }),
    { name: 'TypeError', message: "options.onConflict must be a function, not 'kill'" },
  )
  const all = registry.start<unknown>({ keys: 'unique', name: 'all', nodes: 'all' })
  t.after(() => all.exit())
  const pid = createProcess()
  for (const key of [new Date(0), Buffer.alloc(1), () => {}, Symbol('here'), ['a', { b: new Map() }]]) {
    assert.throws(() => registry.register(all, key, pid), {
      name: 'TypeError',
      message: /^key must be the same on all nodes: /,
    })
  }
  const round: unknown[] = []
  round.push(round)
  assert.throws(() => registry.register(all, round, pid), {
    name: 'TypeError',
    message: 'key must not be deeper than 100 levels',
  })
  for (const key of [Symbol.for('there'), pid, ['a', { b: pid }], null, undefined, 1n]) {
    registry.register(all, key, pid)
    assert.equal(registry.whereis(all, key), pid)
  }
})

test('a registry of all nodes does as others do in a program that is no node', t => {
  const all = registry.start<string, number>({ keys: 'unique', name: 'all', nodes: 'all' })
  t.after(() => all.exit())
  const pid = createProcess()
  registry.register(all, 'key', pid, 1)
  assert.throws(() => registry.register(all, 'key', createProcess(), 1), registry.AlreadyRegistered)
  assert.deepEqual(
    registry.updateValue(all, 'key', pid, value => value + 1),
    [2, 1],
  )
  pid.exit()
  assert.equal(registry.count(all), 0)
})
