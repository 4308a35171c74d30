// The types of messages, options and handles, as tsc checks them; the tests only have to run.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as gun from '@holster/gun'
import { createProcess, type Down, type Exit, type Incoming, type Pid, type Process } from '@holster/process'
import { expectTypeOf } from 'expect-type'
import { createActor } from 'xstate'

const owner = createProcess<gun.GunMessage>()
const connPid = gun.open('localhost', 1, { owner })
const streamRef = gun.get(connPid, '/')
gun.close(connPid)
owner.exit()

/** What a receive resolves to: the types are looked at, nothing is awaited. */
function typeOf<T>(received: Promise<T>) {
  received.catch(() => {})
  return expectTypeOf<T>()
}

test('a pattern with a tag narrows to that message', () => {
  typeOf(owner.receive([{ type: 'gun_up' }])).toEqualTypeOf<gun.GunUp>()
  typeOf(owner.receive([{ type: 'gun_down', connPid }])).toEqualTypeOf<gun.GunDown>()
  typeOf(owner.receive([{ type: 'DOWN' }])).toEqualTypeOf<Down>()
  typeOf(owner.receive([{ type: 'EXIT' }])).toEqualTypeOf<Exit>()
})

test('patterns narrow to their union, and a switch over it is exhaustive', () => {
  const received = owner.receive([
    { type: 'gun_upgrade', connPid, streamRef, protocols: ['websocket'] },
    { type: 'gun_response', connPid, streamRef },
    { type: 'gun_error', connPid, streamRef },
  ])
  type Answer = Awaited<typeof received>
  received.catch(() => {})
  expectTypeOf<Answer['type']>().toEqualTypeOf<'gun_upgrade' | 'gun_response' | 'gun_error'>()
  const describe = (answer: Answer): string => {
    switch (answer.type) {
      case 'gun_upgrade':
        expectTypeOf(answer.protocols).toEqualTypeOf<readonly ['websocket']>()
        return 'upgraded'
      case 'gun_response':
        expectTypeOf(answer.status).toEqualTypeOf<number>()
        expectTypeOf(answer.isFin).toEqualTypeOf<gun.IsFin>()
        return 'refused'
      case 'gun_error':
        expectTypeOf(answer.reason).toEqualTypeOf<gun.GunError>()
        return 'failed'
    }
  }
  assert.equal(typeof describe, 'function')
})

test('a pattern without a tag narrows to the messages that have its fields', () => {
  const received = owner.receive([{ streamRef }])
  received.catch(() => {})
  type Tag = Awaited<typeof received>['type']
  expectTypeOf<'gun_ws'>().toExtend<Tag>()
  expectTypeOf<'gun_data'>().toExtend<Tag>()
  expectTypeOf<'gun_up'>().not.toExtend<Tag>()
  expectTypeOf<'DOWN'>().not.toExtend<Tag>()
})

test('a frame narrows as a tuple', () => {
  const text = owner.receive([{ type: 'gun_ws', connPid, streamRef, frame: ['text', 'a'] }])
  text.catch(() => {})
  expectTypeOf<Awaited<typeof text>['frame'][1]>().toEqualTypeOf<'a'>()
  const close = owner.receive([{ type: 'gun_ws', frame: 'close' }])
  close.catch(() => {})
  expectTypeOf<Awaited<typeof close>['frame']>().toEqualTypeOf<'close'>()
})

test('a handler gives its result', () => {
  const received = owner.receive([
    owner.on({ type: 'gun_data', streamRef }, ({ data, isFin }) => {
      expectTypeOf(data).toEqualTypeOf<Buffer>()
      expectTypeOf(isFin).toEqualTypeOf<gun.IsFin>()
      return data.length
    }),
    { type: 'gun_trailers', streamRef },
  ])
  typeOf(received).toEqualTypeOf<number | gun.GunTrailers>()
})

test('onTimeout adds what it gives', () => {
  const received = owner.receive([{ type: 'gun_up' }], { timeout: 0, onTimeout: () => 'late' as const })
  typeOf(received).toEqualTypeOf<gun.GunUp | 'late'>()
})

test('unknown tags, fields and values are refused', () => {
  const never = (): void => {
    // @ts-expect-error there is no such tag
    void owner.receive([{ type: 'gun_dwon' }])
    // @ts-expect-error gun_up has no streamRef
    void owner.receive([{ type: 'gun_up', streamRef }])
    // @ts-expect-error a status is a number
    void owner.receive([{ type: 'gun_response', status: '200' }])
    // @ts-expect-error protocols are named by strings
    void owner.receive([{ type: 'gun_upgrade', protocols: [1] }])
    // @ts-expect-error no frame is called so
    void owner.receive([{ type: 'gun_ws', frame: ['txt', 'a'] }])
    // @ts-expect-error the handler's message has no status
    owner.on({ type: 'gun_data' }, ({ status }) => status)
  }
  assert.equal(typeof never, 'function')
})

