/**
 * Bytes for a stream of another node are counted here, since that node cannot answer at once: each time that half of the high-water mark
 * was given, the caller is told to wait, and the other side to tell when there is room. So no more than the mark waits there.
 */

import { sendMarkOf } from '../handles.js'
import { type BeginCommand, bytesOf, type Command } from '../layer/commands.js'
import { WS_DEFAULTS, type WsOpts } from '../options/websocket.js'
import { isLimit, type OptionFacts } from './facts.js'

export class Outgoing {
  /** Whether `updateFlow` has an effect; `undefined`: that is not known here. */
  readonly hasFlow: boolean | undefined
  readonly #mark: number | undefined
  /** How many bytes were given since the caller was last told to wait. */
  #given = 0

  private constructor(mark: number | undefined, hasFlow: boolean | undefined) {
    this.#mark = mark
    this.hasFlow = hasFlow
  }

  /** Counts for the stream that begins with `command`. */
  static of(command: BeginCommand, facts: OptionFacts): Outgoing {
    switch (command.type) {
      case 'upgrade':
        return Outgoing.frames(command.opts)
      case 'ping':
        return new Outgoing(undefined, false)
      default: {
        const hasFlow = command.flow === undefined ? (facts.hasFlow ?? false) : isLimit(command.flow)
        // The protocol of a tunnel has a flow of its own.
        return new Outgoing(sendMarkOf(command.streamRef), command.type === 'connect' ? undefined : hasFlow)
      }
    }
  }

  /** Counts for a WebSocket. */
  static frames(opts: WsOpts): Outgoing {
    return new Outgoing(opts.sendHighWaterMark ?? WS_DEFAULTS.sendHighWaterMark, isLimit(opts.flow))
  }

  /** Counts for a connection that speaks raw. */
  static raw({ rawMark }: OptionFacts): Outgoing {
    return new Outgoing(rawMark, undefined)
  }

  /** Answers the caller of a command that gives bytes, and has the other side know the answer. */
  answer(command: Command): boolean {
    if (command.type !== 'data' && command.type !== 'frames') return true
    command.isToldToWait = undefined
    if (command.type === 'data' && command.isFin === 'fin') return true
    if (this.#mark === undefined) return true
    this.#given += bytesOf(command)
    if (this.#given <= this.#mark / 2) return true
    this.#given = 0
    command.isToldToWait = true
    return false
  }
}
