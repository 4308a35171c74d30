/** Every state that a connection can reach, with every context that it can have there, and every event in each of them. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ConnectionInput } from '../../src/connection/beginning.ts'
import { Course } from '../../src/connection/course.ts'
import type { ConnectionEvent, Effect } from '../../src/connection/events.ts'
import { connectionMachine } from '../../src/connection/machine.ts'
import { isHopeless } from '../../src/connection/reconnect.ts'
import { type State, tableOf } from '../../src/connection/table.ts'
import {
  after,
  again,
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
  shutdown,
  spent,
  TLS,
  UNIX,
} from '../support/life.ts'

/** Each event, with each content on which the machine may decide. */
const events: Readonly<Record<ConnectionEvent['type'], readonly ConnectionEvent[]>> = {
  resolved: [resolved],
  connected: [connected, connectedIn('raw'), connectedIn('socks')],
  failed: [refusal, missing, permanent].map(failed),
  arrived: [{ type: 'arrived', protocol: 'http' }],
  again: [again],
  connected_no_input: [{ type: 'connected_no_input' }],
  connected_data_only: [{ type: 'connected_data_only' }],
  connected_ws_only: [{ type: 'connected_ws_only' }],
  tls_handshake: [{ type: 'tls_handshake' }],
  retired: [retired],
  closing: [closing(0), closing(10, true)],
  lost: [lost(), lost(refusal), lost(permanent), hungUp(), hungUp(refusal)],
  planned: [planned(0, 0), planned(1, 0)],
  spent: [spent(), spent(permanent)],
  shutdown: [shutdown, ownerExit],
  close: [close],
}

/** One event in one state, and what it leads to. */
interface Step {
  readonly before: Life
  readonly event: ConnectionEvent
  readonly next: Life
}

function stepsFrom(input: ConnectionInput, retry: number): readonly Step[] {
  const start = begun(input, retry)
  const known = new Map([[keyOf(start), start]])
  const steps: Step[] = []
  // What is added meanwhile is visited as well.
  for (const before of known.values()) {
    for (const event of Object.values(events).flat()) {
      const next = after(before, event)
      steps.push({ before, event, next })
      const key = keyOf(next)
      if (isChange({ before, event, next }) && !known.has(key)) known.set(key, next)
    }
  }
  return steps
}

function isChange({ before, next }: Step): boolean {
  return before.snapshot !== next.snapshot
}

/** Two lives of one key have the same future. */
function keyOf({ state, context: { connPid, ...context } }: Life): string {
  return JSON.stringify([state, context], (_, value) => (value instanceof Error ? value.message : value))
}

/** The names of the innermost states, as `state` gives them. */
function leavesOf(node: typeof connectionMachine.root, path: readonly string[] = []): readonly string[] {
  const inner = Object.values(node.states)
  return inner.length === 0 ? [path.join('.')] : inner.flatMap(each => leavesOf(each, [...path, each.key]))
}

/** A state, and those around it, the outermost first. */
function pathsTo(state: string): readonly string[] {
  const names = state.split('.')
  return names.map((_, at) => names.slice(0, at + 1).join('.'))
}

function isUp({ tags }: Life): boolean {
  return tags.includes('up')
}

function accepts({ tags }: Life): boolean {
  return tags.includes('accepting')
}

/** Checks each step of the connections that `all` holds; a failure says which state and which event. */
function everyStep(check: (step: Step) => void): void {
  for (const step of all) {
    try {
      check(step)
    } catch (error) {
      const { before, event, next } = step
      const way = `${event.type} in ${before.state} leads to ${next.state} with ${next.effects.join(', ')}`
      throw new Error(`${way}, from ${keyOf(before)}`, { cause: error })
    }
  }
}

const all = [
  ...[0, 1].flatMap(retry => stepsFrom(HOST, retry)),
  ...[TLS, UNIX, PROXIED].flatMap(input => stepsFrom(input, 1)),
]

