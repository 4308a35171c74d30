// Groups of processes: who joins and leaves is told, and an end is a leave.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import {
  createProcess,
  type Down,
  type Exit,
  exit,
  P,
  type Process,
  processes,
  processInfo,
  type Registrable,
  spawn,
  whereis,
} from '@holster/process'
import { expectTypeOf } from 'expect-type'
import { turn } from '../../../process/test/support/turns.ts'
import { pg } from '../../src/index.ts'
import { reportedExits } from '../support/reported-exits.ts'

function pids(t: TestContext, count: number): Process[] {
  return Array.from({ length: count }, () => {
    const pid = createProcess()
    t.after(() => pid.exit())
    return pid
  })
}

/** Ends the default scope after the test. */
function fresh(t: TestContext): void {
  t.after(() => {
    const scope = whereis('pg')
    if (scope !== undefined) exit(scope as Process, 'shutdown')
  })
}

async function changes(self: Process<pg.Change>): Promise<pg.Change[]> {
  const all: pg.Change[] = []
  while (self.messageQueueLength > 0) all.push((await self.receive([P._])) as pg.Change)
  return all
}

test('processes join a group and leave it, one as often as it likes', t => {
  fresh(t)
  const [a, b] = pids(t, 2) as [Process, Process]
  assert.deepEqual(pg.members('room'), [])
  pg.join('room', a)
  pg.join('room', [b, a])
  assert.deepEqual(pg.members('room'), [a, b, a])
  assert.deepEqual(pg.localMembers('room'), [a, b, a])
  assert.equal(pg.leave('room', a), true)
  assert.deepEqual(pg.members('room'), [a, b])
  assert.equal(pg.leave('room', [a, a]), true)
  assert.equal(pg.leave('room', a), false)
  assert.equal(pg.leave('nowhere', [a, b]), false)
  assert.deepEqual(pg.members('room'), [b])
  expectTypeOf(pg.members<{ type: 'hello' }>('room')).toEqualTypeOf<pg.Member<{ type: 'hello' }>[]>()
})

test('groups are there while they have members, and arrays and objects name one group if their parts are equal', t => {
  fresh(t)
  const [a] = pids(t, 1) as [Process]
  pg.join(['user', 1], a)
  pg.join({ topic: 'news' }, a)
  pg.join('room', a)
  pg.join('empty', [])
  assert.deepEqual(pg.whichGroups(), [['user', 1], { topic: 'news' }, 'room'])
  assert.deepEqual(pg.members(['user', 1]), [a])
  pg.leave(['user', 1], a)
  assert.deepEqual(pg.whichGroups(), [{ topic: 'news' }, 'room'])
  a.exit()
  assert.deepEqual(pg.whichGroups(), [])
})

test('a process that ends leaves all its groups at once, before whoever monitors it hears of that', async t => {
  fresh(t)
  const a = createProcess()
  pg.join('room', [a, a])
  pg.join('hall', a)
  const watcher = spawn(async self => {
    self.monitor(a)
    await self.receive([{ type: 'DOWN' }])
    return assert.deepEqual(pg.members('room'), [])
  })
  await turn()
  a.exit()
  assert.deepEqual([pg.members('room'), pg.members('hall')], [[], []])
  assert.equal(await watcher.exited, 'normal')
})

test('a process is in no group at the moment at which links and monitors are told', async t => {
  fresh(t)
  const pid = createProcess()
  const watcher = createProcess({ trapExit: true })
  watcher.monitor(pid)
  watcher.link(pid)
  pg.join('room', pid)
  const seen: unknown[] = []
  const look = P.when((message: unknown) => {
    seen.push((message as Exit | Down).type, pg.members('room'))
    return true
  })
  const told = [watcher.receive([look]), watcher.receive([look])]
  pid.exit()
  await Promise.all(told)
  assert.deepEqual(seen, ['EXIT', [], 'DOWN', []])
  watcher.exit()
})

