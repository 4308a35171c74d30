/** A start gives the process when init is done, or says why there is none. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createProcess, exit, isAlive, type Process, processInfo, whereis } from '@holster/process'
import { genServer } from '../../src/index.ts'
import { collectReports } from '../support/reports.ts'

const { StartError } = genServer

const number = genServer.define({ init: (n: number) => ['ok', n], label: 'number' })

/** A server whose `init` does what it is told. */
const told = genServer.define({
  init: (does: (self: Process) => unknown, self) =>
    does(self) as ['ok', number] | 'ignore' | ['stop', unknown],
})

function startError(reason: unknown): (error: unknown) => boolean {
  return error => {
    assert.ok(error instanceof StartError, String(error))
    assert.deepEqual(error.reason, reason)
    return true
  }
}

/** The ways to start a server, each of them for a starter that traps exits. */
const ways: [
  string,
  (self: Process, does: (self: Process) => unknown, options?: genServer.StartOptions) => Promise<unknown>,
][] = [
  ['start', (_self, does, options) => genServer.start(told, does, options)],
  ['startLink', (self, does, options) => genServer.startLink(self, told, does, options)],
  [
    'startMonitor',
    (self, does, options) => {
      const starting = genServer.startMonitor(self, told, does, options)
      return starting.then(started => (started === 'ignore' ? started : started.pid))
    },
  ],
]

for (const [name, start] of ways) {
  describe(name, () => {
    test('gives the process once init is done', async t => {
      collectReports(t)
      const self = createProcess({ trapExit: true })
      const order: string[] = []
      const starting = start(self, async () => {
        order.push('init')
        await new Promise(resolve => setImmediate(resolve))
        order.push('done')
        return ['ok', 3]
      })
      const pid = (await starting) as Process
      order.push('started')
      assert.deepEqual(order, ['init', 'done', 'started'])
      assert.equal(await genServer.getState(pid), 3)
      await genServer.stop(pid)
    })

    test('rejects with the reason with which init stops, and no message comes of it', async t => {
      const { reports, exits } = collectReports(t)
      const self = createProcess({ trapExit: true })
      await assert.rejects(
        start(self, () => ['stop', 'no_config']),
        startError('no_config'),
      )
      assert.deepEqual(
        reports.map(({ type }) => type),
        ['crash'],
      )
      assert.deepEqual(exits, ['no_config'])
      assert.equal(self.messageQueueLength, 0)
      await assert.rejects(
        start(self, async () => ['stop', 'normal']),
        startError('normal'),
      )
      assert.equal(self.messageQueueLength, 0)
    })

    test('rejects with what init throws, which is also the cause', async t => {
      const { exits } = collectReports(t)
      const self = createProcess({ trapExit: true })
      const error = new Error('init failed')
      for (const does of [
        () => {
          throw error
        },
        async () => {
          throw error
        },
      ]) {
        await assert.rejects(start(self, does), (rejection: Error) => {
          assert.equal(rejection.cause, error)
          assert.match(rejection.message, /did not start: Error: init failed$/)
          return startError(error)(rejection)
        })
      }
      assert.deepEqual(exits, [error, error])
      assert.equal(self.messageQueueLength, 0)
    })

    test('gives ignore where init does, and the process has exited', async t => {
      const { exits } = collectReports(t)
      const self = createProcess({ trapExit: true })
      let own: Process | undefined
      const started = await start(self, process => {
        own = process
        return 'ignore'
      })
      assert.equal(started, 'ignore')
      assert.equal(own?.isAlive, false)
      assert.equal(self.messageQueueLength, 0)
      assert.deepEqual(exits, [])
    })

    test('rejects an answer that is none, and shows it', async t => {
      collectReports(t)
      const self = createProcess({ trapExit: true })
      for (const answer of [
        undefined,
        'ok',
        ['ok'],
        ['okay', 1],
        ['ok', 1, 'soon'],
        ['ok', 1, -1],
        ['stop'],
      ]) {
        await assert.rejects(
          start(self, () => answer),
          ({ reason }: Error & { reason: unknown }) => {
            assert.ok(reason instanceof genServer.BadReturnValueError)
            assert.equal(reason.value, answer)
            assert.match(reason.message, /^init answered .*, which is none of \['ok', state\]/)
            return true
          },
        )
      }
    })

    test('registers the name before init, and rejects a second start under it with the process that has it', async t => {
      collectReports(t)
      const self = createProcess({ trapExit: true })
      const options = { name: 'only_one' }
      const pid = (await start(self, process => ['ok', whereis('only_one') === process], options)) as Process
      assert.equal(await genServer.getState('only_one'), true)
      let hasRun = false
      const second = start(
        self,
        () => {
          hasRun = true
        },
        options,
      )
      await assert.rejects(second, startError(['already_started', pid]))
      assert.equal(hasRun, false)
      await genServer.stop('only_one')
      assert.equal(whereis('only_one'), undefined)
    })

    test('kills a server whose init takes longer than the timeout', async t => {
      collectReports(t)
      const self = createProcess({ trapExit: true })
      let own: Process | undefined
      const starting = start(
        self,
        async process => {
          own = process
          await process.receive([{ type: 'never' }])
        },
        { timeout: 1 },
      )
      await assert.rejects(starting, startError('timeout'))
      assert.equal(await own?.exited, 'killed')
      assert.equal(self.messageQueueLength, 0)
    })

    test('rejects with the reason of a signal that ends the server during init', async t => {
      collectReports(t)
      const self = createProcess({ trapExit: true })
      const starting = start(self, process => {
        exit(process, 'go away')
        return ['ok', 1]
      })
      await assert.rejects(starting, startError('go away'))
      assert.equal(self.messageQueueLength, 0)
      const signal = AbortSignal.abort('already')
      await assert.rejects(
        start(self, () => ['ok', 1], { signal }),
        startError(['shutdown', 'already']),
      )
    })

    test('throws at once for arguments that are wrong', () => {
      const self = createProcess()
      const wrong = (options: unknown) => () => void start(self, () => ['ok', 1], options as never)
      assert.throws(
        wrong({ timeut: 1 }),
        /options.timeut is not an option of a server: did you mean 'timeout'\?/,
      )
      assert.throws(wrong({ timeout: 'x' }), /^TypeError: options.timeout must be a number of milliseconds/)
      assert.throws(wrong({ timeout: -1 }), RangeError)
      assert.throws(wrong({ name: '' }), /name must be a non-empty string/)
      assert.throws(wrong(null), /options must be an object, not null/)
    })
  })
}