describe('from every state, with every event', () => {
  test('each state of the machine is reached, but those in which it only decides', () => {
    const reached = new Set(all.flatMap(({ before, next }) => [before.state, next.state]))
    const leaves = leavesOf(connectionMachine.root).filter(
      state => !['not_connected.deciding', 'connected.rising'].includes(state),
    )
    assert.deepEqual([...reached].sort(), [...leaves].sort())
  })

  test('each event matters in some state', () => {
    const matter = new Set(all.filter(isChange).map(({ event }) => event.type))
    for (const type of Object.keys(events)) assert.ok(matter.has(type as ConnectionEvent['type']), type)
  })

  test('close terminates', () => {
    everyStep(({ event, next }) => {
      if (event.type === 'close') assert.equal(next.state, 'terminated')
    })
  })

  test('a shutdown that may end terminates, at once or once the protocol has ended', () => {
    everyStep(({ before: { context, state, ...before }, event, next }) => {
      if (event.type !== 'shutdown' || state === 'terminated') return
      const mayEnd = context.ending === undefined || context.ending.by === 'protocol'
      const isAsked = mayEnd && before.tags.includes('up')
      assert.deepEqual(next.context.ending, mayEnd ? event.ending : context.ending)
      if (isAsked) assert.deepEqual(next.effects, ['finish'])
      if (next.state !== 'terminated') assert.equal(after(next, lost()).state, 'terminated')
    })
  })

  test('whoever has decided on the end is not forgotten, and nothing is connected again', () => {
    everyStep(({ before, next }) => {
      if (before.context.ending === undefined) return
      assert.ok(isUp(next) || next.state === 'terminated')
      assert.notEqual(next.context.ending, undefined)
    })
  })

  test('a connection without a socket that goes on has no end that was decided', () => {
    everyStep(({ next }) => {
      if (!isUp(next) && next.state !== 'terminated') assert.equal(next.context.ending, undefined)
    })
  })

  test('a terminated connection ignores everything', () => {
    everyStep(step => {
      if (step.before.state === 'terminated') assert.ok(!isChange(step) && step.next.effects.length === 0)
    })
  })
})

describe('what the connection does on every event', () => {
  /** Whether an effect is named just once, where it should be, and never otherwise. */
  function isNamed(effect: Effect, { effects }: Life, isDue: boolean): void {
    assert.deepEqual(
      effects.filter(each => each === effect),
      isDue ? [effect] : [],
    )
  }

  test('begins once', () => {
    everyStep(({ next }) => isNamed('begin', next, false))
  })

  test('rises with a socket, and only so has one', () => {
    everyStep(({ before, event, next }) => {
      const rises = isUp(next) && !isUp(before)
      isNamed('rise', next, rises)
      if (rises) assert.ok(['connected', 'arrived'].includes(event.type) && next.effects[0] === 'rise')
    })
  })

  test('falls, before everything else, when it has no socket any more', () => {
    everyStep(({ before, next }) => {
      const falls = isUp(before) && !isUp(next)
      isNamed('fall', next, falls)
      if (falls) assert.equal(next.effects[0], 'fall')
    })
  })

  test('rests, before everything else, when an attempt has failed', () => {
    everyStep(step => {
      const { event, next } = step
      const rests = event.type === 'failed' && isChange(step)
      isNamed('rest', next, rests)
      if (rests) assert.equal(next.effects[0], 'rest')
    })
  })

  test('terminates once, behind everything else', () => {
    everyStep(({ before, next }) => {
      const ends = before.state !== 'terminated' && next.state === 'terminated'
      isNamed('terminate', next, ends)
      if (ends) assert.equal(next.effects.at(-1), 'terminate')
    })
  })

  test('plans the next attempt behind everything else, unless nothing may follow', () => {
    everyStep(({ before, next }) => {
      const plans = next.state === 'not_connected.planning' && before.state !== next.state
      isNamed('plan', next, plans)
      if (!plans) return
      assert.equal(next.effects.at(-1), 'plan')
      assert.equal(isHopeless(next.context), false)
      const { setback, retry, retriesLeft } = next.context
      assert.ok((setback === 'loss' ? retry : retriesLeft) > 0)
    })
  })

  test('waits for the next attempt, behind everything else, once that is planned', () => {
    everyStep(step => {
      const { event, next } = step
      const waits = isChange(step) && next.state === 'not_connected.waiting'
      isNamed('wait', next, waits)
      if (waits) assert.deepEqual([event.type, next.effects.at(-1)], ['planned', 'wait'])
    })
  })

  test('takes one step of the attempt in each of its states', () => {
    const stepOf: Readonly<Record<string, Effect>> = {
      domain_lookup: 'lookUp',
      connecting: 'connect',
      initial_tls_handshake: 'shakeHands',
    }
    everyStep(({ before, next }) => {
      for (const [state, effect] of Object.entries(stepOf)) {
        isNamed(effect, next, next.state === state && before.state !== state)
      }
    })
  })

  test('carries out commands exactly where the state shows that it does', () => {
    everyStep(({ before, next }) => {
      let takes = accepts(before)
      for (const effect of next.effects) {
        if (effect === 'accept') takes = true
        if (effect === 'retire' || effect === 'fall') takes = false
      }
      assert.equal(takes, accepts(next))
    })
  })

  test('carries out commands only with a socket', () => {
    everyStep(({ next }) => assert.ok(isUp(next) || !accepts(next)))
  })

  test('carries out nothing new behind a retired', () => {
    everyStep(({ before, next }) => {
      if (before.state.endsWith('.leaving')) assert.equal(accepts(next), false)
    })
  })

  test('gives the protocol its time on every word that it closes', () => {
    everyStep(step => {
      const { event, next } = step
      isNamed('giveTime', next, event.type === 'closing' && isChange(step))
      if (event.type === 'closing' && isChange(step)) assert.equal(next.context.closingTimeout, event.timeout)
    })
  })
})

