import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ConnectionContext, ConnectionEvent, Effect } from '../../src/connection/events.ts'
import {
  after,
  begun,
  close,
  closing,
  connected,
  connectedIn,
  failed,
  HOST,
  hungUp,
  type Life,
  lost,
  missing,
  ownerExit,
  PROXIED,
  permanent,
  planned,
  refusal,
  resolved,
  retired,
  risen,
  shutdown,
  spent,
  TLS,
  UNIX,
  waited,
} from '../support/life.ts'

/** A way through a proxy, over TLS, that is being made. */
const leading = () => after(begun(PROXIED), resolved, connected, connected)

/** Checks the state, what is to be done, and the parts of the context that are given. */
function shows(
  life: Life,
  state: string,
  effects: readonly Effect[],
  context: Partial<ConnectionContext> = {},
): void {
  const told = Object.fromEntries(
    Object.keys(context).map(key => [key, life.context[key as keyof ConnectionContext]]),
  )
  assert.deepEqual(
    { state: life.state, effects: life.effects, context: told },
    { state, effects: [...effects], context },
  )
}

/** Checks that an event leads nowhere and asks for nothing. */
function isIgnored(life: Life, event: ConnectionEvent): void {
  const next = after(life, event)
  assert.equal(next.snapshot, life.snapshot)
  assert.deepEqual(next.effects, [])
}

const PLANNING = 'not_connected.planning'
const ACCEPTING = 'connected.connected.accepting'

describe('the attempt to connect', () => {
  test('begins with the lookup of the name, and with as many retries as the options say', () => {
    shows(begun(HOST, 7), 'domain_lookup', ['begin', 'lookUp'], {
      retry: 7,
      retriesLeft: 7,
      setback: 'attempt',
      hasBeenUp: false,
      lastError: undefined,
      ending: undefined,
    })
  })

  test('has 5 retries where the options do not say', () => {
    shows(begun(), 'domain_lookup', ['begin', 'lookUp'], { retry: 5, retriesLeft: 5 })
  })

  test('connects once the name is looked up', () => {
    shows(after(begun(), resolved), 'connecting', ['connect'])
  })

  test('is up with the socket, starts the protocol, and then carries out what has waited', () => {
    const life = after(begun(), resolved, connected)
    shows(life, ACCEPTING, ['rise', 'accept'], { hasBeenUp: true })
    assert.deepEqual(life.tags, ['accepting', 'up'])
  })

  test('agrees on TLS between the socket and being up', () => {
    const life = after(begun(TLS), resolved, connected)
    shows(life, 'initial_tls_handshake', ['shakeHands'], { hasBeenUp: false })
    shows(after(life, connected), ACCEPTING, ['rise', 'accept'], { hasBeenUp: true })
  })

  for (const [state, life] of Object.entries({
    domain_lookup: begun(TLS),
    connecting: after(begun(TLS), resolved),
    initial_tls_handshake: after(begun(TLS), resolved, connected),
  })) {
    test(`that fails in ${state} asks when the next one follows, and remembers why`, () => {
      assert.equal(life.state, state)
      shows(after(life, failed(refusal)), PLANNING, ['rest', 'plan'], {
        lastError: refusal,
        setback: 'attempt',
        retriesLeft: 5,
      })
    })

    test(`that fails for good in ${state} is not repeated`, () => {
      shows(after(life, failed(permanent)), 'terminated', ['rest', 'terminate'], {
        lastError: permanent,
        ending: undefined,
      })
    })

    test(`that fails in ${state} without retries is not repeated`, () => {
      const last = after(begun(TLS, 0), ...pathTo(state), failed(refusal))
      shows(last, 'terminated', ['rest', 'terminate'], { lastError: refusal })
    })

    test(`shows no permission in ${state}`, () => assert.deepEqual(life.tags, []))
  }

  test('does not fail while nothing is attempted', () => {
    for (const life of [risen(), after(risen(), closing(10)), after(begun(), failed(refusal))]) {
      isIgnored(life, failed(permanent))
    }
  })
})

/** The events that lead a connection over TLS from its beginning to a state of the attempt. */
function pathTo(state: string): readonly ConnectionEvent[] {
  if (state === 'domain_lookup') return []
  return state === 'connecting' ? [resolved] : [resolved, connected]
}

describe('a Unix socket that is missing', () => {
  test('ends the connection if it was never there', () => {
    const life = after(begun(UNIX), resolved, failed(missing))
    shows(life, 'terminated', ['rest', 'terminate'], { lastError: missing })
  })

  test('is waited for if it was there, since it comes back with its server', () => {
    const waiting = after(risen(UNIX), lost(), planned(4, 0))
    shows(after(waited(waiting), resolved, failed(missing)), PLANNING, ['rest', 'plan'], {
      lastError: missing,
    })
  })

  test('does not end a connection to a host, whose error only has the same code', () => {
    shows(after(begun(), resolved, failed(missing)), PLANNING, ['rest', 'plan'])
  })
})

