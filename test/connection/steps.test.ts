// What receivers and event handlers ask for within a step is done behind it, in order, and their answers are true.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as gun from '@holster/gun'
import { createProcess } from '@holster/process'
import { frame, opcodes, receiveFrame, switchingProtocols } from '@holster/testing/frames'
import { createActor, fromCallback } from 'xstate'
import { connect, defer, NO_CONTENT } from '../support/client.ts'
import { scene } from '../support/http2-scene.ts'
import { assertNothingLeft } from '../support/leftovers.ts'
import { origin } from '../support/origin.ts'
import { streamEnds } from '../support/stream-ends.ts'

const nothing = (): void => {}

/** An actor that owns a connection, and does something at each message. */
function ownerThat(act: (message: gun.GunMessage) => void): gun.Owner {
  const logic = fromCallback<gun.GunMessage>(({ receive }) => receive(act))
  return createActor(logic).start()
}

/** Runs `act` within the step in which a response is handed on, once `before` was done. */
async function within(
  act: (connPid: gun.ConnPid) => void,
  before: (connPid: gun.ConnPid) => void = nothing,
): Promise<void> {
  await using server = await origin(async peer => {
    await peer.receiveRequest()
    await peer.send(NO_CONTENT)
    await peer.closed
  })
  await using client = await connect(server)
  const { connPid } = client
  const acted = defer<void>()
  gun.get(
    connPid,
    '/',
    {},
    {
      replyTo: () => {
        act(connPid)
        acted.resolve()
      },
    },
  )
  before(connPid)
  await acted.promise
}

describe('what waits for the connection', () => {
  test('comes before what the owner asks for in gun_up', async () => {
    await using _left = assertNothingLeft()
    const paths = defer<string[]>()
    await using server = await origin(async peer => {
      const first = await peer.receiveRequest()
      const second = await peer.receiveRequest()
      paths.resolve([first.path, second.path])
    })
    const owner = ownerThat(({ type, connPid }) => {
      if (type === 'gun_up') gun.get(connPid, '/second', {}, { replyTo: nothing })
    })
    const connPid = gun.open('localhost', server.port, { owner })
    gun.get(connPid, '/first', {}, { replyTo: nothing })
    assert.deepEqual(await paths.promise, ['/first', '/second'])
    gun.close(connPid)
  })

  test('takes the body that the owner gives in gun_up', async () => {
    await using _left = assertNothingLeft()
    const body = defer<string>()
    await using server = await origin(async peer => {
      await peer.receiveRequest()
      body.resolve(String(await peer.receive('0\r\n\r\n')))
    })
    const answers: boolean[] = []
    const owner = ownerThat(({ type, connPid }) => {
      if (type === 'gun_up') answers.push(gun.data(connPid, streamRef, 'fin', 'hi'))
    })
    const connPid = gun.open('localhost', server.port, { owner })
    const streamRef = gun.post(connPid, '/', {}, undefined, { replyTo: nothing })
    assert.equal(await body.promise, '2\r\nhi\r\n0\r\n\r\n')
    assert.deepEqual(answers, [true])
    gun.close(connPid)
  })

  test('takes data within an event: true, if nothing says how much may wait', async () => {
    await using _left = assertNothingLeft()
    const body = defer<string>()
    await using server = await origin(async peer => {
      await peer.receiveRequest()
      body.resolve(String(await peer.receive('0\r\n\r\n')))
    })
    const answers: boolean[] = []
    const connPid = gun.open('localhost', server.port, {
      eventHandler: { connectStart: () => answers.push(gun.data(connPid, streamRef, 'fin', 'hi')) },
    })
    const streamRef = gun.post(connPid, '/', {}, undefined, { replyTo: nothing })
    assert.equal(await body.promise, '2\r\nhi\r\n0\r\n\r\n')
    assert.deepEqual(answers, [true])
    gun.close(connPid)
  })

  test('ends once where the owner shuts the connection down in gun_up', async () => {
    await using _left = assertNothingLeft()
    await using server = await origin(peer => peer.closed)
    const owner = ownerThat(({ type, connPid }) => {
      if (type === 'gun_up') gun.shutdown(connPid)
    })
    const self = createProcess<gun.GunMessage>()
    const cookieStore = { getCookieString: async () => '', setCookie: async () => {} }
    const connPid = gun.open('localhost', server.port, { owner, cookieStore })
    const ref = self.monitor(connPid)
    const told: string[] = []
    const replyTo = (message: gun.GunMessage) => {
      told.push(message.type === 'gun_error' ? message.reason.code : message.type)
    }
    const streamRef = gun.get(connPid, '/', {}, { replyTo, flow: 1 })
    gun.updateFlow(connPid, streamRef, 1)
    await self.receive([{ type: 'DOWN', ref }])
    assert.deepEqual(told, ['closing'])
    self.exit()
  })

  test('is not asked for again once the owner has cancelled it in gun_up', async () => {
    await using _left = assertNothingLeft()
    const seen = defer<string>()
    await using server = await origin(async (peer, index) => {
      const request = await peer.receiveRequest()
      if (index === 1) return seen.resolve(request.path)
      await peer.send(switchingProtocols(request))
      peer.end()
    })
    let ups = 0
    const owner = ownerThat(({ type, connPid }) => {
      if (type !== 'gun_up' || ++ups === 1) return
      gun.cancel(connPid, streamRef)
      gun.get(connPid, '/next', {}, { replyTo: nothing })
    })
    const connPid = gun.open('localhost', server.port, { owner })
    const streamRef = gun.wsUpgrade(connPid, '/ws', {}, { reupgrade: true, replyTo: nothing })
    assert.equal(await seen.promise, '/next')
    gun.close(connPid)
  })
})

