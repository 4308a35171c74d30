// A timeline makes bars of what begins and ends, and points of everything else.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Happening } from '../../src/looking/connection-events.ts'
import { Timeline } from '../../src/looking/timeline.ts'

const streamRef = { toString: () => '#Stream<1>' }
const event = (at: number, name: string, what: object = {}): Happening => ({ at, kind: 'event', name, what })
const message = (at: number, name: string, what: object = {}): Happening => ({
  at,
  kind: 'message',
  name,
  what,
})
const state = (at: number, name: string): Happening => ({
  at,
  kind: 'state',
  name: 'state',
  what: { state: name },
})

function spansOf(...happenings: readonly Happening[]): unknown[] {
  const timeline = new Timeline()
  for (const happening of happenings) timeline.add(happening)
  return timeline.spans.map(({ lane, name, from, to, failed }) => [lane, name, from, to, failed])
}

describe('a timeline', () => {
  test('has a bar from each start to its end, in the lane of the connection or the stream', () => {
    assert.deepEqual(
      spansOf(
        event(1, 'domainLookupStart'),
        event(2, 'domainLookupEnd'),
        event(3, 'requestStart', { streamRef }),
        event(5, 'requestEnd', { streamRef }),
        event(6, 'responseStart', { streamRef }),
      ),
      [
        ['connection', 'look-up', 1, 2, false],
        ['#Stream<1>', 'request', 3, 5, false],
        ['#Stream<1>', 'response', 6, undefined, false],
      ],
    )
  })

  test('marks what has failed, and ends the bars of a stream with its error', () => {
    assert.deepEqual(
      spansOf(
        event(1, 'connectStart'),
        event(2, 'connectEnd', { error: new Error('refused') }),
        event(3, 'responseStart', { streamRef }),
        message(4, 'gun_error', { streamRef, reason: new Error('lost') }),
      ),
      [
        ['connection', 'connect', 1, 2, true],
        ['#Stream<1>', 'response', 3, 4, true],
        ['#Stream<1>', 'error', 4, 4, true],
      ],
    )
  })

  test('ends all bars but that of the state when the connection is lost', () => {
    assert.deepEqual(
      spansOf(
        state(1, 'connected'),
        event(2, 'requestStart', { streamRef }),
        event(3, 'disconnect', { reason: new Error('lost') }),
        state(4, 'not_connected'),
      ),
      [
        ['connection', 'state', 1, 4, false],
        ['#Stream<1>', 'request', 2, 3, true],
        ['connection', 'disconnect', 3, 3, true],
        ['connection', 'state', 4, undefined, false],
      ],
    )
  })

  test('shows an end whose start nobody has heard as a point', () => {
    assert.deepEqual(spansOf(event(7, 'responseEnd', { streamRef })), [
      ['#Stream<1>', 'response', 7, 7, false],
    ])
  })

  test('ends its bars where something may have happened that nobody has heard', () => {
    const timeline = new Timeline()
    timeline.add(state(1, 'connected'))
    timeline.add(event(2, 'requestStart', { streamRef }))
    timeline.lapse(5, 'connected')
    assert.deepEqual(
      timeline.spans.map(({ name, to, failed }) => [name, to, failed]),
      [
        ['state', undefined, false],
        ['request', 5, false],
      ],
    )
    timeline.lapse(6, 'closing')
    assert.deepEqual(timeline.spans.at(-1)?.text, '{ state: "closing" }')
  })

  test('keeps the latest of very many spans, each with its own key', () => {
    const timeline = new Timeline()
    for (let at = 0; at < 5000; at++)
      timeline.add(event(at, 'wsSendFrameEnd', { streamRef, frame: ['text', `${at}`] }))
    const { spans } = timeline
    assert.ok(spans.length <= 600)
    assert.match(spans.at(-1)?.text ?? '', /4999/)
    assert.equal(new Set(spans.map(({ key }) => key)).size, spans.length)
  })
})