test('a monitor of a group is given its members, and told of each change from then on', async t => {
  fresh(t)
  const [a, b] = pids(t, 2) as [Process, Process]
  const self = createProcess<pg.Change>()
  pg.join('room', a)
  const { ref, members } = pg.monitor(self, 'room')
  assert.deepEqual(members, [a])
  pg.join('room', [b, b])
  pg.join('hall', b)
  pg.leave('room', [a, a, b])
  pg.leave('room', a)
  b.exit()
  assert.deepEqual(await changes(self), [
    { type: 'pg_join', ref, group: 'room', pids: [b, b] },
    { type: 'pg_leave', ref, group: 'room', pids: [a, b] },
    { type: 'pg_leave', ref, group: 'room', pids: [b] },
  ])
  self.exit()
})

test('a monitor of a scope is told of all groups', async t => {
  fresh(t)
  const [a] = pids(t, 1) as [Process]
  const self = createProcess<pg.Change>()
  pg.join('room', [a, a])
  const { ref, groups } = pg.monitorScope(self)
  assert.deepEqual(groups, new Map([['room', [a, a]]]))
  pg.join(['hall', 1], a)
  a.exit()
  assert.deepEqual(await changes(self), [
    { type: 'pg_join', ref, group: ['hall', 1], pids: [a] },
    { type: 'pg_leave', ref, group: ['hall', 1], pids: [a] },
    { type: 'pg_leave', ref, group: 'room', pids: [a] },
    { type: 'pg_leave', ref, group: 'room', pids: [a] },
  ])
  self.exit()
})

test('demonitor ends the news and drops those that wait, and a second one does nothing', async t => {
  fresh(t)
  const [a] = pids(t, 1) as [Process]
  const self = createProcess<pg.Change>()
  const [one, two] = [pg.monitor(self, 'room'), pg.monitorScope(self)]
  pg.join('room', a)
  assert.equal(pg.demonitor(self, one.ref), true)
  assert.equal(pg.demonitor(self, one.ref), false)
  pg.leave('room', a)
  assert.deepEqual(await changes(self), [
    { type: 'pg_join', ref: two.ref, group: 'room', pids: [a] },
    { type: 'pg_leave', ref: two.ref, group: 'room', pids: [a] },
  ])
  assert.equal(pg.demonitor(self, two.ref), true)
  assert.deepEqual(processInfo(self).monitoredBy, [])
  self.exit()
})

test('a process that ends is told of nothing more, and monitors nothing', t => {
  fresh(t)
  const [a] = pids(t, 1) as [Process]
  const self = createProcess()
  const { ref } = pg.monitor(self, 'room')
  self.exit()
  const late = pg.monitor(self, 'room')
  pg.join('room', a)
  assert.equal(pg.demonitor(self, ref), false)
  assert.equal(pg.demonitor(self, late.ref), false)
})

test('a scope keeps no name of a group that nobody is in or looks at', async t => {
  fresh(t)
  const [a] = pids(t, 1) as [Process]
  const ended = createProcess()
  ended.exit()
  const names = (() => {
    const [joined, monitored, missed] = [new Date(1), new Date(2), new Date(3)]
    pg.join(joined, [a, ended])
    pg.leave(joined, a)
    pg.demonitor(a, pg.monitor(a, monitored).ref)
    pg.monitor(ended, missed)
    return [joined, monitored, missed].map(name => new WeakRef(name))
  })()
  await turn()
  gc?.()
  assert.deepEqual(
    names.map(name => name.deref()),
    [undefined, undefined, undefined],
  )
})

test('a process that has ended joins and leaves at once', async t => {
  fresh(t)
  const [a] = pids(t, 1) as [Process]
  const ended = createProcess()
  ended.exit()
  const self = createProcess<pg.Change>()
  const { ref } = pg.monitor(self, 'room')
  pg.join('room', [ended, a, ended])
  assert.deepEqual(pg.members('room'), [a])
  assert.deepEqual(await changes(self), [
    { type: 'pg_join', ref, group: 'room', pids: [ended, a, ended] },
    { type: 'pg_leave', ref, group: 'room', pids: [ended] },
    { type: 'pg_leave', ref, group: 'room', pids: [ended] },
  ])
  self.exit()
})

