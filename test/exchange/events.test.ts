// The events of requests and responses: each with its fields, in the order in which things happen.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as gun from '@holster/gun'
import { setExitHook } from '@holster/process'
import { switchingProtocols } from '@holster/testing/frames'
import { type Ends, ends, httpEnds, transports } from '../support/http-ends.ts'
import { type HttpPeer, lineName, lines, NOTHING, parts, unsized } from '../support/http-server.ts'
import { assertNothingLeft } from '../support/leftovers.ts'

type Told = readonly [name: string, fields: Record<string, unknown>]

const OF_STREAMS = /^(request|response|cancel|wsUpgrade$)/

/** A handler that writes down what it is told of streams. */
function recorder(onEvent: (name: string) => void = () => {}): { handler: gun.EventHandler; told: Told[] } {
  const told: Told[] = []
  const handler: gun.EventHandler = new Proxy(
    {},
    {
      get: (_, name) =>
        OF_STREAMS.test(String(name))
          ? (event: Record<string, unknown>) => {
              told.push([String(name), event])
              onEvent(String(name))
            }
          : undefined,
      has: (_, name) => OF_STREAMS.test(String(name)),
    },
  )
  return { handler, told }
}

const names = (told: readonly Told[]) => told.map(([name]) => name)
const REQUEST = ['requestStart', 'requestHeaders', 'requestEnd']

function authorityOf({ server }: Ends<HttpPeer>): string {
  return server.path === undefined ? `localhost:${server.port}` : 'localhost'
}

for (const line of lines) {
  const { version, transport } = line

  describe(`events over ${lineName(line)}`, () => {
    test('tell of a request and its response, with all their fields', async () => {
      await using _left = assertNothingLeft()
      const { handler, told } = recorder()
      await using it = await httpEnds(line, { eventHandler: handler })
      const { connPid } = it
      const streamRef = gun.get(connPid, '/a?b', { 'X-C': 'd' })
      await it.peer.serve({
        informs: [[103, [['link', 'x']]]],
        status: 200,
        fields: [['y', 'z']],
        body: 'a',
        trailers: [['x', 'y']],
      })
      await it.heard(4)
      const stream = { connPid, streamRef, replyTo: it.self }
      const request = {
        ...stream,
        function: 'request',
        method: 'GET',
        scheme: transport === 'tls' ? 'https' : 'http',
        authority: authorityOf(it),
        path: '/a?b',
        headers: [
          ['host', authorityOf(it)],
          ['x-c', 'd'],
        ],
      }
      assert.deepEqual(told, [
        ['requestStart', request],
        ['requestHeaders', request],
        ['requestEnd', stream],
        ['responseStart', stream],
        ['responseInform', { ...stream, status: 103, headers: [['link', 'x']] }],
        ['responseStart', stream],
        ['responseHeaders', { ...stream, status: 200, headers: [['y', 'z'], ...unsized(version)] }],
        ['responseTrailers', { ...stream, headers: [['x', 'y']] }],
        ['responseEnd', stream],
      ])
    })

    test('tell of a body that is streamed when it ends', async () => {
      await using _left = assertNothingLeft()
      const { handler, told } = recorder()
      await using it = await httpEnds(line, { eventHandler: handler })
      const streamRef = gun.headers(it.connPid, 'PUT', '/')
      gun.data(it.connPid, streamRef, 'nofin', 'a')
      assert.deepEqual(names(told), ['requestStart', 'requestHeaders'])
      assert.equal(told[0]?.[1].function, 'headers')
      gun.data(it.connPid, streamRef, 'fin', 'b')
      assert.deepEqual(names(told), REQUEST)
    })

    test('tell of a cancelled stream, and go on for what comes of it', async () => {
      await using _left = assertNothingLeft()
      const { handler, told } = recorder()
      await using it = await httpEnds(line, { eventHandler: handler })
      const { connPid } = it
      const streamRef = gun.get(connPid, '/1')
      gun.cancel(connPid, streamRef)
      gun.get(connPid, '/2')
      for (let i = 0; i < 2; i++) await it.peer.serve(NOTHING)
      assert.deepEqual(await it.heard(1), ['response 204 fin'])
      const response = ['responseStart', 'responseHeaders', 'responseEnd']
      // Over HTTP/2 nothing more comes of it.
      const cancelled = version === 'http' ? response : []
      assert.deepEqual(names(told), [...REQUEST, 'cancel', ...REQUEST, ...cancelled, ...response])
      assert.deepEqual(told[3]?.[1], {
        connPid,
        streamRef,
        replyTo: it.self,
        endpoint: 'local',
        reason: 'cancel',
      })
    })

    test('that are told to a handler which throws are reported, and change nothing', async () => {
      await using _left = assertNothingLeft()
      const boom = new Error('boom')
      const { handler, told } = recorder(() => {
        throw boom
      })
      const reports: unknown[] = []
      const previous = setExitHook((_, reason) => reports.push(reason))
      try {
        await using it = await httpEnds(line, { eventHandler: handler })
        const first = gun.post(it.connPid, '/1', {}, 'body')
        await it.peer.serve({ informs: [[100]], status: 200, fields: [['content-length', '2']], body: 'ok' })
        const heard = ['inform 100', 'response 200 nofin', ...parts('ok')]
        assert.deepEqual(await it.heard(heard.length), heard)
        assert.equal(gun.streamInfo(it.connPid, first), undefined)
        assert.equal(told.length, 8)
        assert.deepEqual(reports, Array(8).fill(boom))
      } finally {
        setExitHook(previous)
      }
    })

    for (const name of [...REQUEST, 'responseStart', 'responseInform', 'responseHeaders', 'responseEnd']) {
      test(`told to a handler that closes the connection in ${name} are the last of that stream, and nothing breaks`, async () => {
        await using _left = assertNothingLeft()
        const reports: unknown[] = []
        const previous = setExitHook((_, reason) => reports.push(reason))
        try {
          const { handler, told } = recorder(told => {
            if (told === name) gun.close(connPid)
          })
          await using it = await httpEnds(line, { eventHandler: handler })
          const { connPid } = it
          gun.get(connPid, '/')
          if (name.startsWith('response')) {
            await it.peer.serve({ informs: [[103]], status: 200, fields: [['content-length', '0']] })
          }
          const { reason } = await it.self.receive([{ type: 'DOWN', pid: connPid }])
          assert.equal(reason, 'shutdown')
          assert.equal(names(told).at(-1), name)
          const rest = (await it.waiting()).filter(message => !/^(inform|response)/.test(message))
          assert.deepEqual(rest, name === 'responseEnd' ? [] : ['error: shutdown'])
          assert.deepEqual(reports, [])
        } finally {
          setExitHook(previous)
        }
      })
    }
  })
}

