/** Each whole program runs until SIGTERM with --forever, and then ends in order, with the exit code 0 and nothing lost. */

import assert from 'node:assert/strict'
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import * as gun from '@holster/gun'
import { createProcess } from '@holster/process'

const root = fileURLToPath(new URL('../..', import.meta.url))

interface Program {
  readonly child: ChildProcessByStdio<null, Readable, Readable>
  /** Resolves to the first line that matches, from where the last search has ended. */
  find(pattern: RegExp): Promise<string>
  /** Resolves to the rest of the lines once the program has ended with the exit code 0, and has written no errors. */
  end(): Promise<readonly string[]>
}

function start(name: string): Program {
  const args = ['--import', 'tsx', `examples/${name}/main.ts`, '--forever']
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  const closed = once(child, 'close')
  const errors = text(child.stderr)
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const next = async () => {
    const { done, value } = await lines.next()
    if (done === true) throw new Error(`the program has ended:\n${await errors}`)
    return value
  }
  return {
    child,
    async find(pattern) {
      for (;;) {
        const line = await next()
        if (pattern.test(line)) return line
      }
    },
    async end() {
      const rest: string[] = []
      for (let it = await lines.next(); it.done !== true; it = await lines.next()) rest.push(it.value)
      assert.equal(await errors, '')
      assert.deepEqual(await closed, [0, null])
      return rest
    },
  }
}

test('the market feed ends with a book that has each symbol in order up to its last tick', async () => {
  const program = start('market-feed')
  // A crash among the feeds: they are under way.
  await program.find(/^child 'S\d\d' .* garbage from the exchange/)
  program.child.kill('SIGTERM')
  await program.find(/^SIGTERM: ending in order$/)
  const [book = '', faults = ''] = (await program.end()).slice(-2)
  assert.match(book, /^the book has [1-9]\d* ticks of \d+ symbols in order; S\d\d has moved most$/)
  assert.match(
    faults,
    /^faults of the exchange: drop \d+, refusal \d+, silence \d+, garbage [1-9]\d*, gap \d+$/,
  )
})

test('the REST service finishes an upload that is half done', async () => {
  const program = start('rest-service')
  const [, port] = /:(\d+)\//.exec(await program.find(/^http:/)) ?? []
  const connPid = gun.open('127.0.0.1', Number(port), { owner: createProcess<gun.GunMessage>() })
  const streamRef = gun.put(connPid, '/files/1', { expect: '100-continue', 'x-timeout-ms': '300000' })
  // The service has the head, and waits for the body.
  assert.equal((await gun.await(connPid, streamRef, 300_000)).type, 'gun_inform')
  gun.data(connPid, streamRef, 'nofin', Buffer.alloc(1024 * 1024))
  program.child.kill('SIGTERM')
  await program.find(/^SIGTERM: ending in order$/)
  gun.data(connPid, streamRef, 'fin', Buffer.alloc(1024 * 1024))
  const { status, body } = await gun.awaitResponse(connPid, streamRef, 300_000)
  assert.deepEqual([status, String(body)], [201, '{"path":"/files/1","size":2097152}'])
  assert.deepEqual(await program.end(), ['the backend has heard 1 requests'])
  gun.close(connPid)
})

test('the chat bot leaves its rooms in order', async () => {
  const program = start('chat-bot')
  await program.find(/^games \| bot: Ben: no, 42$/)
  program.child.kill('SIGTERM')
  await program.find(/^SIGTERM: ending in order$/)
  assert.match((await program.end()).at(-1) ?? '', /^\d+ lines were answered; .* and has left$/)
})
