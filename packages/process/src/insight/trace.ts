/** A process is traced for as long as somebody asks, and no other process is the slower for it. */

import type { Pid } from '../pid.js'
import { inside, Process } from '../process.js'
import type { Registrable } from '../registry.js'
import type { TraceEvent } from './trace-event.js'
import { type Tell, Tracer } from './tracer.js'

/**
 * Tells `sink` each event of one process, and nothing of others, until the function is called that this one gives. `sink` is a
 * function, which is called as the events happen, or a pid, which gets them as messages. An error that `sink` throws goes to the
 * exit hook. Several sinks may trace one process. Messages are told as they are, so that a sink which logs must leave secrets
 * out.
 *
 * Throws a TypeError unless `pid` is a process and `sink` a function or a pid, and an Error if a process would be told of the
 * messages of its own trace: where `pid` gets the events of `sink`, directly or through others. Source: `erlang:trace/3`,
 * `sys:trace/2`.
 */
export function trace(pid: Registrable, sink: ((event: TraceEvent) => void) | Pid<TraceEvent>): () => void {
  if (!(pid instanceof Process)) throw new TypeError('pid must be a process')
  if ((sink as unknown) === pid) throw new Error('sink is pid: a process cannot trace itself')
  const tell = tellOf(sink)
  if (tells(sink, pid))
    throw new Error(`sink is traced to pid: ${pid} and ${sink} would tell each other for ever`)
  const { mailbox } = pid[inside]()
  const tracer = mailbox.tracer instanceof Tracer ? mailbox.tracer : new Tracer(pid, mailbox.tracer)
  mailbox.tracer = tracer
  tracer.add(tell, sink)
  return () => {
    tracer.remove(tell)
    if (tracer.isIdle && mailbox.tracer === tracer) mailbox.tracer = tracer.beneath
  }
}

/** Whether what happens to `traced` is told to `pid`, directly or through others. */
function tells(traced: unknown, pid: Process): boolean {
  if (!(traced instanceof Process)) return false
  const { tracer } = traced[inside]().mailbox
  return tracer instanceof Tracer && tracer.sinks.some(sink => sink === pid || tells(sink, pid))
}

function tellOf(sink: ((event: TraceEvent) => void) | Pid<TraceEvent>): Tell {
  // A function of its own, so that two traces with one sink are two.
  if (typeof sink === 'function') return event => sink(event)
  if (typeof sink?.send !== 'function') throw new TypeError('sink must be a function or a pid')
  return event => sink.send(event)
}