describe('within a step', () => {
  test('data tells what would be refused', async () => {
    const answers: unknown[] = []
    await within(connPid => {
      const ask = (name: string, answer: boolean) => answers.push([name, answer])
      const post = (headers = {}, body?: string) =>
        gun.post(connPid, '/', headers, body, { replyTo: nothing })
      const open = post()
      ask('more', gun.data(connPid, open, 'nofin', 'a'))
      ask('the last', gun.data(connPid, open, 'fin', 'a'))
      ask('behind the last', gun.data(connPid, open, 'nofin', 'a'))
      ask('behind a whole body', gun.data(connPid, post({}, 'whole'), 'nofin', 'a'))
      const sized = post({ 'content-length': '2' })
      ask('too long', gun.data(connPid, sized, 'nofin', 'aaa'))
      ask('long enough', gun.data(connPid, sized, 'fin', 'aa'))
      const trailed = post()
      gun.trailers(connPid, trailed, { a: 'b' })
      ask('behind trailers', gun.data(connPid, trailed, 'nofin', 'a'))
      const cancelled = post()
      gun.cancel(connPid, cancelled)
      ask('behind cancel', gun.data(connPid, cancelled, 'nofin', 'a'))
      ask(
        'no WebSocket yet',
        gun.wsSend(connPid, gun.wsUpgrade(connPid, '/', {}, { replyTo: nothing }), 'ping'),
      )
    })
    assert.deepEqual(answers, [
      ['more', true],
      ['the last', true],
      ['behind the last', false],
      ['behind a whole body', false],
      ['too long', false],
      ['long enough', true],
      ['behind trailers', false],
      ['behind cancel', false],
      ['no WebSocket yet', false],
    ])
  })

  test('cancel takes back what was given, and no error tells of it', async () => {
    const told: string[] = []
    let streamRef!: gun.StreamRef
    await within(
      connPid => {
        told.push(String(gun.data(connPid, streamRef, 'nofin', 'a')))
        gun.cancel(connPid, streamRef)
      },
      connPid => {
        streamRef = gun.post(connPid, '/', {}, undefined, { replyTo: ({ type }) => told.push(type) })
      },
    )
    assert.deepEqual(told, ['true'])
  })

  test('wsSend tells what would be refused, and 30,000 frames are sent in order', async () => {
    await using _left = assertNothingLeft()
    await using server = await origin(async peer => {
      await peer.send(switchingProtocols(await peer.receiveRequest()))
      for (let i = 0; i < COUNT; i++) assert.equal(String((await receiveFrame(peer)).payload), String(i))
      assert.equal((await receiveFrame(peer)).opcode, opcodes.close)
      peer.end()
    })
    const COUNT = 30_000
    await using client = await connect(server)
    const { connPid } = client
    const answers = new Set<boolean>()
    const refused: boolean[] = []
    const replyTo = streamEnds.watch(message => {
      if (message.type !== 'gun_upgrade') return
      const { streamRef } = message
      for (let i = 0; i < COUNT; i++) answers.add(gun.wsSend(connPid, streamRef, ['text', String(i)]))
      refused.push(gun.wsSend(connPid, streamRef, ['close', ['text', 'too late']]))
      refused.push(gun.wsSend(connPid, streamRef, ['text', 'too late']))
    })
    gun.wsUpgrade(connPid, '/', {}, { sendHighWaterMark: 2 ** 30, replyTo })
    await server.finished()
    assert.deepEqual([[...answers], refused], [[true], [false, false]])
  })

  test('a handler that closes the connection in init hears of nothing behind the end', async () => {
    await using _left = assertNothingLeft()
    await using server = await origin(async peer => {
      await peer.send(switchingProtocols(await peer.receiveRequest()))
      await peer.closed
    })
    await using client = await connect(server)
    const { connPid, owner } = client
    const ref = owner.monitor(connPid)
    const told: string[] = []
    const replyTo = streamEnds.watch(({ type }: gun.GunMessage) => told.push(type))
    const init = () => gun.close(connPid)
    gun.wsUpgrade(connPid, '/', {}, { replyTo, defaultProtocol: { init, handle: () => 0 } })
    await owner.receive([{ type: 'DOWN', ref }])
    assert.deepEqual(told, ['gun_error'])
  })

  test('frames that are not sent come back to the owner even if the caller closes the connection then', async () => {
    await using _left = assertNothingLeft()
    await using server = await origin(async peer => {
      await peer.receiveRequest()
      await peer.send(NO_CONTENT)
      await peer.closed
    })
    await using client = await connect(server)
    const { connPid } = client
    const frames = [['text', 'a']] as const
    const replyTo = () => {
      assert.equal(gun.wsSend(connPid, frames), false)
      gun.close(connPid)
    }
    gun.get(connPid, '/', {}, { replyTo })
    const { reason } = await client.owner.receive([{ type: 'gun_error', connPid }])
    assert.deepEqual([reason.code, reason.frames], ['badstate', frames])
  })

  test('a request that is cancelled in its requestStart is never sent over HTTP/2', async () => {
    await using it = await scene({
      opts: {
        eventHandler: {
          requestStart: ({ connPid, streamRef, path }) => {
            if (path === '/cancelled') gun.cancel(connPid, streamRef)
          },
        },
      },
    })
    gun.get(it.connPid, '/cancelled')
    gun.get(it.connPid, '/sent')
    const { headers } = await it.peer.request()
    assert.deepEqual(
      headers.filter(([name]) => name === ':path'),
      [[':path', '/sent']],
    )
  })
})

