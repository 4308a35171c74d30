// Content handlers of the caller: what they get, what becomes of what they hand on, and what happens when they fail.

import assert from 'node:assert/strict'
import zlib from 'node:zlib'
import * as gun from '@holster/gun'
import { createProcess, type Pid } from '@holster/process'
import type { ScriptedServer } from '@holster/testing'
import { type Client, connect, defer, eventually, PATIENCE, receiveError } from '../support/client.ts'
import { settle } from '../support/flood.ts'
import { onEachVersion } from '../support/http-scene.ts'
import { type Answer, answerer, type Fields, httpOrigin, type Line, NOTHING } from '../support/http-server.ts'
import { collectWarnings } from '../support/leftovers.ts'

const sized = (length: number): Fields => [
  ['content-type', 'text/plain'],
  ['content-length', `${length}`],
]

const hello: Answer = { status: 200, fields: sized(5), body: 'Hello' }

const connectWith = (
  server: ScriptedServer,
  line: Line,
  ...contentHandlers: gun.ContentHandler[]
): Promise<Client> => connect(server, line, { httpOpts: { contentHandlers }, retry: 0 })

const handler = (read: (next: gun.Next) => gun.ContentReader): gun.ContentHandler => ({
  init: (_, next) => read(next),
})

const upperCase = handler(next => ({
  handle: (isFin, data) => next(isFin, Buffer.from(String(data).toUpperCase())),
}))

async function assertUsable({ connPid }: Client): Promise<void> {
  const response = await gun.await(connPid, gun.get(connPid, '/next'), PATIENCE)
  assert.ok(response.type === 'gun_response')
  assert.equal(response.status, 204)
}

onEachVersion(
  'a handler sees the response after its gun_response, and posts what it likes to whom the stream replies',
  async line => {
    await using server = await answerer(line, [hello])
    const other = createProcess<gun.GunMessage | { type: 'mine'; text: string }>()
    const seen: gun.ContentResponse[] = []
    await using client = await connectWith(server, line, {
      init(response) {
        seen.push(response)
        const to = response.replyTo as Pid<{ type: 'mine'; text: string }>
        return { handle: (isFin, data) => to.send({ type: 'mine', text: `${isFin} ${data}` }) }
      },
    })
    const streamRef = gun.get(client.connPid, '/', {}, { replyTo: other as never })
    assert.equal((await other.receive([{ streamRef }], PATIENCE)).type, 'gun_response')
    assert.deepEqual(await other.receive([{ type: 'mine' }], PATIENCE), { type: 'mine', text: 'fin Hello' })
    const [{ connPid, status, headers, streamRef: ref } = assert.fail()] = seen
    assert.deepEqual([connPid, ref, status], [client.connPid, streamRef, 200])
    assert.deepEqual(headers, [
      ['content-type', 'text/plain'],
      ['content-length', '5'],
    ])
    await assertUsable(client)
    assert.equal(client.owner.messageQueueLength, 0)
    other.exit()
  },
)

onEachVersion('data that a handler hands on goes through the next one to the mailbox', async line => {
  await using server = await answerer(line, [hello])
  const exclaim = handler(next => ({
    async handle(isFin, data) {
      await next('nofin', data)
      await next(isFin, Buffer.from('!'))
    },
  }))
  await using client = await connectWith(server, line, gun.decode(), gun.sse(), upperCase, exclaim)
  const streamRef = gun.get(client.connPid, '/')
  await gun.await(client.connPid, streamRef, PATIENCE)
  assert.equal(String((await gun.awaitBody(client.connPid, streamRef, PATIENCE)).body), 'HELLO!')
})

onEachVersion('the next handler gets what was decoded', async line => {
  const body = zlib.gzipSync('Hello')
  const fields: Fields = [['content-encoding', 'gzip'], ...sized(body.length)]
  await using server = await answerer(line, [{ status: 200, fields, body }])
  await using client = await connectWith(server, line, gun.decode(), upperCase)
  const streamRef = gun.get(client.connPid, '/')
  await gun.await(client.connPid, streamRef, PATIENCE)
  assert.equal(String((await gun.awaitBody(client.connPid, streamRef, PATIENCE)).body), 'HELLO')
})

const failure = new Error('what a pity')
const throwing = (): never => {
  throw failure
}
const careless = handler(next => ({
  handle(isFin, data) {
    void next(isFin, data)
  },
}))
const rejecting = handler(() => ({ handle: () => Promise.reject(failure) }))
const failing: Readonly<Record<string, readonly gun.ContentHandler[]>> = {
  'throws in init': [{ init: throwing }],
  'throws in handle': [handler(() => ({ handle: throwing }))],
  'rejects in handle': [rejecting],
  'rejects behind another that does not wait': [careless, rejecting],
}

