/** Handles as they compare, print and serialize. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect, isDeepStrictEqual } from 'node:util'
import * as gun from '@holster/gun'
import { createProcess, register, unregister } from '@holster/process'
import { handles, pairs } from '../support/handles.ts'

test('a handle is deeply equal to itself alone', () => {
  pairs((left, right, isSame) => {
    assert.equal(isDeepStrictEqual(left, right), isSame, `${inspect(left)} and ${inspect(right)}`)
    if (isSame) assert.deepStrictEqual(left, right)
    else assert.notDeepStrictEqual(left, right)
  })
})

test('a handle has an id, which no other has, and is written and printed as it', () => {
  const all = handles()
  for (const handle of all) {
    assert.match(handle.id, /^#(Ref|MonitorRef|TimerRef|Process|Conn|Stream)<\d+>$/)
    assert.equal(String(handle), handle.id)
    assert.equal(inspect(handle), handle.id)
    assert.equal(JSON.stringify([handle]), JSON.stringify([handle.id]))
  }
  assert.equal(new Set(all.map(({ id }) => id)).size, all.length)
})

test('a process prints with its name, also once it has exited, and has the same id with it', () => {
  const self = createProcess({ name: 'worker' })
  const { id } = self
  const named = id.replace('>', ' worker>')
  assert.match(named, /^#Process<\d+ worker>$/)
  assert.deepEqual(
    [String(self), inspect({ self }), JSON.stringify(self)],
    [named, `{ self: ${named} }`, `"${id}"`],
  )
  unregister('worker')
  assert.equal(String(self), id)
  register('other', self)
  assert.equal(String(self), id.replace('>', ' other>'))
  self.exit()
  assert.equal(String(self), id.replace('>', ' other>'))
  assert.match(self.signal.reason.message, /^#Process<\d+ other> has exited: normal$/)
})

test('the owner that open makes is printed like any other process', () => {
  const connPid = gun.open('localhost', 1)
  assert.match(String(connPid.owner), /^#Process<\d+>$/)
  gun.close(connPid)
})
