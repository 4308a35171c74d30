/** Examples of process groups: any number of processes under one name, and news of who joins and leaves. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pg, supervisor } from '@holster/otp'
import { createProcess } from '@holster/process'

test('whoever joins a group gets what is sent to its members', async () => {
  // #region otp/pg/join, otp/pg/members
  type News = { type: 'news'; text: string }
  const [ann, bob] = [createProcess<News>(), createProcess<News>()]
  pg.join('readers', [ann, bob])
  for (const member of pg.members<News>('readers')) member.send({ type: 'news', text: 'rain' })
  const { text } = await bob.receive([{ type: 'news' }]) // 'rain'
  ann.exit()
  const left = pg.members('readers') // [bob]: who ends leaves
  // #endregion
  assert.equal(text, 'rain')
  assert.deepEqual(left, [bob])
  bob.exit()
})

test('a process leaves as often as it has joined', () => {
  // #region otp/pg/leave
  const ann = createProcess()
  pg.join('readers', ann)
  pg.join('readers', ann)
  pg.leave('readers', ann) // true, and still a member
  const isMember = pg.members('readers').length === 1 // true
  pg.leave('readers', ann) // true
  const was = pg.leave('readers', ann) // false: no member any more
  // #endregion
  assert.ok(isMember)
  assert.equal(was, false)
  ann.exit()
})

test('the members of this node are found alone, and the groups listed', () => {
  // #region otp/pg/localMembers, otp/pg/whichGroups
  const ann = createProcess()
  pg.join(['room', 1], ann) // a name may be any value
  const here = pg.localMembers(['room', 1]) // [ann], and no members of other nodes
  const groups = pg.whichGroups() // [['room', 1]]
  // #endregion
  assert.deepEqual(here, [ann])
  assert.deepEqual(groups, [['room', 1]])
  ann.exit()
})

test('a monitor tells who joins and leaves a group', async () => {
  // #region otp/pg/monitor, otp/pg/demonitor, otp/messages/groups
  await using self = createProcess<pg.Change>()
  const [ann, bob] = [createProcess(), createProcess()]
  pg.join('readers', ann)
  const { ref, members } = pg.monitor(self, 'readers') // members: [ann], at this moment
  pg.join('readers', bob)
  const joined = await self.receive([{ type: 'pg_join', ref }]) // joined.pids: [bob]
  ann.exit()
  const left = await self.receive([{ type: 'pg_leave', ref }]) // left.pids: [ann]
  pg.demonitor(self, ref) // true; its messages that wait are gone
  // #endregion
  assert.deepEqual([members, joined.pids, left.pids], [[ann], [bob], [ann]])
  bob.exit()
})

test('a monitor of a scope tells of all its groups', async () => {
  // #region otp/pg/monitorScope
  await using self = createProcess<pg.Change>()
  const ann = createProcess()
  const { ref, groups } = pg.monitorScope(self) // groups: a Map of the groups and their members, here empty
  pg.join('readers', ann)
  const { group, pids } = await self.receive([{ type: 'pg_join', ref }]) // 'readers', [ann]
  // #endregion
  assert.equal(groups.size, 0)
  assert.deepEqual([group, pids], ['readers', [ann]])
  ann.exit()
})

test('a scope has groups of its own', () => {
  const ann = createProcess()
  // #region otp/pg/start
  const chat = pg.start('chat')
  pg.join('readers', ann, 'chat')
  const inChat = pg.members('readers', 'chat') // [ann]
  const elsewhere = pg.members('readers') // []: the scope 'pg'
  // #endregion
  assert.deepEqual([inChat, elsewhere], [[ann], []])
  chat.exit()
  ann.exit()
})

test('a scope ends with the process to which it is linked', async () => {
  // #region otp/pg/startLink
  const self = createProcess()
  const chat = pg.startLink(self, 'chat')
  self.exit('shutdown')
  const reason = await chat.exited // 'shutdown'
  // #endregion
  assert.equal(reason, 'shutdown')
})

test('a scope is the child of a supervisor', async () => {
  const ann = createProcess()
  // #region otp/pg/childSpec
  const sup = await supervisor.start({ children: [pg.childSpec('chat')] })
  pg.join('readers', ann, 'chat')
  // #endregion
  assert.deepEqual(pg.members('readers', 'chat'), [ann])
  await supervisor.stop(sup)
  ann.exit()
})

test('a member that ends leaves its groups before its DOWN comes', async () => {
  // #region otp/messages/groups
  await using self = createProcess<pg.Change>()
  const ann = createProcess()
  pg.join('readers', ann)
  const { ref } = pg.monitor(self, 'readers')
  self.monitor(ann)
  ann.exit()
  const first = await self.receive([{ type: 'pg_leave', ref }, { type: 'DOWN' }]) // pg_leave
  const second = await self.receive([{ type: 'pg_leave', ref }, { type: 'DOWN' }]) // DOWN
  // #endregion
  assert.deepEqual([first.type, second.type], ['pg_leave', 'DOWN'])
})
