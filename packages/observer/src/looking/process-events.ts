/** The events of a traced process, each in one line. */

import type { TraceEvent as Happened } from '@holster/process'
import { printShort } from '@holster/process/internal'
import { refOf } from '../naming/refs.js'
import { textOfReason } from '../naming/texts.js'
import type { TraceEvent } from '../words.js'

/** Prints an event, secrets left out. */
export function printHappened(event: Happened): TraceEvent {
  return { at: event.at, event: event.event, ...described(event) }
}

function described(event: Happened): Pick<TraceEvent, 'direction' | 'text'> {
  switch (event.event) {
    case 'send':
      return { direction: 'in', text: printShort(event.message) }
    case 'receive':
      return { direction: 'none', text: printShort(event.message) }
    case 'flush':
      return { direction: 'none', text: `${event.messages} messages dropped` }
    case 'call':
      return { direction: 'out', text: `${refOf(event.target).text}: ${printShort(event.request)}` }
    case 'reply':
      return { direction: 'in', text: printShort(event.value) }
    case 'monitor':
    case 'demonitor':
    case 'link':
    case 'unlink':
      return { direction: 'none', text: refOf(event.target).text }
    case 'exit':
      return { direction: 'none', text: textOfReason(event.reason) }
  }
}
