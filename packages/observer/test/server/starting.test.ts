// An observer is started by a call or by a flag, keeps no program running, and leaves threads to the program that started them.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Observer, startObserver } from '@holster/observer'
import { HELLO_PATH, type Hello } from '../../src/words.ts'

const cwd = fileURLToPath(new URL('../..', import.meta.url))

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program, given as text, behind the flag that starts an observer. */
async function runObserved(code: string, env: Record<string, string>): Promise<Ended> {
  const args = ['--import', '@holster/observer/start', '--input-type=module', '--eval', code]
  const child = spawn(process.execPath, args, { cwd, env: { ...process.env, ...env } })
  const [stdout, stderr, [exitCode]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ])
  return { code: exitCode as number | null, stdout, stderr }
}

describe('node --import @holster/observer/start', () => {
  test('prints the address, and lets the program end by itself', async () => {
    const { code, stdout, stderr } = await runObserved('console.log("done")', { HOLSTER_OBSERVER_PORT: '0' })
    assert.equal(code, 0)
    assert.equal(stdout, 'done\n')
    assert.match(stderr, /^Holster observer: http:\/\/127\.0\.0\.1:\d+\/\n$/)
  })

  test('takes its options from the environment', async () => {
    const { stderr } = await runObserved('', {
      HOLSTER_OBSERVER_PORT: '0',
      HOLSTER_OBSERVER_HOST: '127.0.0.2',
      HOLSTER_OBSERVER_TOKEN: 'a-token-of-sixteen',
    })
    assert.match(stderr, /^Holster observer: http:\/\/127\.0\.0\.2:\d+\/#token=a-token-of-sixteen\n$/)
    const random = await runObserved('', { HOLSTER_OBSERVER_PORT: '0', HOLSTER_OBSERVER_ACTIONS: 'true' })
    assert.match(random.stderr, /#token=[\w-]{32}\n$/)
  })

  test('chooses another port where the wanted one is taken', async () => {
    await using observer = await startObserver({ log: false })
    const { code, stderr } = await runObserved('', { HOLSTER_OBSERVER_PORT: String(observer.port) })
    assert.equal(code, 0)
    const [, port] = /:(\d+)\/ \(port \d+ is taken; this is pid \d+\)\n$/.exec(stderr) ?? []
    assert.ok(port !== undefined && Number(port) !== observer.port)
  })

  test('says what is wrong with a variable, and ends the program', async () => {
    for (const [variable, value, message] of [
      ['PORT', 'http', /HOLSTER_OBSERVER_PORT must be a whole number from 0 to 65535, not 'http'/],
      ['ACTIONS', 'yes', /HOLSTER_OBSERVER_ACTIONS must be 1 or 0, not 'yes'/],
      [
        'PROT',
        '1',
        /HOLSTER_OBSERVER_PROT is no variable of the observer: there are HOLSTER_OBSERVER_PORT, /,
      ],
    ] as const) {
      const { code, stderr } = await runObserved('', { [`HOLSTER_OBSERVER_${variable}`]: value })
      assert.equal(code, 1)
      assert.match(stderr, message)
    }
  })

  test('starts none in a thread of the program', async () => {
    const { stderr, code } = await runObserved(
      `const { Worker } = await import('node:worker_threads')
       new Worker('console.log(1)', { eval: true })`,
      { HOLSTER_OBSERVER_PORT: '0' },
    )
    assert.equal(code, 0)
    assert.equal(stderr.match(/Holster observer/g)?.length, 1)
  })
})

test('several observers look at one program, and each stops by itself', async () => {
  const greet = async ({ url }: Observer) =>
    ((await (await fetch(new URL(HELLO_PATH, url))).json()) as Hello).pid
  const first = await startObserver({ log: false })
  await using second = await startObserver({ log: false })
  assert.deepEqual([await greet(first), await greet(second)], [process.pid, process.pid])
  await first.stop()
  assert.equal(await greet(second), process.pid)
  await assert.rejects(greet(first))
})

test('an observer whose log throws is stopped, and says why', async () => {
  let address = ''
  const log = (line: string) => {
    address = line.replace('Holster observer: ', '')
    throw new Error('no paper')
  }
  await assert.rejects(startObserver({ log }), /no paper/)
  await assert.rejects(fetch(address), /fetch failed/)
})