/** The states of the table that can be reached from one, by xstate's ids. */
function statesFrom(state: State, known = new Map<string, State>()): ReadonlyMap<string, State> {
  if (known.has(state.id)) return known
  known.set(state.id, state)
  for (const { next } of [...state.always, ...[...state.on.values()].flat()]) statesFrom(next, known)
  return known
}

describe('the course of a connection, by the table of the machine', () => {
  const start = tableOf(connectionMachine.root)
  const states = statesFrom(start)

  /** A course that has come to a state with a context, and what it names from then on. */
  function courseAt({ state, context }: Life): {
    readonly course: Course
    readonly named: [Effect, ConnectionEvent][]
  } {
    const named: [Effect, ConnectionEvent][] = []
    const effects = {
      perform: (effects: readonly Effect[], event: ConnectionEvent) => {
        for (const effect of effects) named.push([effect, event])
      },
    }
    const onBroken = (cause: unknown) => {
      throw cause
    }
    const next = states.get(`gun.${state}`)
    assert.ok(next, state)
    const course = new Course({ ...start, always: [{ guard: undefined, notes: [], effects: [], next }] })
    course.begin({ effects, onBroken }, { ...context })
    return { course, named }
  }

  test('begins as the machine does', () => {
    for (const input of [HOST, TLS, UNIX, PROXIED]) {
      const life = begun(input)
      const named: Effect[] = []
      const effects = { perform: (effects: readonly Effect[]) => named.push(...effects) }
      const course = new Course(start)
      course.begin({ effects, onBroken: assert.ifError }, { ...life.context })
      assert.deepEqual([course.stateName, named], [life.state, life.effects])
    }
  })

  test('leads on every event where the machine leads, with the same context and the same effects', () => {
    everyStep(({ before, event, next }) => {
      const { course, named } = courseAt(before)
      course.send(event)
      assert.deepEqual(
        named,
        next.effects.map(effect => [effect, event]),
      )
      assert.deepEqual(course.context, next.context)
      assert.equal(course.isAccepting, accepts(next))
      const [outermost = '', inner] = next.state.split('.')
      assert.equal(course.stateName, outermost === 'connected' ? inner : outermost)
      assert.deepEqual(course.states, pathsTo(next.state))
    })
  })

  test('takes an event that comes within another behind the effects of that', () => {
    const told: string[] = []
    const course = new Course(start)
    const effects = {
      perform: (effects: readonly Effect[]) => {
        if (effects.includes('connect')) course.send(connected)
        told.push(...effects, course.stateName)
      },
    }
    course.begin({ effects, onBroken: assert.ifError }, begun().context)
    course.send(resolved)
    assert.deepEqual(told, [
      'begin',
      'lookUp',
      'domain_lookup',
      'connect',
      'connecting',
      'rise',
      'accept',
      'connected',
    ])
  })

  test('tells of an effect that fails', () => {
    const boom = new Error('boom')
    const broken: unknown[] = []
    const course = new Course(start)
    const effects = {
      perform: () => {
        throw boom
      },
    }
    course.begin({ effects, onBroken: cause => broken.push(cause) }, begun().context)
    assert.deepEqual(broken, [boom])
  })
})
