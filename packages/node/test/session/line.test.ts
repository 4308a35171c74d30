// Sessions bring each signal once and in order, or end on both sides; after that a new one begins.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { runs } from '../../../../test/support/runs.ts'
import { makeHello } from '../../src/session/hello.ts'
import { HEADER, makeWords, Type } from '../../src/session/packet.ts'
import { TwoLines } from '../support/two-lines.ts'

/** Both lines with a session that is up. */
function connected(...options: ConstructorParameters<typeof TwoLines>): TwoLines {
  const lines = new TwoLines(...options)
  lines.begin()
  lines.settle()
  assert.deepEqual([lines.one.story, lines.two.story], [['up'], ['up']])
  return lines
}

describe('two lines', () => {
  test('come up, and come to rest', () => {
    connected()
  })

  test('bring signals in order', async () => {
    const lines = connected()
    const words = Array.from({ length: 100 }, (_, index) => `word ${index}`)
    for (const word of words) lines.one.write(word)
    await turn()
    lines.settle()
    assert.deepEqual(lines.two.story, ['up', ...words])
  })

  test('bring a signal that is longer than a packet', async () => {
    const lines = connected({ maxBytes: 100 })
    const long = 'x'.repeat(1000)
    lines.one.write('short')
    lines.one.write(long)
    lines.one.write('short again')
    await turn()
    lines.settle()
    assert.deepEqual(lines.two.story, ['up', 'short', long, 'short again'])
  })

  test('count the packets of signals and their bytes, and what is under way and waits', async () => {
    const lines = connected({ window: 1000, maxBytes: 1000 })
    for (let left = 3; left > 0; left--) lines.one.write('x'.repeat(899))
    lines.one.session?.hurry()
    const { since, ...facts } = lines.one.line.facts ?? assert.fail('there is no session')
    assert.ok(since <= Date.now())
    // A packet is sent while anything of the window is left.
    assert.deepEqual(facts, {
      node: 'two',
      sent: 2,
      received: 0,
      bytesSent: 2 * (HEADER + 900),
      bytesReceived: 0,
      underWay: 1800,
      waiting: 900,
      window: 1000,
    })
    await turn()
    lines.settle()
    assert.deepEqual(lines.two.line.facts?.received, 3)
    assert.deepEqual(lines.two.line.facts?.bytesReceived, 3 * (HEADER + 900))
    assert.deepEqual([lines.one.line.facts?.underWay, lines.one.line.facts?.waiting], [0, 0])
  })

  test('have nothing to tell before their session is up, and once it is over', () => {
    const lines = new TwoLines()
    assert.equal(lines.one.line.facts, undefined)
    lines.begin()
    lines.settle()
    assert.notEqual(lines.one.line.facts, undefined)
    lines.one.line.close('stopped')
    assert.equal(lines.one.line.facts, undefined)
  })

  test('notice a packet that was lost by the next one, on both sides', async () => {
    const lines = connected()
    lines.one.write('lost')
    await turn()
    lines.lose(lines.one)
    lines.one.write('next')
    await turn()
    lines.settle()
    assert.deepEqual(lines.two.story, ['up', 'down: gap', 'up'])
    assert.deepEqual(lines.one.story, ['up', 'down: gap', 'up'])
  })

  test('notice that the last packet was lost by the next beat', async () => {
    const lines = connected()
    lines.one.write('lost')
    await turn()
    lines.lose(lines.one)
    lines.one.line.tick()
    lines.settle()
    assert.deepEqual(lines.two.story, ['up', 'down: gap', 'up'])
    assert.deepEqual(lines.one.story, ['up', 'down: gap', 'up'])
  })

  test('notice silence, and begin anew', () => {
    const lines = connected({ tickTime: -1 })
    lines.one.line.tick()
    lines.settle()
    assert.deepEqual(lines.one.story, ['up', 'down: silent', 'up'])
    assert.deepEqual(lines.two.story, ['up', 'down: silent', 'up'])
  })

  test('begin anew though the goodbye was lost', () => {
    const lines = connected({ tickTime: -1 })
    lines.one.line.tick()
    lines.lose(lines.one)
    lines.settle()
    assert.deepEqual(lines.one.story, ['up', 'down: silent', 'up'])
    assert.deepEqual(lines.two.story, ['up', 'down: restarted', 'up'])
  })

  test('come up though the first words were lost', () => {
    const lines = new TwoLines()
    lines.begin()
    while (lines.lose(lines.one) || lines.lose(lines.two));
    lines.one.line.tick()
    lines.settle()
    assert.deepEqual([lines.one.story, lines.two.story], [['up'], ['up']])
  })

  test('come up though two hellos were lost, and only the proof behind them has come', () => {
    const lines = new TwoLines()
    const { one, two } = lines
    lines.begin()
    lines.deliver(one)
    while (lines.deliver(two));
    assert.deepEqual(one.story, ['up'])
    // The second line begins anew, and then gets an answer that was for its first session.
    two.hearNothing()
    lines.lose(two)
    while (lines.deliver(one));
    lines.deliver(two)
    assert.deepEqual(one.story, ['up', 'down: restarted'])
    // The hello of the first line, and its answer.
    lines.lose(one)
    lines.lose(one)
    lines.settle()
    two.line.tick()
    lines.settle()
    assert.deepEqual([one.refusals, two.refusals], [[], []])
    assert.deepEqual(one.story, ['up', 'down: restarted', 'up'])
    assert.deepEqual(two.story, ['up'])
  })

  test('hand nothing on behind the end of a session, which a count that cannot be is', async () => {
    const lines = connected()
    lines.one.write('word')
    await turn()
    const parcel = lines.one.wire.shift() ?? assert.fail('there is no packet')
    const packet = Buffer.from(parcel.bytes)
    // The peer cannot have received packets that were never sent.
    packet.writeUInt32LE(7, HEADER - 4)
    lines.two.line.onParcel({ bytes: packet, moved: [] })
    lines.settle()
    assert.deepEqual(lines.two.story, ['up', 'down: gap', 'up'])
    assert.deepEqual(lines.one.story, ['up', 'down: gap', 'up'])
  })

  test('stay silent after an orderly goodbye until the other side speaks', async () => {
    const lines = connected()
    lines.one.write('last')
    lines.one.line.close('stopped')
    lines.settle()
    assert.deepEqual(lines.two.story, ['up', 'last', 'down: stopped'])
    assert.equal(lines.two.wire.length, 0)
  })

  test('stay silent after a goodbye though a hello from before it comes late', () => {
    const lines = new TwoLines()
    lines.begin()
    const [hello] = lines.two.wire
    lines.settle()
    lines.one.session?.goodbye('disconnected')
    lines.settle()
    if (hello !== undefined) lines.two.wire.push(hello)
    for (let i = 0; i < 3; i++) {
      lines.settle()
      lines.one.line.tick()
      lines.two.line.tick()
    }
    lines.settle()
    assert.deepEqual(lines.one.story, ['up', 'down: disconnected'])
    assert.deepEqual(lines.two.story, ['up', 'down: disconnected'])
  })

  test('refuse each other by name where their cookies differ', () => {
    const lines = new TwoLines({}, { cookie: 'quite another one' })
    lines.begin()
    lines.settle()
    assert.deepEqual([lines.one.story, lines.two.story], [[], []])
    for (const side of [lines.one, lines.two]) {
      assert.equal(side.refusals.length, 1)
      assert.match(String(side.refusals[0]), /'(one|two)' and '(one|two)' have different cookies/)
    }
  })

  test('refuse a peer again that has not heard of it', () => {
    const lines = new TwoLines()
    const { one, two } = lines
    two.refuse = 'the cluster is full'
    lines.begin()
    lines.deliver(one)
    while (lines.lose(two));
    assert.deepEqual([one.refusals, two.refusals], [[], ['the cluster is full']])
    one.line.tick()
    lines.settle()
    assert.deepEqual([one.refusals, two.refusals], [['the cluster is full'], ['the cluster is full']])
    assert.deepEqual([one.refused, two.refused], [['the peer of one'], ['one']])
    for (const side of [one, two]) side.line.tick()
    assert.deepEqual([one.wire, two.wire], [[], []])
  })

  test('refuse another version by name', () => {
    const lines = new TwoLines()
    lines.one.line.begin()
    const hello = { ...makeHello({ name: 'old', incarnation: 'x' }, 4000), version: 99 }
    lines.one.line.onParcel({ bytes: makeWords(Type.hello, hello), moved: [] })
    assert.deepEqual(lines.one.refused, ['old'])
    assert.deepEqual(lines.one.refusals, [
      "'old' speaks version 99 of the protocol, and 'one' speaks version 1",
    ])
    const answers = lines.one.wire.map(({ bytes }) => bytes[0])
    assert.equal(answers.at(-1), Type.refuse)
  })

  test('ignore what is no packet', () => {
    const lines = connected()
    for (const bytes of [
      [],
      [0],
      [9, 9],
      [Type.hello],
      [Type.hello, 0x7b],
      [Type.data],
      [Type.bye, 0x31],
      [Type.proof],
    ]) {
      lines.one.line.onParcel({ bytes: new Uint8Array(bytes), moved: [] })
    }
    assert.deepEqual(lines.one.story, ['up'])
  })

  test('send no more than the window ahead of what has arrived, and say when too much waits', async () => {
    const lines = connected({ window: 4000 })
    const words = Array.from({ length: 3000 }, (_, index) => `${'y'.repeat(900)} ${index}`)
    for (const word of words) lines.one.write(word)
    const underWay = () => lines.one.wire.reduce((sum, { bytes }) => sum + bytes.length, 0)
    assert.ok(underWay() < 6000, `${underWay()} bytes are under way`)
    assert.equal(lines.one.isCongested, true)
    lines.settle()
    assert.equal(lines.one.isCongested, false)
    assert.deepEqual(lines.two.story, ['up', ...words])
  })

  test('acknowledge what has come before the smaller window of the other side is full', () => {
    const lines = connected({ window: 4000 }, { window: 1024 * 1024 })
    const words = Array.from({ length: 100 }, (_, index) => `${'y'.repeat(900)} ${index}`)
    for (const word of words) lines.one.write(word)
    lines.one.session?.hurry()
    lines.settle()
    assert.deepEqual(lines.two.story, ['up', ...words])
  })
})

