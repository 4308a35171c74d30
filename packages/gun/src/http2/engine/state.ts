/**
 * The states of a stream, as a client has them (RFC 9113 section 5.1).
 *
 *                 our HEADERS                            the peer's PUSH_PROMISE
 *                     |                                            |
 *                     v         end: the peer's END_STREAM         v
 *                   open ----------------------.               reserved
 *                     |                        v                   |
 *     finish: our     |                half_closed_remote          |  begin: the peer's HEADERS
 *     END_STREAM      v                        |                   |
 *            half_closed_local <---------------|-------------------'
 *                     |                        |
 *                     |  end                   |  finish
 *                     '-------> closed <-------'         reset, by either side, leads to closed from everywhere
 */

export type StreamState = 'reserved' | 'open' | 'half_closed_local' | 'half_closed_remote' | 'closed'

/** The events that change a stream's state. */
export type StreamChange = 'begin' | 'finish' | 'end' | 'reset'

/** The next state for each change; a change that is missing is not possible in that state. */
export const NEXT: Readonly<Record<StreamState, Readonly<Partial<Record<StreamChange, StreamState>>>>> = {
  reserved: { begin: 'half_closed_local', reset: 'closed' },
  open: { finish: 'half_closed_local', end: 'half_closed_remote', reset: 'closed' },
  half_closed_local: { end: 'closed', reset: 'closed' },
  half_closed_remote: { finish: 'closed', reset: 'closed' },
  closed: {},
}
