/** The channel that gets the exit reasons that nobody handles, beside the exit hook. */

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { setExitHook, spawn } from '../../src/index.ts'

test('subscribers get each reason that nobody handles, with its process, before the hook', async t => {
  const told: unknown[] = []
  const hook = setExitHook((pid, reason) => void told.push(['hook', pid, reason]))
  t.after(() => void setExitHook(hook))
  const listener = (message: unknown) => void told.push(message)
  subscribe('holster:process:exit', listener)
  t.after(() => unsubscribe('holster:process:exit', listener))
  const error = new Error('boom')
  const crashed = spawn(() => {
    throw error
  })
  await crashed.exited
  await spawn(self => self.exit('shutdown')).exited
  assert.deepEqual(told, [{ pid: crashed, reason: error }, ['hook', crashed, error]])
})

test('an error of a subscriber becomes an uncaught exception, and the hook gets the reason all the same', async () => {
  const program = `
    import { subscribe } from 'node:diagnostics_channel'
    import { setExitHook, spawn } from '@holster/process'
    process.on('uncaughtException', error => console.log('uncaught', error.message))
    subscribe('holster:process:exit', () => { throw new Error('of the subscriber') })
    setExitHook((_, reason) => console.log('hook', reason))
    await spawn(self => self.exit('boom')).exited
  `
  const args = ['--input-type=module', '--eval', program]
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: import.meta.dirname })
  assert.equal(stdout, 'hook boom\nuncaught of the subscriber\n')
})