for (const transport of transports) {
  for (const when of ['requestStart', 'requestHeaders']) {
    test(`a body that is given at ${when} over ${transport} is sent behind its head, and ends once`, async () => {
      await using _left = assertNothingLeft()
      let begun = 0
      const { handler, told } = recorder(name => {
        if (name === when && ++begun === 2) gun.data(it.connPid, streamRef, 'fin', 'body')
      })
      await using it = await ends(transport, { eventHandler: handler })
      // Its head is not made before the one that waits for its body is complete.
      const first = gun.headers(it.connPid, 'POST', '/1', { 'content-length': 1 })
      const streamRef = gun.headers(it.connPid, 'POST', '/2', { 'content-length': 4 })
      gun.get(it.connPid, '/3')
      told.length = 0
      gun.data(it.connPid, first, 'fin', '1')
      await it.peer.receiveRequest()
      await it.peer.receive(1)
      assert.equal((await it.peer.receiveRequest()).path, '/2')
      assert.equal(String(await it.peer.receive(4)), 'body')
      assert.equal((await it.peer.receiveRequest()).path, '/3')
      assert.deepEqual(names(told), ['requestEnd', ...REQUEST, ...REQUEST])
    })
  }

  test(`events over ${transport} tell of an upgrade, whose 101 is the last response`, async () => {
    await using _left = assertNothingLeft()
    const { handler, told } = recorder()
    await using it = await ends(transport, { eventHandler: handler })
    const streamRef = gun.wsUpgrade(it.connPid, '/ws')
    const request = await it.peer.receiveRequest()
    await it.peer.send(switchingProtocols(request))
    await it.self.receive([{ type: 'gun_upgrade', streamRef }])
    assert.deepEqual(names(told), ['wsUpgrade', ...REQUEST, 'responseStart', 'responseInform'])
    assert.equal(told[1]?.[1].function, 'wsUpgrade')
    assert.equal(told.at(-1)?.[1].status, 101)
  })
}

for (const transport of transports) {
  test(`a request behind a response that closes its connection is told to wait for the next one, over ${transport}`, async () => {
    await using _left = assertNothingLeft()
    const { handler, told } = recorder()
    await using it = await ends(transport, { eventHandler: handler, retryTimeout: 0 })
    const { connPid } = it
    const first = gun.get(connPid, '/first')
    await it.peer.receive('\r\n\r\n')
    await it.peer.send('HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 4\r\n\r\nhe')
    await it.self.receive([{ type: 'gun_data', streamRef: first }])
    told.splice(0)
    const second = gun.get(connPid, '/second')
    assert.deepEqual(told.splice(0), [['requestPostponed', { connPid, streamRef: second, replyTo: it.self }]])
    const info = gun.streamInfo(connPid, second)?.request
    assert.deepEqual([info?.path, info?.state, info?.isPostponed], ['/second', 'waiting', true])
    await it.peer.send('re')
    const next = await it.next()
    await next.receive('\r\n\r\n')
    await next.send('HTTP/1.1 204 No Content\r\n\r\n')
    await it.self.receive([{ type: 'gun_response', streamRef: second, status: 204 }])
    const ofSecond = told.filter(([, { streamRef }]) => streamRef === second)
    assert.deepEqual(names(ofSecond), [...REQUEST, 'responseStart', 'responseHeaders', 'responseEnd'])
  })
}