describe('an actor that is stopped', () => {
  const body = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\nx-t: 1\r\n\r\n'
  const frames = Buffer.concat(['a', 'b'].map(payload => frame({ opcode: opcodes.text, payload })))
  for (const [at, heard] of [
    ['gun_inform', ['gun_inform', 'gun_error']],
    ['gun_response', ['gun_inform', 'gun_response', 'gun_error']],
    ['gun_data', ['gun_inform', 'gun_response', 'gun_data', 'gun_error']],
    ['gun_trailers', ['gun_inform', 'gun_response', 'gun_data', 'gun_data', 'gun_trailers']],
    ['gun_upgrade', ['gun_upgrade', 'gun_error']],
    ['gun_ws', ['gun_upgrade', 'gun_ws', 'gun_error']],
  ] as const) {
    test(`by a receiver of ${at} ends its connection behind that message`, async () => {
      await using _left = assertNothingLeft()
      const isWebSocket = heard[0] === 'gun_upgrade'
      await using server = await origin(async peer => {
        const request = await peer.receiveRequest()
        await peer.send(
          isWebSocket
            ? Buffer.concat([Buffer.from(switchingProtocols(request)), frames])
            : `HTTP/1.1 103 Early Hints\r\n\r\n${body}${NO_CONTENT}`,
        )
        await peer.closed
      })
      const owner = createProcess<gun.GunMessage>()
      const actor = createActor(gun.connectionMachine, {
        input: { host: 'localhost', port: server.port, opts: { owner } },
      })
      actor.start()
      const { connPid } = actor.getSnapshot().context
      await gun.awaitUp(connPid)
      const told: string[] = []
      let isInside = false
      const replyTo = streamEnds.watch(({ type }: gun.GunMessage) => {
        told.push(isInside ? `${type} within another` : type)
        isInside = true
        if (type === at) actor.stop()
        isInside = false
      })
      const ref = owner.monitor(connPid)
      if (isWebSocket) gun.wsUpgrade(connPid, '/', {}, { replyTo })
      else gun.get(connPid, '/', {}, { replyTo })
      const other: boolean[] = []
      if (!isWebSocket) gun.get(connPid, '/', {}, { replyTo: () => other.push(isInside) })
      await owner.receive([{ type: 'DOWN', ref }])
      assert.deepEqual([told, other], [heard, isWebSocket ? [] : [false]])
      owner.exit()
    })
  }
})

