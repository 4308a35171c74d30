/** Acts on a process, a connection or the program, where the program has allowed it. */

import { writeHeapSnapshot } from 'node:v8'
import { close, shutdown } from '@holster/gun'
import { exit } from '@holster/process'
import { connectionOf } from '../looking/connections.js'
import { parse } from '../looking/filter.js'
import { processOf } from '../naming/refs.js'
import type { Action } from '../words.js'

/** Does what is asked, and says so. Throws an Error that says why if it cannot be done. */
export function act(action: Action): string {
  switch (action.type) {
    case 'exit': {
      const process = processOf(action.subject)
      exit(process as never, action.reason)
      return `${process} was sent the exit signal '${action.reason}'`
    }
    case 'close':
    case 'shutdown': {
      const { connPid } = connectionOf(action.subject.id)
      if (action.type === 'close') close(connPid)
      else shutdown(connPid)
      return `${connPid} was told to ${action.type === 'close' ? 'close at once' : 'shut down'}`
    }
    case 'send': {
      const process = processOf(action.subject)
      process.send(parse(action.message) as never)
      return `the message was sent to ${process}`
    }
    case 'heap_snapshot':
      return `the heap snapshot is in the file ${writeHeapSnapshot()} of that machine`
  }
}

/** Asks whether an action is meant. */
export function questionOf(action: Action): string {
  switch (action.type) {
    case 'exit':
      return `Send ${nameOf(action)} the exit signal '${action.reason}'? What is linked to it hears of its end.`
    case 'close':
      return `Close ${nameOf(action)} at once? Its streams end with an error, and it does not come back.`
    case 'shutdown':
      return `Shut ${nameOf(action)} down in order? It does not come back.`
    case 'send':
      return `Send this message to ${nameOf(action)}? ${JSON.stringify(parse(action.message))}`
    case 'heap_snapshot':
      return `Take a heap snapshot of ${action.node}? Nothing else runs there meanwhile, which takes seconds, or with a large heap minutes, and it holds all that is in memory, secrets too.`
  }
}

function nameOf({ subject: { id, node } }: Extract<Action, { readonly subject: unknown }>): string {
  return `${id} of ${node}`
}
