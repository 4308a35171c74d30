// The transcript of a connection: a line for each state, event and message, and no secrets in it.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as gun from '@holster/gun'
import { setExitHook } from '@holster/process'
import { certificates, type Peer, type Transport } from '@holster/testing'
import { frame, opcodes, receiveFrame, switchingProtocols } from '@holster/testing/frames'
import { freePort, PATIENCE } from '../support/client.ts'
import { assertNothingLeft, collectWarnings } from '../support/leftovers.ts'
import { LIFE, making, opened, recorder } from '../support/life-events.ts'
import { origin } from '../support/origin.ts'

const transports = ['tcp', 'tls', 'unix'] as const

interface Line {
  readonly connPid: string
  readonly what: string
  readonly name: string
  readonly details: string
}

function parse(line: string): Line {
  const [, connPid = '', what = '', name = '', details = ''] =
    /^(#Conn<\d+>) \+\d+ms (state|event|message) (\w+)(?: (\{.*\}))?$/.exec(line) ?? []
  assert.notEqual(name, '', line)
  return { connPid, what, name, details }
}

/** The states, the messages and the events of the connection itself, without what they hold. */
function outline(lines: readonly string[]): string[] {
  return lines
    .map(parse)
    .filter(({ what, name }) => what !== 'event' || LIFE.some(each => each === name))
    .map(({ what, name }) => `${what} ${name}`)
}

const steps = (transport: Transport): string[] => {
  const told = making(transport).map(name => `event ${name}`)
  const states = ['domain_lookup', 'connecting', 'initial_tls_handshake'].map(name => `state ${name}`)
  return told.flatMap((event, at) => (at % 2 === 0 ? [states[at / 2] ?? '', event] : [event]))
}

/** A WebSocket that says hello and closes as it should. */
async function hello(peer: Peer): Promise<void> {
  await peer.send(switchingProtocols(await peer.receiveRequest()))
  await peer.send(frame({ opcode: opcodes.text, payload: 'hello' }))
  const close = await receiveFrame(peer)
  peer.end(frame({ opcode: opcodes.close, payload: close.payload }))
}

/** A whole life: a WebSocket that is spoken to and closed. */
async function live(it: ReturnType<typeof opened>): Promise<void> {
  gun.wsUpgrade(it.connPid, '/')
  await it.self.receive([{ type: 'gun_ws' }], PATIENCE)
  gun.wsSend(it.connPid, 'close')
  assert.equal(await it.down(), 'normal')
}

const story = (transport: Transport): string[] => [
  'event init',
  ...steps(transport),
  'state connected',
  'message gun_up',
  'state connected_ws_only',
  'event protocolChanged',
  'message gun_upgrade',
  'message gun_ws',
  'state closing',
  'message gun_ws',
  'event disconnect',
  'message gun_down',
  'state terminated',
  'event terminate',
]

for (const transport of transports) {
  describe(`the transcript of a connection over ${transport}`, () => {
    test('has a line for each state, event and message, in order', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using server = await origin(hello, { transport })
      const lines: string[] = []
      await using it = opened(server, transport, { trace: line => lines.push(line), retry: 0 })
      await live(it)
      assert.deepEqual(outline(lines), story(transport))
      const parsed = lines.map(parse)
      assert.ok(parsed.every(({ connPid }) => connPid === String(it.connPid)))
      const frames = parsed.filter(({ name }) => name.startsWith('wsSendFrame'))
      assert.equal(frames.length, 2)
      const [first] = parsed.filter(({ name }) => name === 'gun_ws')
      assert.match(first?.details ?? '', /^\{ streamRef: #Stream<\d+>, frame: \["text", "hello"\] \}$/)
      const last = parsed.at(-1)
      assert.equal(last?.details, '{ state: "closing", reason: "normal" }')
    })

    test('has what there is before whoever is told acts on it', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using server = await origin(peer => peer.closed, { transport })
      const lines: string[] = []
      const { eventHandler } = recorder(name => lines.push(`handler ${name}`))
      const trace = (line: string) => lines.push(line)
      await using it = opened(server, transport, { trace, eventHandler })
      await it.up()
      gun.close(it.connPid)
      const told = lines.filter(line => /^handler| event /.test(line))
      assert.ok(told.length > 0)
      for (let at = 0; at < told.length; at += 2) {
        assert.equal(told[at + 1], `handler ${parse(told[at] ?? '').name}`)
      }
    })

    test('by a function that throws is reported line by line, and changes nothing', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using server = await origin(hello, { transport })
      const boom = new Error('boom')
      const reports: unknown[][] = []
      const previous = setExitHook((pid, reason) => reports.push([pid, reason]))
      try {
        const { names, eventHandler } = recorder()
        const lines: string[] = []
        const trace = (line: string) => {
          lines.push(line)
          throw boom
        }
        await using it = opened(server, transport, { trace, eventHandler, retry: 0 })
        await live(it)
        assert.deepEqual(outline(lines), story(transport))
        assert.deepEqual(names, ['init', ...making(transport), 'protocolChanged', 'disconnect', 'terminate'])
        assert.equal(reports.length, lines.length)
        for (const report of reports) assert.deepEqual(report, [it.connPid, boom])
      } finally {
        setExitHook(previous)
      }
    })

    test('does not tell what is secret', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const answer = async (peer: Peer) => {
        const request = await peer.receiveRequest()
        assert.match(request.head, /hidden-1.*hidden-4/s)
        const headers = [
          'set-cookie: a=hidden-5',
          'location: //me:hidden-6@host/?token=hidden-7',
          'x-seen: 1',
        ]
        await peer.send(`HTTP/1.1 200 OK\r\n${headers.join('\r\n')}\r\ncontent-length: 8\r\n\r\nhidden-8`)
        await peer.closed
      }
      await using server = await origin(answer, { transport })
      const lines: string[] = []
      const opts: gun.Opts = {
        trace: line => lines.push(line),
        tlsOpts: {
          ca: certificates.ca,
          ...certificates.server,
          passphrase: 'hidden-9',
          servername: 'localhost',
        },
        wsOpts: { userOpts: { password: 'hidden-10', plain: 'hidden-11' } },
        cookieStore: Object.assign(Object.create({ jar: 'hidden-12' }), {
          jar: 'hidden-13',
          getCookieString: () => 'a=hidden-14',
          setCookie: () => {},
        }),
      }
      await using it = opened(server, transport, opts)
      const headers = {
        authorization: 'Bearer hidden-2',
        'proxy-authorization': 'Basic hidden-3',
        cookie: 'a=hidden-4',
      }
      const streamRef = gun.get(it.connPid, '/?access_token=hidden-1', headers)
      await gun.await(it.connPid, streamRef, PATIENCE)
      await gun.awaitBody(it.connPid, streamRef, PATIENCE)
      gun.close(it.connPid)
      const transcript = lines.join('\n')
      assert.doesNotMatch(transcript, /hidden/)
      assert.doesNotMatch(transcript, /BEGIN|CERTIFICATE|PRIVATE/)
      assert.match(
        transcript,
        /\["set-cookie", …\], \["location", "\/\/…@host\/\?token=…"\], \["x-seen", "1"\]/,
      )
      assert.match(transcript, /event init .*tlsOpts: …,.* wsOpts: \{ userOpts: … \}, cookieStore: …/)
      assert.equal(
        transcript.includes('event tlsHandshakeStart { socket: <TLSSocket>, tlsOpts: …'),
        transport === 'tls',
      )
    })
  })
}

