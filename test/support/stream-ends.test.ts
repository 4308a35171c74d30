// The checker of stream ends: it has nothing against any right order of messages, and names what is wrong with any other.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as gun from '@holster/gun'
import { StreamEnds } from './stream-ends.ts'

describe('the checker of ends', () => {
  const connPid = gun.open('localhost', 1, { retry: 0 })
  gun.close(connPid)
  const up = { type: 'gun_up', connPid, protocol: 'http' } as const
  const down = { type: 'gun_down', connPid, protocol: 'http', reason: 'normal', killedStreams: [] } as const
  const headers: gun.Headers = []

  /** What a request is told, each by itself. */
  function told(streamRef: gun.StreamRef) {
    const reason = (code: 'closed' | 'badstate', text: string = code) =>
      new gun.GunError(code, 'stream_error', text)
    const stream = { connPid, streamRef }
    return {
      inform: { type: 'gun_inform', ...stream, status: 103, headers },
      head: { type: 'gun_response', ...stream, isFin: 'nofin', status: 200, headers },
      whole: { type: 'gun_response', ...stream, isFin: 'fin', status: 204, headers },
      part: { type: 'gun_data', ...stream, isFin: 'nofin', data: Buffer.from('a') },
      last: { type: 'gun_data', ...stream, isFin: 'fin', data: Buffer.from('a') },
      trailers: { type: 'gun_trailers', ...stream, headers },
      event: { type: 'gun_sse', ...stream, event: { lastEventId: '', eventType: 'message', data: '' } },
      lastEvent: { type: 'gun_sse', ...stream, event: 'fin', lastEventId: '' },
      error: { type: 'gun_error', ...stream, reason: reason('closed') },
      refusal: { type: 'gun_error', ...stream, reason: reason('badstate') },
      lateRefusal: { type: 'gun_error', ...stream, reason: reason('closed', `${connPid} has ended`) },
      drain: { type: 'gun_notify', ...stream, event: 'drain', data: 0 },
      upgrade: { type: 'gun_upgrade', ...stream, protocols: ['websocket'], headers },
      text: { type: 'gun_ws', ...stream, frame: ['text', 'a'] },
      close: { type: 'gun_ws', ...stream, frame: ['close', 1000, ''] },
      up,
      down,
    } as const satisfies Record<string, gun.GunMessage>
  }

  type Step = keyof ReturnType<typeof told> | 'cancel' | 'terminate' | 'responseEnd'

  /** What a checker of its own says of these, up to the end of the connection. */
  function problems(steps: readonly Step[]): readonly string[] {
    const checker = new StreamEnds()
    // Any handle will do: a stream is never asked about itself.
    const streamRef = gun.get(connPid, '/', {}, { replyTo: () => {} })
    const messages = told(streamRef)
    checker.began(connPid, streamRef)
    for (const step of steps) {
      if (step === 'cancel') checker.cancelled(streamRef)
      else if (step === 'responseEnd') checker.finished(streamRef)
      else if (step === 'terminate') checker.terminated(connPid)
      else checker.see(messages[step])
    }
    return checker.problems
  }

  const right: readonly (readonly Step[])[] = [
    ['up', 'inform', 'head', 'part', 'last', 'down', 'terminate'],
    ['up', 'head', 'part', 'trailers', 'down', 'up', 'down', 'terminate'],
    ['up', 'head', 'event', 'lastEvent', 'terminate'],
    ['up', 'whole', 'drain', 'refusal', 'terminate', 'lateRefusal'],
    ['up', 'refusal', 'head', 'error', 'down', 'terminate'],
    ['up', 'head', 'cancel', 'refusal', 'terminate'],
    ['up', 'head', 'responseEnd', 'down', 'terminate'],
    ['up', 'upgrade', 'text', 'close', 'down', 'terminate'],
    ['up', 'upgrade', 'close', 'error', 'down', 'terminate'],
    ['up', 'upgrade', 'down', 'up', 'upgrade', 'error', 'down', 'terminate'],
    ['up', 'down', 'up', 'whole', 'terminate'],
    ['error', 'terminate'],
  ]
  for (const steps of right) {
    test(`has nothing against ${steps.join(', ')}`, () => assert.deepEqual(problems(steps), []))
  }

  const wrong: readonly (readonly [steps: readonly Step[], problem: RegExp])[] = [
    [['up', 'whole', 'error'], /^gun_error .* comes behind gun_response$/],
    [['up', 'head', 'last', 'error'], /^gun_error .* comes behind gun_data$/],
    [['up', 'head', 'trailers', 'error'], /^gun_error .* comes behind gun_trailers$/],
    [['up', 'head', 'lastEvent', 'trailers'], /^gun_trailers .* comes behind gun_sse$/],
    [['up', 'error', 'head'], /^gun_response .* comes behind gun_error$/],
    [['up', 'error', 'error'], /^gun_error .* comes behind gun_error$/],
    [['up', 'error', 'drain'], /^gun_notify .* comes behind gun_error$/],
    [['up', 'part'], /^gun_data .* comes for a stream that is asked$/],
    [['up', 'head', 'head'], /^gun_response .* comes for a stream that is responding$/],
    [['up', 'head', 'inform'], /^gun_inform .* comes for a stream that is responding$/],
    [['up', 'head', 'responseEnd', 'error'], /^gun_error .* comes for a stream that is silent$/],
    [['up', 'head', 'cancel', 'part'], /^gun_data .* comes for a stream that is cancelled$/],
    [['up', 'upgrade', 'close', 'text'], /^gun_ws .* comes for a stream that is closing$/],
    [['up', 'head', 'down'], /^gun_down comes before the end of .*, which is responding$/],
    [['up', 'upgrade', 'down', 'terminate'], /^DOWN comes before the end of .*, which is websocket$/],
    [['up', 'terminate'], /^DOWN comes before the end of .*, which is asked$/],
    [['up', 'error', 'terminate', 'down'], /^gun_down comes behind DOWN$/],
    [['up', 'error', 'terminate', 'terminate'], /^DOWN comes twice$/],
    [['up', 'up'], /^gun_up comes behind another$/],
    [['down'], /^gun_down comes without a gun_up$/],
  ]
  for (const [steps, problem] of wrong) {
    test(`finds what is wrong with ${steps.join(', ')}`, () => {
      const [first = ''] = problems(steps)
      assert.match(first, problem)
    })
  }

  test('sees what goes to a process, and what goes to a function that it watches', () => {
    const checker = new StreamEnds()
    const heard: string[] = []
    const streamRef = gun.get(connPid, '/', {}, { replyTo: () => {} })
    const { whole, error } = told(streamRef)
    const replyTo = checker.watch(({ type }) => heard.push(type))
    for (const message of [whole, error]) replyTo(message)
    assert.deepEqual(heard, ['gun_response', 'gun_error'])
    assert.throws(() => checker.assert(), /gun_error .* comes behind gun_response/)
    checker.assert()
  })
})