describe('what is cancelled or asked for in the last step', () => {
  test('of a stream is told of, and the connection goes on', async () => {
    await using _left = assertNothingLeft()
    await using server = await origin(async peer => {
      for (let i = 0; i < 2; i++) {
        await peer.receiveRequest()
        await peer.send(NO_CONTENT)
      }
      await peer.closed
    })
    const cancelled: gun.StreamRef[] = []
    const eventHandler: gun.EventHandler = {
      responseHeaders: ({ connPid, streamRef }) => streamRef === first && gun.cancel(connPid, streamRef),
      cancel: ({ streamRef }) => cancelled.push(streamRef),
    }
    await using client = await connect(server, 'tcp', { eventHandler })
    const first = gun.get(client.connPid, '/')
    const second = gun.get(client.connPid, '/')
    const { status } = await client.owner.receive([{ type: 'gun_response', streamRef: second }])
    assert.equal(status, 204)
    assert.deepEqual(cancelled, [first])
    assert.equal(gun.flush(first), 0)
  })

  test('of a connection that the caller has closed is told of before its end', async () => {
    await using _left = assertNothingLeft()
    await using server = await origin(async peer => {
      await peer.receiveRequest()
      await peer.send(NO_CONTENT)
      await peer.closed
    })
    const told: string[] = []
    const ended = defer<void>()
    const eventHandler: gun.EventHandler = {
      cancel: () => told.push('cancel'),
      terminate: () => {
        told.push('terminate')
        ended.resolve()
      },
    }
    await using client = await connect(server, 'tcp', { eventHandler })
    const { connPid } = client
    const replyTo = (name: string) => (message: gun.GunMessage) => told.push(`${name} ${message.type}`)
    const act = () => {
      gun.close(connPid)
      gun.cancel(connPid, other)
      gun.get(connPid, '/late', {}, { replyTo: replyTo('late') })
    }
    gun.get(connPid, '/', {}, { replyTo: message => message.type === 'gun_response' && act() })
    const other = gun.get(connPid, '/other', {}, { replyTo: replyTo('other') })
    await ended.promise
    await new Promise(setImmediate)
    assert.deepEqual(told, ['cancel', 'late gun_error', 'terminate'])
  })
})
