import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as h2 from '../../../../../test/support/http2-frames.ts'
import { begun, head, type Talk } from '../../support/engine.ts'

const { types, errorCodes: codes } = h2

/** A request of a push. */
const request = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':authority', 'a'],
  [':path', '/pushed'],
] as const

const end = { endStream: true }

/** How a talk comes to a stream in each state, whose number is 1, or 2 for the server's. */
const states: Readonly<Record<string, (talk: Talk) => void>> = {
  'idle, ours': () => {},
  "idle, the server's": talk => {
    talk.open()
  },
  reserved: talk => {
    talk.open()
    talk.give(h2.pushPromise(1, 2, request))
  },
  open: talk => {
    talk.open({ method: 'POST' }, false)
  },
  'open, behind the head': talk => {
    talk.open({ method: 'POST' }, false)
    talk.give(head(1))
  },
  'half-closed by us': talk => {
    talk.open()
  },
  'half-closed by us, behind the head': talk => {
    talk.open()
    talk.give(head(1))
  },
  'half-closed by the peer': talk => {
    talk.open({ method: 'POST' }, false)
    talk.give(head(1, {}, end))
  },
  'half-closed by the peer, within our body': talk => {
    const stream = talk.open({ method: 'POST' }, false)
    talk.send(stream, Buffer.alloc(70_000), true)
    talk.give(head(1, {}, end))
  },
  'pushed, behind the head': talk => {
    talk.open()
    talk.give(h2.pushPromise(1, 2, request), head(2))
  },
  'closed in order': talk => {
    talk.open()
    talk.give(head(1, {}, end))
  },
  'closed by our reset': talk => {
    talk.engine.reset(talk.open())
  },
  "closed by the peer's reset": talk => {
    talk.open()
    talk.give(h2.rstStream(1, codes.CANCEL))
  },
  'closed by our reset behind its end': talk => {
    const stream = talk.open({ method: 'POST' }, false)
    talk.give(head(1, {}, end))
    talk.engine.reset(stream)
  },
}

/** The frames that may come on it. */
const frames = {
  HEADERS: id => head(id),
  'HEADERS with END_STREAM': id => head(id, {}, end),
  trailers: id => h2.headers(id, [['t', '1']], end),
  DATA: id => h2.data(id, 'x'),
  'DATA with END_STREAM': id => h2.data(id, 'x', end),
  'empty DATA': id => h2.data(id),
  PRIORITY: id => h2.frame(types.PRIORITY, 0, id, Buffer.alloc(5)),
  RST_STREAM: id => h2.rstStream(id, codes.CANCEL),
  'RST_STREAM without an error': id => h2.rstStream(id, codes.NO_ERROR),
  WINDOW_UPDATE: id => h2.windowUpdate(id, 1),
  PUSH_PROMISE: id => h2.pushPromise(id, 4, request),
  unknown: id => h2.frame(0xaa, 0xff, id, 'whatever'),
} satisfies Record<string, (id: number) => Buffer>

type FrameName = keyof typeof frames

/** The outcome of a frame: values, and behind an arrow the frames that are written. Where nothing is said, nothing. */
type Row = Partial<Record<FrameName, string>>

const connection = (code: string, last = 0) => `failure ${code} -> GOAWAY ${code} last ${last}`
const broken = (id: number, code: string, how = '') =>
  `broken ${id} ${code}${how} -> RST_STREAM of ${id} ${code}`