describe('a retry', () => {
  test('waits as long as was planned, and remembers how many may follow', () => {
    const life = after(begun(), failed(refusal), planned(4, 1500))
    shows(life, 'not_connected.waiting', ['wait'], { retriesLeft: 4, retryDelay: 1500 })
  })

  test('begins with the lookup of the name once that time is over, and remembers why it is made', () => {
    const life = after(begun(), failed(refusal), planned(4, 1500))
    shows(waited(life), 'domain_lookup', ['lookUp'], { lastError: refusal, retriesLeft: 4 })
  })

  test('that fails while none is left is the last', () => {
    const waiting = after(begun(HOST, 1), failed(refusal), planned(0, 0))
    const last = after(waited(waiting), failed(missing))
    shows(last, 'terminated', ['rest', 'terminate'], { lastError: missing, retriesLeft: 0 })
  })

  test('that succeeds forgets why the attempt before failed', () => {
    const waiting = after(begun(), failed(refusal), planned(4, 0))
    shows(after(waited(waiting), resolved, connected), ACCEPTING, ['rise', 'accept'], {
      lastError: undefined,
      retriesLeft: 4,
    })
  })

  test('does not follow where nothing is left to plan: the error of the attempt stays', () => {
    const life = after(begun(), failed(refusal), spent())
    shows(life, 'terminated', ['terminate'], { lastError: refusal, ending: undefined })
  })

  test('does not follow a retryFun that is wrong: its error is told', () => {
    const life = after(begun(), failed(refusal), spent(permanent))
    shows(life, 'terminated', ['terminate'], { lastError: permanent, ending: undefined })
  })
})

describe('a connection that is lost', () => {
  test('tells of the loss before the next attempt is planned, and remembers why', () => {
    shows(after(risen(), lost(refusal)), PLANNING, ['fall', 'plan'], {
      lastError: refusal,
      setback: 'loss',
      hasBeenUp: true,
    })
  })

  test('in order has no error', () => {
    shows(after(risen(), lost()), PLANNING, ['fall', 'plan'], { lastError: undefined, setback: 'loss' })
  })

  test('has its retries again, however many attempts it took', () => {
    const waiting = after(begun(HOST, 1), failed(refusal), planned(0, 0))
    const up = after(waited(waiting), resolved, connected)
    shows(after(up, lost(refusal)), PLANNING, ['fall', 'plan'], { retry: 1, retriesLeft: 0 })
  })

  test('before it was of use counts as a failed attempt', () => {
    shows(after(risen(), hungUp()), PLANNING, ['fall', 'plan'], { setback: 'hang-up', retriesLeft: 5 })
  })

  test('before it was of use, behind the last retry, ends', () => {
    const waiting = after(begun(HOST, 1), failed(refusal), planned(0, 0))
    const up = after(waited(waiting), resolved, connected)
    shows(after(up, hungUp()), 'terminated', ['fall', 'terminate'], { setback: 'hang-up', ending: undefined })
  })

  test('without retries ends', () => {
    shows(after(risen(HOST, 0), lost(refusal)), 'terminated', ['fall', 'terminate'], { lastError: refusal })
  })

  test('for good ends', () => {
    shows(after(risen(), lost(permanent)), 'terminated', ['fall', 'terminate'], { lastError: permanent })
  })

  test('while it closes tells of the loss as well', () => {
    shows(after(risen(), closing(10), lost(refusal)), PLANNING, ['fall', 'plan'], { lastError: refusal })
  })
})

describe('a protocol that closes', () => {
  test('is given its time, and nothing new begins', () => {
    const life = after(risen(), closing(15_000))
    shows(life, 'closing', ['retire', 'giveTime'], { closingTimeout: 15_000, ending: undefined })
    assert.deepEqual(life.tags, ['up'])
  })

  test('may be given another time', () => {
    shows(after(risen(), closing(15_000), closing(20)), 'closing', ['giveTime'], { closingTimeout: 20 })
  })

  test('by itself is followed by the next connection', () => {
    shows(after(risen(), closing(10), lost()), PLANNING, ['fall', 'plan'], { ending: undefined })
  })

  test('because the caller has sent a close frame is followed by nothing', () => {
    const life = after(risen(), closing(10, true))
    shows(life, 'closing', ['retire', 'giveTime'], { ending: { by: 'protocol' } })
    shows(after(life, lost()), 'terminated', ['fall', 'terminate'], { ending: { by: 'protocol' } })
  })

  test('by itself, and then because of a close frame of the caller, is followed by nothing', () => {
    shows(after(risen(), closing(10), closing(20, true)), 'closing', ['giveTime'], {
      ending: { by: 'protocol' },
      closingTimeout: 20,
    })
  })

  test('because the caller has shut down still ends because of that', () => {
    shows(after(risen(), shutdown, closing(10, true)), 'closing', ['retire', 'giveTime'], {
      ending: { by: 'shutdown' },
    })
  })

  test('is not asked to accept, to switch or to retire', () => {
    const life = after(risen(), closing(10))
    for (const event of [retired, ...switches]) isIgnored(life, event)
  })
})