type Act =
  | readonly ['write' | 'deliver' | 'lose' | 'tick' | 'hear nothing', 'one' | 'two']
  | readonly ['turn']

const sides = fc.constantFrom('one' as const, 'two' as const)
const acts = fc.array(
  fc.oneof(
    { weight: 12, arbitrary: fc.tuple(fc.constant('write' as const), sides) },
    { weight: 16, arbitrary: fc.tuple(fc.constant('deliver' as const), sides) },
    { weight: 4, arbitrary: fc.tuple(fc.constant('lose' as const), sides) },
    { weight: 2, arbitrary: fc.tuple(fc.constant('tick' as const), sides) },
    { weight: 1, arbitrary: fc.tuple(fc.constant('hear nothing' as const), sides) },
    { weight: 8, arbitrary: fc.tuple(fc.constant('turn' as const)) },
  ),
  { minLength: 40, maxLength: 200 },
)

/** Cases that have failed. */
const examples: [Act[]][] = [
  // A proof arrived whose hello was lost, after the late answer of an earlier session.
  [
    actsOf(
      'write two, turn, lose two, write two, turn, deliver two, deliver one, deliver one, deliver two, deliver one, lose two',
      'deliver two, tick two, write one, deliver one, turn, lose one, tick one, deliver two, deliver one, lose two, deliver one',
      'deliver one, deliver two, lose one, lose one',
    ),
  ],
]