const refused = ' -> RST_STREAM of 4 REFUSED_STREAM'
const idle = connection('PROTOCOL_ERROR')
const everything = (what: string): Row => ({
  HEADERS: what,
  'HEADERS with END_STREAM': what,
  trailers: what,
  DATA: what,
  'DATA with END_STREAM': what,
  'empty DATA': what,
})
/** The outcomes of frames on a stream that has never begun. */
const never = (push: string): Row => ({
  ...everything(idle),
  RST_STREAM: idle,
  'RST_STREAM without an error': idle,
  WINDOW_UPDATE: idle,
  PUSH_PROMISE: push,
})
const beforeHead: Row = {
  HEADERS: 'response 1 200',
  'HEADERS with END_STREAM': 'response 1 200 fin',
  trailers: broken(1, 'PROTOCOL_ERROR', ' by a head'),
  DATA: broken(1, 'PROTOCOL_ERROR'),
  'DATA with END_STREAM': broken(1, 'PROTOCOL_ERROR'),
  'empty DATA': broken(1, 'PROTOCOL_ERROR'),
  RST_STREAM: 'reset 1 CANCEL',
  'RST_STREAM without an error': 'reset 1 NO_ERROR',
  PUSH_PROMISE: 'push 1 4 GET /pushed',
}
const behindHead = (id: number, push: string): Row => ({
  HEADERS: broken(id, 'PROTOCOL_ERROR'),
  'HEADERS with END_STREAM': broken(id, 'PROTOCOL_ERROR'),
  trailers: `trailers ${id} t=1`,
  DATA: `data ${id} x`,
  'DATA with END_STREAM': `data ${id} x fin`,
  RST_STREAM: `reset ${id} CANCEL`,
  'RST_STREAM without an error': `reset ${id} NO_ERROR whole`,
  PUSH_PROMISE: push,
})
const behindEnd: Row = {
  ...everything(broken(1, 'STREAM_CLOSED')),
  RST_STREAM: 'reset 1 CANCEL whole',
  'RST_STREAM without an error': 'reset 1 NO_ERROR whole',
  PUSH_PROMISE: connection('PROTOCOL_ERROR', 4),
}
const behindReset: Row = { PUSH_PROMISE: refused }

/** RFC 9113 section 5.1. */
const table: Readonly<Record<keyof typeof states, Row>> = {
  'idle, ours': never(connection('PROTOCOL_ERROR', 4)),
  "idle, the server's": never(connection('PROTOCOL_ERROR', 4)),
  reserved: {
    HEADERS: 'response 2 200',
    'HEADERS with END_STREAM': 'response 2 200 fin',
    trailers: broken(2, 'PROTOCOL_ERROR', ' by a head'),
    DATA: connection('PROTOCOL_ERROR', 2),
    'DATA with END_STREAM': connection('PROTOCOL_ERROR', 2),
    'empty DATA': connection('PROTOCOL_ERROR', 2),
    RST_STREAM: 'reset 2 CANCEL',
    'RST_STREAM without an error': 'reset 2 NO_ERROR',
    WINDOW_UPDATE: connection('PROTOCOL_ERROR', 2),
    PUSH_PROMISE: connection('PROTOCOL_ERROR', 4),
  },
  open: beforeHead,
  'open, behind the head': behindHead(1, 'push 1 4 GET /pushed'),
  'half-closed by us': beforeHead,
  'half-closed by us, behind the head': behindHead(1, 'push 1 4 GET /pushed'),
  'half-closed by the peer': behindEnd,
  'half-closed by the peer, within our body': behindEnd,
  'pushed, behind the head': behindHead(2, connection('PROTOCOL_ERROR', 4)),
  'closed in order': {
    ...everything(connection('STREAM_CLOSED')),
    PUSH_PROMISE: connection('PROTOCOL_ERROR', 4),
  },
  'closed by our reset': behindReset,
  "closed by the peer's reset": behindReset,
  'closed by our reset behind its end': {
    ...everything(connection('STREAM_CLOSED')),
    PUSH_PROMISE: connection('PROTOCOL_ERROR', 4),
  },
}

describe('Each frame in each state of a stream', () => {
  for (const [state, row] of Object.entries(table)) {
    for (const [name, make] of Object.entries(frames)) {
      test(`${state}: ${name}`, () => {
        const talk = begun()
        states[state]?.(talk)
        talk.written()
        const id = /reserved|pushed|server/.test(state) ? 2 : 1
        const told = talk.give(make(id)).join(', ')
        const written = talk.written().join(', ')
        assert.equal(written === '' ? told : `${told} -> ${written}`, row[name as FrameName] ?? '')
      })
    }
  }
})

test('a connection has as many streams as there are numbers, and then is used up', () => {
  const talk = begun({ firstStreamId: 2 ** 31 - 3 })
  assert.deepEqual([talk.engine.canOpen, talk.engine.isUsedUp], [true, false])
  assert.equal(talk.open().id, 2 ** 31 - 3)
  assert.deepEqual([talk.engine.canOpen, talk.engine.isUsedUp], [true, false])
  assert.equal(talk.open().id, 2 ** 31 - 1)
  assert.deepEqual([talk.engine.canOpen, talk.engine.isUsedUp], [false, true])
  assert.deepEqual(talk.give(head(2 ** 31 - 1)), [`response ${2 ** 31 - 1} 200`])
})