describe('shutdown', () => {
  test('asks the protocol for an orderly end, and leaves the connection up until then', () => {
    const life = after(risen(), shutdown)
    shows(life, ACCEPTING, ['finish'], { ending: { by: 'shutdown' } })
    shows(after(life, lost()), 'terminated', ['fall', 'terminate'], { ending: { by: 'shutdown' } })
  })

  test('twice changes nothing', () => {
    const life = after(risen(), shutdown)
    isIgnored(life, shutdown)
    isIgnored(life, ownerExit)
  })

  test('twice changes nothing of a connection that closes', () => {
    const life = after(risen(), shutdown, closing(10))
    isIgnored(life, shutdown)
  })

  test('of the owner behind a close frame asks for an orderly end, because of the owner', () => {
    const life = after(risen(), closing(10, true), ownerExit)
    shows(life, 'closing', ['finish'], { ending: { by: 'owner', reason: 'normal' } })
  })

  test('behind a protocol that closes by itself lets nothing follow', () => {
    const life = after(risen(), closing(10), shutdown)
    shows(life, 'closing', ['finish'], { ending: { by: 'shutdown' } })
    shows(after(life, lost()), 'terminated', ['fall', 'terminate'])
  })

  for (const [state, life] of Object.entries(withoutSocket())) {
    test(`ends a connection in ${state} at once`, () => {
      assert.equal(life.state, state)
      shows(after(life, shutdown), 'terminated', ['terminate'], { ending: { by: 'shutdown' } })
    })

    test(`of the owner ends a connection in ${state} at once`, () => {
      shows(after(life, ownerExit), 'terminated', ['terminate'], {
        ending: { by: 'owner', reason: 'normal' },
      })
    })
  }
})

describe('close', () => {
  for (const [state, life] of Object.entries(withoutSocket())) {
    test(`ends a connection in ${state}, of which no stream has to be told`, () => {
      shows(after(life, close), 'terminated', ['terminate'], { ending: { by: 'close' } })
    })
  }

  for (const [state, life] of Object.entries(withSocket())) {
    test(`ends a connection in ${state}, and tells its streams before everybody else`, () => {
      assert.equal(life.state, state)
      shows(after(life, close), 'terminated', ['fall', 'terminate'], { ending: { by: 'close' } })
    })
  }

  test('behind a shutdown is why the connection ends', () => {
    shows(after(risen(), shutdown, close), 'terminated', ['fall', 'terminate'], { ending: { by: 'close' } })
  })

  test('twice changes nothing', () => {
    const life = after(risen(), close)
    for (const event of [close, shutdown]) isIgnored(life, event)
  })
})

const switches = (
  ['connected_no_input', 'connected_data_only', 'connected_ws_only', 'tls_handshake'] as const
).map(type => ({ type }))

function withoutSocket(): Readonly<Record<string, Life>> {
  return {
    domain_lookup: begun(TLS),
    connecting: after(begun(TLS), resolved),
    initial_tls_handshake: after(begun(TLS), resolved, connected),
    'not_connected.planning': after(begun(TLS), failed(refusal)),
    'not_connected.waiting': after(begun(TLS), failed(refusal), planned(4, 1000)),
  }
}

function withSocket(): Readonly<Record<string, Life>> {
  return {
    [ACCEPTING]: risen(),
    'connected.connected.leaving': after(risen(), retired),
    'connected.connected_no_input': after(risen(), { type: 'connected_no_input' }),
    'connected.connected_data_only.accepting': after(risen(), { type: 'connected_data_only' }),
    'connected.connected_data_only.leaving': after(risen(), { type: 'connected_data_only' }, retired),
    'connected.connected_ws_only.accepting': after(risen(), { type: 'connected_ws_only' }),
    'connected.connected_ws_only.leaving': after(risen(), { type: 'connected_ws_only' }, retired),
    'connected.tls_handshake': after(risen(), { type: 'tls_handshake' }),
    closing: after(risen(), closing(10)),
  }
}

