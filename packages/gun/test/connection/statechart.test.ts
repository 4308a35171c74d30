/** The picture of the life of a connection is drawn from the machine. */

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { PAGE, pageOf } from '../../scripts/statechart.ts'
import { connectionMachine } from '../../src/connection/machine.ts'

const page = pageOf(connectionMachine)

test('docs/statechart.md shows the machine as it is', async () => {
  assert.equal(await readFile(PAGE, 'utf8'), page, 'the page is old: run npm run statechart')
})

test('the page names each event, each effect and each guard that decides', () => {
  for (const event of connectionMachine.events) {
    const name = event.replace(/^xstate[.]after[.](\w+)[.].*/, 'after $1')
    assert.match(page, new RegExp(`^ .* : .*\\b${name}\\b`, 'm'), name)
  }
  const { actions, guards } = connectionMachine.implementations
  for (const [name, action] of Object.entries(actions)) {
    assert.equal(
      new RegExp(`^ .* : .*\\b${name}\\b`, 'm').test(page),
      !('assignment' in Object(action)),
      name,
    )
  }
  for (const name of Object.keys(guards)) assert.match(page, new RegExp(`\\[${name}\\]`), name)
})
