// An application keeps its program alive, ends it in order at a signal, and says by its exit code how that went.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { setExitHook } from '@holster/process'
import { application, type ChildSpec, setReportHook } from '../../src/index.ts'

/** Runs a program, and calls `act` for each line that it prints. Gives the lines, what it logged, and how it ended. */
async function runProgram(name: string, act: (line: string, kill: (signal: NodeJS.Signals) => void) => void) {
  const program = spawn(
    process.execPath,
    ['--import', 'tsx', fileURLToPath(new URL('programs.ts', import.meta.url)), name],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  const log = text(program.stderr)
  const lines: string[] = []
  const ended = once(program, 'exit')
  for await (const line of createInterface({ input: program.stdout })) {
    lines.push(line)
    act(line, signal => program.kill(signal))
  }
  const [code, signal] = await ended
  return { lines, log: await log, code, signal }
}

describe('a signal', () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    test(`${signal} ends the children in reverse, and the program with code 0`, async () => {
      const { lines, log, code } = await runProgram('orderly', (line, kill) => {
        if (line === 'second begins') kill(signal)
      })
      assert.deepEqual(lines, ['first begins', 'second begins', 'second ends', 'first ends'])
      assert.match(log, new RegExp(`${signal}: ending in order`))
      assert.equal(code, 0)
    })
  }

  test('cuts off what takes longer than shutdownTimeout, with code 2', async () => {
    const { lines, code } = await runProgram('slow', (line, kill) => {
      if (line === 'stuck begins') kill('SIGTERM')
    })
    assert.deepEqual(lines, ['stuck begins'])
    assert.equal(code, 2)
  })

  test('that comes a second time cuts off what is still ending, with the code of a program that it has killed', async () => {
    const program = spawn(
      process.execPath,
      ['--import', 'tsx', fileURLToPath(new URL('programs.ts', import.meta.url)), 'stuck'],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    )
    const ended = once(program, 'exit')
    program.stdout.once('data', () => program.kill('SIGTERM'))
    program.stderr.once('data', () => program.kill('SIGINT'))
    const [code] = await ended
    assert.equal(code, 130)
  })

  test('while the tree is starting ends it too', async () => {
    const { code } = await runProgram('starting', (line, kill) => {
      if (line === 'starting begins') kill('SIGTERM')
    })
    assert.equal(code, 0)
  })
})

describe('a tree that ends by itself', () => {
  test('ends the program with code 1 after too many restarts, and each crash is logged once with all that is known', async () => {
    const { log, code } = await runProgram('crashing', () => undefined)
    assert.equal(code, 1)
    const crashes = log.split('\n').filter(line => line.includes("child 'crashing' of"))
    assert.equal(crashes.length, 2)
    assert.match(
      log,
      /child 'crashing' of #Process<\d+>[^,]*, #Process<\d+ worker> \(a worker\), ended: Error: broken/,
    )
    assert.match(log, /\[cause\]: Error: because/)
    assert.match(log, /left in its mailbox:\n {4}\{ type: "job", password: … \}/)
    assert.match(log, /ends because of its child 'crashing'/)
    assert.doesNotMatch(log, /hunter2|HOLSTER_UNCAUGHT_EXIT/)
  })

  test('ends the program with code 1 if it cannot be started, and says why', async () => {
    const { lines, log, code } = await runProgram('failing', () => undefined)
    assert.deepEqual(lines, ['first begins', 'first ends'])
    assert.match(log, /child 'failing' of .* could not be started: Error: cannot start/)
    assert.equal(code, 1)
  })

  test('ends the program with code 0 when its significant child has done its work', async () => {
    const { lines, code } = await runProgram('significant', () => undefined)
    assert.ok(lines.includes('done'))
    assert.equal(code, 0)
  })
})

test('a crash that no supervisor knows of is logged, and the program goes on', async () => {
  const program = runProgram('alone', (line, kill) => {
    if (line === 'first begins') setImmediate(() => setImmediate(() => kill('SIGTERM')))
  })
  const { log, code } = await program
  assert.match(log, /#Process<\d+> ended: Error: on its own/)
  assert.equal(code, 0)
})

describe('run', () => {
  test('leaves a report hook of the program where it is, and takes its own listeners back', async t => {
    const reports: string[] = []
    setReportHook(report => {
      reports.push(report.type)
    })
    t.after(() => setReportHook(undefined))
    const listeners = process.listenerCount('SIGTERM')
    const logged: string[] = []
    const codes: number[] = []
    const options = {
      log: (line: string) => void logged.push(line),
      exit: (code: number) => void codes.push(code),
    }
    const code = await application.run(
      {
        autoShutdown: 'all_significant',
        children: [
          {
            id: 'job',
            restart: 'temporary',
            significant: true,
            start: parent => parent.spawnLink(() => undefined),
          },
        ],
      },
      options,
    )
    assert.equal(code, 0)
    assert.deepEqual(codes, [0])
    assert.deepEqual(logged, [])
    assert.deepEqual(reports, ['progress', 'shutdown'])
    assert.equal(process.listenerCount('SIGTERM'), listeners)
  })

  test('takes its own hooks back', async () => {
    const crash: ChildSpec = { id: 'crash', start: () => Promise.reject(new Error('no')) }
    const logged: string[] = []
    const code = await application.run(
      { children: [crash] },
      { log: line => void logged.push(line), exit: () => undefined },
    )
    assert.equal(code, 1)
    assert.match(logged[0] ?? '', /^child 'crash' of .* could not be started: Error: no/)
    assert.equal(setReportHook(undefined), undefined)
    const hook = setExitHook(undefined)
    assert.equal(setExitHook(undefined), hook)
  })

  test('leaves hooks where they are that the program sets meanwhile', async t => {
    t.after(() => {
      setReportHook(undefined)
      setExitHook(undefined)
    })
    const [onReport, onExit] = [() => undefined, () => undefined]
    const meanwhile: ChildSpec = {
      id: 'meanwhile',
      start: () => {
        setReportHook(onReport)
        setExitHook(onExit)
        throw new Error('no')
      },
    }
    await application.run({ children: [meanwhile] }, { log: () => undefined, exit: () => undefined })
    assert.equal(setReportHook(undefined), onReport)
    assert.equal(setExitHook(undefined), onExit)
  })

  test('throws at once for a wrong option, and names it', async () => {
    const tree = { children: [] }
    const wrong = (options: object) => application.run(tree, options)
    await assert.rejects(wrong({ timeout: 1 }), {
      message: /^options.timeout is not an option of run: did you mean 'shutdownTimeout'\?/,
    })
    await assert.rejects(wrong({ signals: ['SIGNOT'] }), {
      message: /^options.signals must be names of signals, not 'SIGNOT'/,
    })
    await assert.rejects(wrong({ shutdownTimeout: -1 }), { name: 'RangeError' })
    await assert.rejects(wrong({ log: 1 }), { message: 'options.log must be a function' })
    await assert.rejects(application.run({ childs: [] } as never), { name: 'TypeError' })
  })
})