describe('a protocol that takes over', () => {
  for (const [protocol, state, effect] of [
    ['raw', 'connected.connected_data_only.accepting', 'accept'],
    ['socks', 'connected.connected_no_input', 'retire'],
    ['http2', ACCEPTING, 'accept'],
  ] as const) {
    test(`${protocol} comes up as ${state}`, () => {
      shows(after(begun(), resolved, connectedIn(protocol)), state, ['rise', effect], { protocol })
      const arrived = { type: 'arrived', protocol } as const
      shows(after(leading(), arrived), state, ['rise', effect], { protocol })
    })
  }

  for (const type of ['connected_data_only', 'connected_ws_only'] as const) {
    test(`leaves the connection in ${type}, in which commands are carried out`, () => {
      const life = after(risen(), { type })
      shows(life, `connected.${type}.accepting`, ['accept'])
      assert.deepEqual(life.tags, ['accepting', 'up'])
    })

    test(`in ${type} begins nothing new once it is retired`, () => {
      const life = after(risen(), { type }, retired)
      shows(life, `connected.${type}.leaving`, ['retire'])
      assert.deepEqual(life.tags, ['up'])
    })

    test(`in ${type} begins nothing new either where the protocol before was retired`, () => {
      const life = after(risen(), retired, { type })
      shows(life, `connected.${type}.leaving`, ['retire'])
      assert.deepEqual(life.tags, ['up'])
    })
  }

  for (const type of ['connected_no_input', 'tls_handshake'] as const) {
    test(`leaves the connection in ${type}, in which commands wait`, () => {
      const life = after(risen(), { type })
      shows(life, `connected.${type}`, ['retire'])
      assert.deepEqual(life.tags, ['up'])
    })

    test(`in ${type} is followed by another, for which what has waited is carried out`, () => {
      const life = after(risen(), { type }, connected)
      shows(life, ACCEPTING, ['accept'])
      assert.deepEqual(life.tags, ['accepting', 'up'])
    })

    test(`in ${type} may be followed by one that sends bytes alone, for which what has waited is carried out`, () => {
      const life = after(risen(), { type }, { type: 'connected_data_only' })
      shows(life, 'connected.connected_data_only.accepting', ['accept'])
    })

    test(`in ${type} has no streams of its own to retire`, () => {
      const life = after(risen(), { type })
      isIgnored(life, retired)
    })
  }

  test('agrees on TLS behind a tunnel that is made', () => {
    const life = after(risen(), { type: 'connected_no_input' }, { type: 'tls_handshake' })
    shows(life, 'connected.tls_handshake', ['retire'])
    shows(after(life, connected), ACCEPTING, ['accept'])
  })

  for (const [state, life] of Object.entries(withSocket())) {
    test(`may close, or be lost, in ${state}`, () => {
      shows(after(life, lost(refusal)), PLANNING, ['fall', 'plan'], { lastError: refusal })
      if (state === 'closing') return
      shows(after(life, closing(10)), 'closing', ['retire', 'giveTime'], { closingTimeout: 10 })
    })

    test(`is asked for an orderly end in ${state}, which changes no state`, () => {
      shows(after(life, shutdown), state, ['finish'], { ending: { by: 'shutdown' } })
    })
  }
})

describe('a protocol that is retired', () => {
  test('goes on with what has begun, and begins nothing new', () => {
    const life = after(risen(), retired)
    shows(life, 'connected.connected.leaving', ['retire'])
    assert.deepEqual(life.tags, ['up'])
  })

  test('twice changes nothing', () => {
    const life = after(risen(), retired)
    isIgnored(life, retired)
  })

  test('is followed by a connection that begins streams again', () => {
    const waiting = after(risen(), retired, lost(), planned(4, 0))
    shows(after(waited(waiting), resolved, connected), ACCEPTING, ['rise', 'accept'])
  })
})

describe('a connection that is terminated', () => {
  test('shows no permission', () => {
    const { snapshot, tags } = after(risen(), close)
    assert.equal(snapshot.status, 'done')
    assert.deepEqual(tags, [])
  })
})

describe('a way through proxies', () => {
  const again: ConnectionEvent = { type: 'again' }

  test('is made over the connection to the first one', () => {
    shows(leading(), 'initial_tunnel', ['lead'], { hasBeenUp: false })
  })

  test('begins anew without a retry', () => {
    shows(after(leading(), again), 'domain_lookup', ['lookUp'], { retriesLeft: 5 })
    shows(after(leading(), again, resolved, connected, connected), 'initial_tunnel', ['lead'])
  })

  test('that fails is followed by another attempt', () => {
    shows(after(leading(), failed(refusal)), PLANNING, ['rest', 'plan'], {
      lastError: refusal,
      setback: 'attempt',
    })
    shows(after(leading(), failed(permanent)), 'terminated', ['rest', 'terminate'], { lastError: permanent })
  })

  test('ends at once, whoever asks for that', () => {
    for (const event of [close, shutdown, ownerExit])
      shows(after(leading(), event), 'terminated', ['terminate'])
  })
})