test('whatever is lost, what arrives in one session is what was sent in it, from its beginning and without a gap', async () => {
  const property = fc.asyncProperty(acts, async (acts: readonly Act[]) => {
    const lines = new TwoLines({ maxBytes: 40, window: 100 })
    lines.begin()
    lines.settle()
    let number = 0
    const sent = { one: [[]] as string[][], two: [[]] as string[][] }
    for (const [act, name = 'one'] of acts) {
      const side = lines[name]
      if (act === 'turn') await turn()
      if (act === 'deliver') lines.deliver(side)
      if (act === 'lose') lines.lose(side)
      if (act === 'tick') side.line.tick()
      if (act === 'hear nothing') side.hearNothing()
      if (act === 'write' && side.session !== undefined) {
        const word = `${side.identity.name}${number++}${'z'.repeat(number % 60)}`
        const session = sessionsOf(side.story).length - 1
        sent[name][session] ??= []
        sent[name][session]?.push(word)
        side.write(word)
      }
    }
    for (let rest = 0; rest < 5; rest++) {
      await turn()
      lines.settle()
      lines.one.line.tick()
      lines.two.line.tick()
    }
    await turn()
    lines.settle()
    for (const side of [lines.one, lines.two]) {
      assert.deepEqual(side.refusals, [])
      assert.ok(side.session !== undefined, 'both are up in the end')
      const changes = side.story.filter(word => word === 'up' || word.startsWith('down'))
      assert.ok(changes.every((word, index) => (word === 'up') === (index % 2 === 0)))
    }
    for (const [from, to] of [
      ['one', 'two'],
      ['two', 'one'],
    ] as const) {
      const wanted = Array.from(sent[from], words => (words ?? []).join())
      const sessions = sessionsOf(lines[to].story)
      let next = 0
      for (const words of sessions.filter(words => words !== '')) {
        const found = wanted.findIndex((all, index) => index >= next && `${all},`.startsWith(`${words},`))
        assert.ok(found >= 0, `${words} is the start of none of ${wanted.slice(next).join(' | ')}`)
        next = found + 1
      }
      // In the last session nothing is lost any more.
      assert.equal(sessions.at(-1), wanted[sessionsOf(lines[from].story).length - 1] ?? '')
    }
  })
  await fc.assert(property, { ...runs(300), examples, includeErrorInReport: true })
})

/** Reads acts, such as `deliver one, turn`. */
function actsOf(...lines: readonly string[]): Act[] {
  return lines.flatMap(line => line.split(', ')).map(act => act.split(/ (?=one$|two$)/) as unknown as Act)
}

/** Gives the words of each session, joined. */
function sessionsOf(story: readonly string[]): string[] {
  const sessions: string[][] = []
  for (const word of story) {
    if (word === 'up') sessions.push([])
    else if (!word.startsWith('down')) sessions.at(-1)?.push(word)
  }
  return sessions.map(words => words.join())
}