describe('a transcript', () => {
  test('goes to the standard error if no function is given', async t => {
    await using _left = assertNothingLeft()
    await using server = await origin(hello)
    const written: string[] = []
    const write = t.mock.method(process.stderr, 'write', (text: string) => {
      written.push(text)
      return true
    })
    await using it = opened(server, 'tcp', { trace: true, retry: 0 })
    await live(it)
    write.mock.restore()
    const lines = written.filter(text => text.startsWith(`${it.connPid} `))
    assert.ok(lines.every(text => text.endsWith('\n')))
    assert.deepEqual(outline(lines.map(text => text.trimEnd())), story('tcp'))
  })

  test('is not written unless it is asked for', async t => {
    await using _left = assertNothingLeft()
    await using server = await origin(hello)
    const written: string[] = []
    const write = t.mock.method(process.stderr, 'write', (text: string) => {
      written.push(text)
      return true
    })
    await using first = opened(server, 'tcp', { retry: 0 })
    await live(first)
    await using second = opened(server, 'tcp', { trace: false, retry: 0 })
    await live(second)
    write.mock.restore()
    assert.deepEqual(
      written.filter(text => text.includes('#Conn')),
      [],
    )
  })

  test('tells why an attempt failed, and what follows', async () => {
    await using _left = assertNothingLeft()
    await using _calm = collectWarnings()
    const port = await freePort()
    const lines: string[] = []
    const opts = { trace: (line: string) => lines.push(line), retry: 1 }
    await using it = opened({ host: '127.0.0.1', port }, 'tcp', opts)
    await it.down()
    const attempt = [...steps('tcp'), 'state not_connected']
    assert.deepEqual(outline(lines), [
      'event init',
      ...attempt,
      ...attempt,
      'state terminated',
      'message gun_error',
      'event terminate',
    ])
    const error = `<GunError connect_error: "no connection to 127.0.0.1:${port}: connect ECONNREFUSED 127.0.0.1:${port}">`
    const { details } = parse(lines.at(-1) ?? '')
    assert.equal(details, `{ state: "not_connected", reason: ["shutdown", ${error}] }`)
    assert.equal(parse(lines.at(-2) ?? '').details, `{ reason: ${error} }`)
    assert.ok(lines.find(line => line.includes(' event connectEnd '))?.includes(error))
  })

  test('has a line each time the connection is lost and comes back', async () => {
    await using _left = assertNothingLeft()
    await using _calm = collectWarnings()
    await using server = await origin((peer, index) => (index === 0 ? peer.end() : peer.closed))
    const lines: string[] = []
    await using it = opened(server, 'tcp', { trace: line => lines.push(line) })
    await it.up()
    await it.up()
    gun.close(it.connPid)
    assert.deepEqual(outline(lines), [
      'event init',
      ...steps('tcp'),
      'state connected',
      'message gun_up',
      'event disconnect',
      'message gun_down',
      'state not_connected',
      ...steps('tcp'),
      'state connected',
      'message gun_up',
      'event disconnect',
      'state terminated',
      'event terminate',
    ])
  })
})
