/** Tells what is known of a request that waits for the next connection, from the commands that wait. */

import { replyToOf } from '../messages.js'
import { type BeginCommand, begins, bytesOf, type StreamCommand } from './commands.js'
import type { StreamInfo } from './info.js'

type Waiting = BeginCommand | StreamCommand

/** `commands` are those of one stream, in order. Returns `undefined` if they are not those of a request. */
export function postponedInfo(commands: readonly Waiting[], usualFlow: number): StreamInfo | undefined {
  const [first] = commands
  if (first === undefined || !begins(first) || first.type === 'ping') return undefined
  const { streamRef } = first
  const path = first.type === 'connect' ? '' : first.path
  const request = first.type === 'request' ? first : undefined
  const increments = commands.map(command => (command.type === 'flow' ? command.increment : 0))
  const sizes = commands.map(bytesOf)
  return {
    ref: streamRef,
    replyTo: replyToOf(streamRef),
    state: 'running',
    intermediaries: [],
    request: {
      method: request?.method ?? (first.type === 'connect' ? 'CONNECT' : 'GET'),
      path,
      state: 'waiting',
      isPostponed: true,
      givenBytes: sum(sizes, request?.body?.length ?? 0),
      isComplete: request === undefined || request.body !== undefined || commands.some(endsBody),
      response: 'due',
      isHandled: false,
      flow: sum(increments, request === undefined ? Number.POSITIVE_INFINITY : (request.flow ?? usualFlow)),
    },
  }
}

function endsBody(command: Waiting): boolean {
  return command.type === 'trailers' || (command.type === 'data' && command.isFin === 'fin')
}

function sum(numbers: readonly number[], first: number): number {
  return numbers.reduce((all, each) => all + each, first)
}
