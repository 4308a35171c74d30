/** All mailboxes have the same kind of listener: that of whoever asks most. One that is traced tells it all the same. */

import { nodesTime } from '../host/nodes-clock.js'
import { common, type MakeListener, tally } from '../mailbox/listening.js'
import { inside, living, type Process } from '../process.js'
import { Distribution } from './distribution.js'
import { Stopwatch } from './stopwatch.js'
import { Tracer } from './tracer.js'

/** A process, whatever its messages. */
export type Looked = Pick<Process<never>, typeof inside>

/** How many ask for what. */
const askers = { counting: 0, measuring: 0 }

/** The time from when somebody has begun to measure while nobody else did. */
class Period {
  /** The waits of all mailboxes. */
  readonly waits = new Distribution()
  /** When it began, by the clock of `performance.now`. */
  readonly began = nodesTime()
  /** The milliseconds from that clock to the time since 1970. */
  readonly epoch = Date.now() - this.began
}

/** The period that goes on, or the last one. */
export let period = new Period()

const count: MakeListener = () => tally
const measure: MakeListener = owner => new Stopwatch(owner, period.waits)

/** Has every mailbox be listened to until the function is called that this one gives. Whoever measures counts too. */
export function listen(asker: keyof typeof askers): () => void {
  if (asker === 'measuring' && askers.measuring === 0) period = new Period()
  askers[asker]++
  choose()
  let isListening = true
  return () => {
    if (!isListening) return
    isListening = false
    askers[asker]--
    choose()
  }
}

/** Gives the stopwatch of a process; `undefined`: nobody measures. */
export function stopwatchOf(process: Looked): Stopwatch | undefined {
  const { tracer } = process[inside]().mailbox
  const listener = tracer instanceof Tracer ? tracer.beneath : tracer
  // A process that has exited keeps its listener when the others lose theirs.
  return listener instanceof Stopwatch && askers.measuring > 0 && listener.all === period.waits
    ? listener
    : undefined
}

function choose(): void {
  const make = askers.measuring > 0 ? measure : askers.counting > 0 ? count : undefined
  if (make === common.listenerOf) return
  common.listenerOf = make
  for (const process of living.list()) {
    const { mailbox } = process[inside]()
    if (mailbox.tracer instanceof Tracer) mailbox.tracer.beneath = make?.(process)
    else mailbox.tracer = make?.(process)
  }
}