test('await gives messages of a stream, and no errors', () => {
  expectTypeOf<Awaited<ReturnType<typeof gun.await>>>().toEqualTypeOf<gun.StreamMessage>()
  expectTypeOf<gun.StreamMessage['type']>().toEqualTypeOf<
    | 'gun_upgrade'
    | 'gun_tunnel_up'
    | 'gun_inform'
    | 'gun_response'
    | 'gun_data'
    | 'gun_trailers'
    | 'gun_push'
    | 'gun_sse'
    | 'gun_ws'
    | 'gun_notify'
  >()
  expectTypeOf<Awaited<ReturnType<typeof gun.awaitUp>>>().toEqualTypeOf<'http' | 'http2' | 'raw' | 'socks'>()
  expectTypeOf<Awaited<ReturnType<typeof gun.awaitBody>>>().toEqualTypeOf<gun.Body>()
  expectTypeOf<gun.Body['body']>().toEqualTypeOf<Buffer>()
})

test('awaitResponse gives all of a response, narrowed', () => {
  expectTypeOf<Awaited<ReturnType<typeof gun.awaitResponse>>>().toEqualTypeOf<gun.FullResponse>()
  expectTypeOf<gun.FullResponse>().toEqualTypeOf<{
    readonly status: number
    readonly headers: gun.Headers
    readonly body: Buffer
    readonly trailers?: gun.Headers
  }>()
  const { signal } = new AbortController()
  const monitorRef = owner.monitor(connPid)
  const never = (): void => {
    void gun.awaitResponse(connPid, streamRef)
    void gun.awaitResponse(connPid, streamRef, { timeout: 1000, monitorRef, signal, maxBodySize: 1024 })
    void gun.awaitBody(connPid, streamRef, { timeout: 1000, monitorRef, signal, maxBodySize: 1024 })
    void gun.awaitBody(connPid, streamRef, 1000, monitorRef)
    void gun.await(connPid, streamRef, { timeout: 1000, monitorRef, signal })
    void gun.await(connPid, streamRef, monitorRef)
    void gun.awaitUp(connPid, { timeout: 1000, monitorRef, signal })
    void gun.awaitResponse(connPid, streamRef, 1000)
    // @ts-expect-error the monitor belongs into the options
    void gun.awaitResponse(connPid, streamRef, 1000, monitorRef)
    // @ts-expect-error there is no such option
    void gun.awaitResponse(connPid, streamRef, { after: 1000 })
    // @ts-expect-error one message has no body
    void gun.await(connPid, streamRef, { maxBodySize: 1024 })
    // @ts-expect-error nor has a connection
    void gun.awaitUp(connPid, { maxBodySize: 1024 })
  }
  assert.equal(typeof never, 'function')
})

test('a request that is under way is told of in words', () => {
  expectTypeOf<gun.RequestInfo['state']>().toEqualTypeOf<'waiting' | 'sending' | 'sent'>()
  expectTypeOf<gun.RequestInfo['response']>().toEqualTypeOf<'due' | 'coming' | 'complete'>()
  expectTypeOf<gun.StreamInfo['request']>().toEqualTypeOf<gun.RequestInfo | undefined>()
  expectTypeOf<gun.GunError['isPermanent']>().toEqualTypeOf<boolean>()
})

test('every message has its connection', () => {
  expectTypeOf<gun.GunMessage['connPid']>().toEqualTypeOf<gun.ConnPid>()
  expectTypeOf<Incoming<gun.GunMessage>['type']>().toEqualTypeOf<gun.GunMessage['type'] | 'DOWN' | 'EXIT'>()
})

test('frames out are the tuples of Gun', () => {
  const frames: readonly gun.WsFrame[] = [
    'close',
    'ping',
    'pong',
    ['text', 'a'],
    ['binary', new Uint8Array()],
    ['ping', Buffer.alloc(0)],
    ['pong', Buffer.alloc(0)],
    ['close', 'reason'],
    ['close', 1000, 'reason'],
  ]
  assert.equal(frames.length, 9)
  const never = (): void => {
    gun.wsSend(connPid, 'ping')
    gun.wsSend(connPid, ['ping', 'pong'])
    gun.wsSend(connPid, ['text', 'a'])
    gun.wsSend(connPid, [['text', 'a'], 'close'])
    gun.wsSend(connPid, streamRef, frames)
    // @ts-expect-error text is a string
    gun.wsSend(connPid, streamRef, ['text', new Uint8Array()])
    // @ts-expect-error binary is bytes
    gun.wsSend(connPid, streamRef, ['binary', 'a'])
    // @ts-expect-error there is no such frame
    gun.wsSend(connPid, streamRef, 'text')
    // @ts-expect-error a code comes with a reason
    gun.wsSend(connPid, streamRef, ['close', 1000])
    // @ts-expect-error the frames are missing
    gun.wsSend(connPid)
  }
  assert.equal(typeof never, 'function')
})

