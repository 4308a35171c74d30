/** Why the peer can be listened to no longer, or a stream of it. */

import { codes, nameOf } from './codes.js'

/** The peer has broken the rules of the connection, or gone over a limit, and the connection ends. */
export class Fault {
  /** The code that the peer is told. */
  readonly code: number
  readonly text: string
  /** Whether a limit of ours was exceeded. */
  readonly isLimit: boolean

  constructor(code: number, text: string, isLimit = false) {
    this.code = code
    this.text = text
    this.isLimit = isLimit
  }
}

/** Returns the fault of a peer that has broken a rule; `what` goes on from «it», the peer. */
export function broken(code: number, what: string): Fault {
  return new Fault(code, `the peer broke the rules of HTTP/2 (${nameOf(code)}): it ${what}`)
}

/** Returns the fault of a peer that costs too much. */
export function excess(text: string): Fault {
  return new Fault(codes.ENHANCE_YOUR_CALM, text, true)
}

/** The peer has broken the rules of one stream, which is reset; the text says it of the peer or of the response. */
export class StreamFault {
  readonly code: number
  readonly text: string

  constructor(code: number, text: string) {
    this.code = code
    this.text = text
  }
}

/** Returns the fault of a frame on a stream that the server has announced and not begun (RFC 9113 section 5.1). */
export function tooEarly(what: string): Fault {
  return broken(codes.PROTOCOL_ERROR, `sent ${what} on a stream that it has not begun`)
}