test('whoever is told may change the group, and end the news for others', async t => {
  fresh(t)
  const [a, b] = pids(t, 2) as [Process, Process]
  const [self, other] = [createProcess<pg.Change>(), createProcess<pg.Change>()]
  pg.monitor(self, 'room')
  const { ref } = pg.monitor(other, 'room')
  const eager = P.when((change: unknown) => {
    if ((change as pg.Change).pids[0] === a) pg.join('room', b)
    return pg.demonitor(other, ref)
  })
  const waiting = self.receive([eager])
  pg.join('room', a)
  assert.deepEqual(((await waiting) as pg.Change).pids, [a])
  assert.deepEqual(pg.members('room'), [a, b])
  assert.deepEqual(
    (await changes(self)).map(({ pids }) => pids),
    [[b]],
  )
  assert.deepEqual(
    (await changes(other)).map(({ pids }) => pids),
    [],
  )
  self.exit()
  other.exit()
})

test('scopes are apart, and processes with their names', t => {
  const [a, b] = pids(t, 2) as [Process, Process]
  const scope = pg.start('mine')
  pg.join('room', a, 'mine')
  assert.equal(whereis('mine'), scope)
  assert.equal(processInfo(scope).label, 'scope of process groups')
  assert.deepEqual(pg.members('room', 'mine'), [a])
  assert.deepEqual(pg.members('room'), [])
  assert.deepEqual(pg.whichGroups('mine'), ['room'])
  assert.throws(() => pg.start('mine'), { message: /^name 'mine' is taken/ })
  assert.deepEqual(pg.monitor(b, 'room', 'mine').members, [a])
  assert.deepEqual(pg.monitorScope(b, 'mine').groups, new Map([['room', [a]]]))
  scope.exit('shutdown')
  assert.deepEqual(pg.members('room', 'mine'), [])
  assert.deepEqual(pg.whichGroups('mine'), [])
  assert.throws(() => pg.join('room', a, 'mine'), {
    message: "scope 'mine' does not run: start it with pg.start or pg.startLink",
  })
  for (const pid of [a, b]) {
    assert.equal(pid.isAlive, true)
    pid.exit()
  }
  assert.equal(b.messageQueueLength, 0)
})

test('a scope is linked to who starts it so, and a child spec starts one with its supervisor', async () => {
  const before = processes().length
  const parent = createProcess<never>({ trapExit: true })
  const child = await pg.childSpec('mine').start(parent)
  assert.equal(pg.childSpec().id, 'pg')
  assert.equal(whereis('mine'), child)
  ;(child as Process).send('noise')
  await turn()
  assert.equal(processInfo(child as Process).messageQueueLength, 0)
  assert.deepEqual(processInfo(parent).links, [child])
  parent.exit('shutdown')
  assert.equal(whereis('mine'), undefined)
  assert.equal(processes().length, before)
})

test('the default scope starts by itself, once, and again after its end', t => {
  fresh(t)
  const [a] = pids(t, 1) as [Process]
  assert.equal(whereis('pg'), undefined)
  pg.join('room', a)
  const scope = whereis('pg') as Process
  pg.join('hall', a)
  assert.equal(whereis('pg'), scope)
  scope.exit('shutdown')
  assert.deepEqual(pg.whichGroups(), [])
  pg.join('room', a)
  assert.deepEqual(pg.whichGroups(), ['room'])
})

test('a monitor that throws keeps nobody else from the news', async t => {
  fresh(t)
  const reasons = reportedExits(t)
  const [a] = pids(t, 1) as [Process]
  const self = createProcess<pg.Change>()
  const broken = createProcess()
  broken.send = () => {
    throw new Error('broken')
  }
  pg.monitor(broken, 'room')
  pg.monitor(self, 'room')
  pg.join('room', a)
  assert.equal((await changes(self)).length, 1)
  assert.equal(reasons.length, 1)
  self.exit()
  broken.exit()
})

test('wrong arguments throw at once, and name themselves', t => {
  fresh(t)
  const [a] = pids(t, 1) as [Process]
  assert.throws(() => pg.join('room', 5 as never), { message: /^pids must be a process/ })
  assert.throws(() => pg.join('room', [a, {} as Registrable]), { message: /^pids must be a process/ })
  assert.deepEqual(pg.members('room'), [])
  assert.throws(() => pg.members('room', ''), { message: /^scope must be a non-empty string, not ''$/ })
  assert.throws(() => pg.start(5 as never), { message: /^scope must be a non-empty string, not 5$/ })
  assert.throws(() => pg.demonitor(a, 5 as never), { message: /^ref must be what monitor/ })
})
