// Each response goes to its own stream: a stream that fails, waits or is given up is nothing to its neighbours.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import * as gun from '@holster/gun'
import { createProcess, setExitHook } from '@holster/process'
import { connect, defer, eventually, PATIENCE, receiveError } from '../support/client.ts'
import { httpEnds } from '../support/http-ends.ts'
import { collect, onEachVersion } from '../support/http-scene.ts'
import { type Answer, answerer, NOTHING } from '../support/http-server.ts'
import { collectWarnings } from '../support/leftovers.ts'
import { streamEnds } from '../support/stream-ends.ts'

const failure = new Error('what a pity')

/** As they are told when nothing is wrong with them. */
const answers = ['1', '2', '3', '4'].map(
  (name): Answer => ({ status: 200, fields: [['x-for', name]], body: [`a${name}`, `b${name}`] }),
)

/** The same, each body in one part. */
const short = answers.map(
  ({ status, fields = [] }, i): Answer => ({
    status,
    fields: [...fields, ['content-length', '2']],
    body: `a${i + 1}`,
  }),
)

/** Handles each body in the way that is given for its response, or passes it on. */
const handling = (
  ways: Readonly<Record<string, (next: gun.Next) => gun.ContentReader>>,
): readonly gun.ContentHandler[] => [
  {
    init({ headers }, next) {
      return ways[new Map(headers).get('x-for') ?? '']?.(next)
    },
  },
]

const late = async (): Promise<void> => {
  await turn()
  await turn()
}

/** Passes on what comes, a little later each time. */
const slow = (next: gun.Next): gun.ContentReader => ({
  async handle(isFin, data) {
    await late()
    await next(isFin, data)
  },
})

const failing: Readonly<Record<string, gun.ContentReader['handle']>> = {
  'throws at once': () => {
    throw failure
  },
  'throws at the end': isFin => {
    if (isFin === 'fin') throw failure
  },
  'rejects at once': async () => {
    throw failure
  },
  'rejects later': async () => {
    await late()
    throw failure
  },
  'rejects at the end': async isFin => {
    await late()
    if (isFin === 'fin') throw failure
  },
}

describe('of responses that come together', () => {
  for (const [how, handle] of Object.entries(failing)) {
    for (const [then, follows] of [
      ['those behind it are passed on', undefined],
      ['those behind it wait for handlers of their own', slow],
    ] as const) {
      onEachVersion(`one whose handler ${how} fails alone, and ${then}`, async line => {
        await using _calm = collectWarnings()
        const ways = { 1: () => ({ handle }), ...(follows && { 2: follows, 3: follows }) }
        await using it = await httpEnds(line, { httpOpts: { contentHandlers: handling(ways) } })
        const streamRefs = answers.map(() => gun.get(it.connPid, '/'))
        const asked = [] as Awaited<ReturnType<typeof it.peer.request>>[]
        for (const _ of answers) asked.push(await it.peer.request())
        await it.peer.send(
          Buffer.concat(asked.map((each, i) => Buffer.from(each.encode(answers[i] ?? NOTHING)))),
        )
        const client = { owner: it.self }
        const [first, ...others] = await Promise.all(streamRefs.map(ref => collect(client, ref)))
        assert.deepEqual(first?.at(-1), ['error', 'handler_error'])
        for (const [i, told] of others.entries()) {
          const [[, , headers] = [], ...rest] = told
          assert.equal(new Map(headers as gun.Headers).get('x-for'), `${i + 2}`)
          assert.deepEqual(rest, [['data', `a${i + 2}b${i + 2}`, 'fin']])
        }
      })
    }
  }

  for (const type of ['gun_response', 'gun_data', 'gun_trailers'] as const) {
    for (const [how, way] of [
      ['passed on', undefined],
      ['handled', (next: gun.Next) => ({ handle: next })],
      ['handled a little later', slow],
    ] as const) {
      onEachVersion(
        `one that is cancelled by the function that gets its ${type}, ${how}, leaves the others as they are`,
        async line => {
          await using _calm = collectWarnings()
          const ways = way === undefined ? {} : { 1: way, 2: way, 3: way, 4: way }
          const opts = { httpOpts: { contentHandlers: handling(ways), flow: 2 } }
          await using it = await httpEnds(line, opts)
          const replyTo = streamEnds.watch(message => {
            if (message.type === type && message.streamRef) gun.cancel(message.connPid, message.streamRef)
          })
          const [, ...others] = answers.map((_, i) =>
            gun.get(it.connPid, '/', {}, i === 0 ? { replyTo, flow: 9 } : {}),
          )
          const asked = [] as Awaited<ReturnType<typeof it.peer.request>>[]
          for (const _ of answers) asked.push(await it.peer.request())
          const all = answers.map(
            (each, i): Answer => (i === 0 ? { ...each, trailers: [['x-t', '1']] } : (short[i] ?? NOTHING)),
          )
          await it.peer.send(
            Buffer.concat(asked.map((each, i) => Buffer.from(each.encode(all[i] ?? NOTHING)))),
          )
          for (const [i, streamRef] of others.entries()) {
            const told: string[] = []
            for (let isOver = false; !isOver; ) {
              const message = await it.self.receive([{ streamRef }], PATIENCE)
              isOver = message.type === 'gun_error' || ('isFin' in message && message.isFin === 'fin')
              if (message.type === 'gun_data') gun.updateFlow(it.connPid, streamRef, 1)
              if (message.type === 'gun_data') told.push(String(message.data))
              else if (message.type === 'gun_response') told.push(new Map(message.headers).get('x-for') ?? '')
              else told.push(message.type)
            }
            const name = `${i + 2}`
            const [head, ...rest] = told
            assert.deepEqual([head, rest.join('')], [name, `a${name}`])
          }
        },
      )
    }
  }
})