for (const [how, handlers] of Object.entries(failing)) {
  for (const parts of [['Hello'], ['He', 'llo']]) {
    const when = parts.length === 1 ? 'whole' : 'half'
    onEachVersion(
      `a handler that ${how} ends its stream with handler_error, when the ${when} body has come`,
      async line => {
        await using warnings = collectWarnings()
        const failed = defer<void>()
        await using server = await httpOrigin(line, async peer => {
          const [first = '', rest] = parts
          const asked = await peer.request()
          await asked.head(200, sized(5))
          await asked.data(first, rest === undefined ? 'fin' : 'nofin')
          await failed.promise
          if (rest !== undefined) await asked.data(rest, 'fin')
          await peer.serve(NOTHING)
          await peer.closed
        })
        await using client = await connectWith(server, line, ...handlers)
        const streamRef = gun.get(client.connPid, '/')
        const { code, kind, cause, message } = await receiveError(client, streamRef)
        assert.deepEqual([code, kind, cause], ['handler_error', 'stream_error', failure])
        assert.match(message, /what a pity/)
        failed.resolve()
        await assertUsable(client)
        assert.equal(server.connections, 1)
        await assert.rejects(client.owner.receive([{ type: 'gun_data', streamRef }], 0))
        await warnings.assertNone()
      },
    )
  }
}

onEachVersion('nothing more is handed to a handler, nor read, while its promise is pending', async line => {
  await using server = await answerer(line, [{ status: 200, body: ['a', 'b'] }])
  const seen: string[] = []
  const gate = defer<void>()
  await using client = await connectWith(
    server,
    line,
    handler(() => ({
      handle(_, data) {
        seen.push(String(data))
        return gate.promise
      },
    })),
  )
  gun.get(client.connPid, '/')
  await eventually(() => seen.length > 0, 'nothing came')
  await settle()
  assert.deepEqual(seen, ['a'])
  gate.resolve()
  await eventually(() => seen.join('') === 'ab', 'it does not go on')
})

onEachVersion(
  'a handler is closed once: after the body, when it failed, and when the connection is closed or lost',
  async line => {
    const closed: string[] = []
    const watch: gun.ContentHandler = {
      init: ({ headers }) => ({
        handle(_, data) {
          if (String(data) === 'wrong') throw failure
        },
        close: () => void closed.push(new Map(headers).get('name') ?? ''),
      }),
    }
    const named = (name: string, length: number, body: string): Answer => ({
      status: 200,
      fields: [['name', name], ...sized(length)],
      body,
      isCutOff: body.length < length,
    })
    for (const end of ['close', 'lost'] as const) {
      closed.length = 0
      const answers = [named('whole', 1, 'a'), named('failed', 5, 'wrong'), named(end, 5, 'a')]
      await using server = await httpOrigin(line, async peer => {
        for (const answer of answers) await peer.serve(answer)
        if (end === 'lost') peer.end()
        await peer.closed
      })
      await using client = await connectWith(server, line, watch)
      const { connPid } = client
      gun.get(connPid, '/')
      await receiveError(client, gun.get(connPid, '/'))
      const last = gun.get(connPid, '/')
      assert.equal((await gun.await(connPid, last, PATIENCE)).type, 'gun_response')
      if (end === 'close') gun.close(connPid)
      await receiveError(client, last)
      assert.deepEqual(closed, ['whole', 'failed', end])
    }
  },
)

for (const end of ['close', 'cancel'] as const) {
  onEachVersion(`a handler whose init calls ${end} is closed, and gets nothing`, async line => {
    await using server = await answerer(line, [
      { status: 200, fields: sized(10), body: 'Hello', isCutOff: true },
    ])
    const calls: string[] = []
    await using client = await connectWith(server, line, {
      init({ connPid, streamRef }) {
        if (end === 'close') gun.close(connPid)
        else gun.cancel(connPid, streamRef)
        return { handle: () => void calls.push('handle'), close: () => void calls.push('close') }
      },
    })
    const ref = client.owner.monitor(client.connPid)
    const streamRef = gun.get(client.connPid, '/')
    await client.owner.receive([{ type: 'gun_response', streamRef }], PATIENCE)
    if (end === 'close') await client.owner.receive([{ type: 'DOWN', ref }], PATIENCE)
    assert.deepEqual(calls, ['close'])
  })
}