test('start throws at once unless it is given a server, and a process to link', () => {
  assert.throws(() => genServer.start({} as never), /server must be what define gave, not \{\}/)
  assert.throws(() => genServer.startLink({} as never, number, 1), /self must be a process, not \{\}/)
  assert.throws(() => genServer.startMonitor('x' as never, number, 1), /self must be a process, not 'x'/)
})

test('startLink ends a parent that traps no exits with the reason for which the server did not start', async t => {
  const { exits } = collectReports(t)
  const self = createProcess()
  await assert.rejects(
    genServer.startLink(self, told, () => ['stop', 'no_config']),
    startError('no_config'),
  )
  assert.equal(await self.exited, 'no_config')
  assert.deepEqual(exits, ['no_config'])
  const other = createProcess()
  assert.equal(await genServer.startLink(other, told, () => 'ignore'), 'ignore')
  assert.equal(other.isAlive, true)
})

test('startLink links before init begins, and a parent that ends then takes the server with it', async t => {
  collectReports(t)
  const self = createProcess()
  const starting = genServer.startLink(self, told, async process => {
    self.exit('shutdown')
    await process.receive([{ type: 'never' }])
  })
  await assert.rejects(starting, startError('shutdown'))
  await assert.rejects(
    genServer.startLink(self, told, () => ['ok', 1]),
    startError('shutdown'),
  )
})

test('startMonitor gives the reference of the DOWN', async () => {
  const self = createProcess()
  const { pid, ref } = await genServer.startMonitor(self, number, 1)
  await genServer.stop(pid)
  assert.deepEqual(await self.receive([{ type: 'DOWN', ref }], 0), {
    type: 'DOWN',
    ref,
    pid,
    reason: 'normal',
  })
})

test('the label of the server is that of its processes', async () => {
  const pid = await genServer.start(number, 1)
  assert.equal(processInfo(pid).label, 'number')
  await genServer.stop(pid)
})

test('init may take messages itself, and answer with a timeout or a term to continue with', async () => {
  const log: unknown[] = []
  const server = genServer.define({
    init: async (after: genServer.After, self) => {
      self.send('early')
      log.push(await self.receive(['early']))
      return ['ok', 0, after]
    },
    handleInfo: (message: 'later' | 'early' | genServer.IdleTimeout, state) => {
      log.push(message)
      return ['noreply', state]
    },
    handleContinue: (term, state) => {
      log.push(term)
      return ['noreply', state]
    },
  })
  const continued = await genServer.start(server, ['continue', 'now'])
  continued.send('later')
  await genServer.stop(continued)
  assert.deepEqual(log, ['early', 'now', 'later'])
  const idle = await genServer.start(server, 0)
  await new Promise(resolve => setImmediate(resolve))
  await genServer.stop(idle)
  assert.deepEqual(log.slice(3), ['early', { type: 'timeout' }])
  assert.equal(isAlive(idle), false)
})