onEachVersion('a stream whose end was handed on is over, whatever its handler is still at', async line => {
  for (const end of ['close', 'shutdown', 'cancel'] as const) {
    await using server = await answerer(line, [{ status: 200, body: 'Hello' }])
    const gate = defer<void>()
    const contentHandlers: gun.ContentHandler[] = [
      {
        init: (_, next) => ({
          async handle(isFin, data) {
            await next(isFin, data)
            await gate.promise
          },
        }),
      },
    ]
    await using client = await connect(server, line, { httpOpts: { contentHandlers }, retry: 0 })
    const { owner, connPid } = client
    owner.monitor(connPid)
    const streamRef = gun.get(connPid, '/')
    const told = await collect(client, streamRef)
    assert.deepEqual(told.at(-1), ['data', 'Hello', 'fin'])
    if (end === 'cancel') {
      gun.cancel(connPid, streamRef)
      assert.equal((await receiveError(client, streamRef)).code, 'badstate')
    }
    if (end === 'close') gun.close(connPid)
    else gun.shutdown(connPid)
    gate.resolve()
    await owner.receive([{ type: 'DOWN' }], PATIENCE)
    assert.equal(owner.messageQueueLength, 0)
  }
})

onEachVersion('a handler that fails behind the end that it has handed on is reported', async line => {
  const reported: unknown[] = []
  const previous = setExitHook((_, reason) => void reported.push(reason))
  try {
    await using server = await answerer(line, [{ status: 200, body: 'Hello' }, NOTHING])
    const contentHandlers: gun.ContentHandler[] = [
      {
        init: (_, next) => ({
          async handle(isFin, data) {
            await next(isFin, data)
            if (isFin === 'fin') throw failure
          },
        }),
      },
    ]
    await using client = await connect(server, line, { httpOpts: { contentHandlers } })
    const told = await collect(client, gun.get(client.connPid, '/'))
    assert.deepEqual(told.at(-1), ['data', 'Hello', 'fin'])
    await eventually(() => reported.length > 0, 'the failure is reported')
    assert.deepEqual(reported, [failure])
    assert.deepEqual(await collect(client, gun.get(client.connPid, '/')), [['response', 204, [], 'fin']])
  } finally {
    setExitHook(previous)
  }
})

test('a function that closes the connection as it hears that its content cannot be handled hears nothing more', async () => {
  await using server = await answerer({ version: 'http', transport: 'tcp' }, [{ status: 200, body: 'Hello' }])
  const contentHandlers = [{ init: () => ({ handle: failing['throws at once'] ?? assert.fail() }) }]
  await using client = await connect(server, 'tcp', { httpOpts: { contentHandlers } })
  const told: string[] = []
  const replyTo = streamEnds.watch(message => {
    told.push(message.type)
    if (message.type === 'gun_error') gun.close(message.connPid)
  })
  await using watcher = createProcess()
  watcher.monitor(client.connPid)
  gun.get(client.connPid, '/', {}, { replyTo })
  await watcher.receive([{ type: 'DOWN' }], PATIENCE)
  assert.deepEqual(told, ['gun_response', 'gun_error'])
})