test('owners and receivers are what takes the messages', () => {
  expectTypeOf<Process<gun.GunMessage>>().toExtend<gun.Owner>()
  expectTypeOf<Pid<gun.GunMessage>>().toExtend<gun.ReplyTo>()
  expectTypeOf<(message: gun.GunMessage) => void>().toExtend<gun.ReplyTo>()
  const never = (): void => {
    const actor = createActor(gun.connectionMachine, { input: { host: 'localhost', port: 1 } })
    expectTypeOf(actor.getSnapshot().context.connPid).toEqualTypeOf<gun.ConnPid>()
    // @ts-expect-error an owner ends; a function does not
    gun.open('localhost', 1, { owner: () => {} })
    // @ts-expect-error it takes other messages
    gun.open('localhost', 1, { owner: createProcess<{ type: 'mine' }>() })
    // @ts-expect-error a port is needed
    createActor(gun.connectionMachine, { input: { host: 'localhost' } })
  }
  assert.equal(typeof never, 'function')
})

test('unknown options are refused', () => {
  const never = (): void => {
    // @ts-expect-error it is retry
    gun.open('localhost', 1, { retries: 5 })
    // @ts-expect-error it is keepalive
    gun.wsUpgrade(connPid, '/', [], { keepAlive: 1 })
    // @ts-expect-error it is replyTo
    gun.get(connPid, '/', [], { replyto: owner })
    // @ts-expect-error there is no such version
    gun.open('localhost', 1, { httpOpts: { version: 'HTTP/2' } })
    // @ts-expect-error there is no such transport
    gun.open('localhost', 1, { transport: 'ssl' })
  }
  assert.equal(typeof never, 'function')
})

test('handles are opaque', () => {
  expectTypeOf(connPid).not.toExtend<PromiseLike<unknown>>()
  const never = (): void => {
    // @ts-expect-error a stream is no connection
    gun.get(streamRef, '/')
    // @ts-expect-error a connection is no stream
    gun.data(connPid, connPid, 'fin', '')
    // @ts-expect-error a string is no connection
    gun.info('#Conn<1>')
  }
  assert.equal(typeof never, 'function')
})

test('errors have a literal code and kind', () => {
  expectTypeOf<gun.GunError>().toExtend<Error>()
  expectTypeOf<'badstate'>().toExtend<gun.GunErrorCode>()
  expectTypeOf<'bad_state'>().not.toExtend<gun.GunErrorCode>()
  expectTypeOf<gun.GunErrorKind>().toEqualTypeOf<
    'stream_error' | 'connection_error' | 'down' | 'timeout' | 'badstate' | 'options'
  >()
})

test("a subprotocol's handler has a state and messages of its own", () => {
  interface Mine {
    readonly type: 'mine'
  }
  interface State {
    readonly replyTo: Pid<Mine>
    count: number
  }
  const handler: gun.WsHandler<State, Mine> = {
    init: replyTo => ({ replyTo, count: 0 }),
    handle(frame, state) {
      expectTypeOf(frame).toEqualTypeOf<gun.WsFrameIn>()
      expectTypeOf(state).toEqualTypeOf<State>()
      return ++state.count
    },
  }
  expectTypeOf<Parameters<gun.WsHandler<State, Mine>['init']>>().toEqualTypeOf<
    [replyTo: Pid<Mine>, streamRef: gun.StreamRef, headers: gun.Headers, opts: gun.WsOpts]
  >()
  const never = (): void => {
    gun.wsUpgrade(connPid, '/', [], { protocols: [['mine', handler]], defaultProtocol: handler })
    gun.open('localhost', 1, { wsOpts: { protocols: [['mine', { init: () => 1, handle: () => 0 }]] } })
    // @ts-expect-error it does not say how many messages it has sent
    gun.wsUpgrade(connPid, '/', [], { defaultProtocol: { init: () => 1, handle: () => {} } })
    // @ts-expect-error nor does a promise
    gun.wsUpgrade(connPid, '/', [], { defaultProtocol: { init: () => 1, handle: async () => 0 } })
    // @ts-expect-error it does nothing with frames
    gun.wsUpgrade(connPid, '/', [], { protocols: [['mine', { init: () => 1 }]] })
    // @ts-expect-error it is replied to a process
    gun.wsUpgrade(connPid, '/', [], { defaultProtocol: { init: (_: string) => 1, handle: () => 0 } })
    // @ts-expect-error a name comes with a handler
    gun.wsUpgrade(connPid, '/', [], { protocols: ['mine'] })
    // @ts-expect-error a name is a string
    gun.wsUpgrade(connPid, '/', [], { protocols: [[1, handler]] })
    // @ts-expect-error the state is what init gives
    handler.handle('close', { count: 0 })
    const posts: gun.WsHandler<undefined, Mine> = {
      init(replyTo) {
        // @ts-expect-error it posts messages of its own only
        replyTo.send({ type: 'other' })
        return undefined
      },
      handle: () => 0,
    }
    gun.wsUpgrade(connPid, '/', [], { defaultProtocol: posts })
  }
  assert.equal(typeof never, 'function')
})
