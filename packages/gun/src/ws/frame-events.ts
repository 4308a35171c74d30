/** Tells an event handler of each frame that comes, as it is on the wire. */

import { type EventHandler, type StreamEvent, tell, type WsRecvFrameHeaderEvent } from '../events.js'
import type { FrameWatcher } from './inbound.js'
import { CLOSE, FIN } from './opcode.js'

const TYPES: Record<number, WsRecvFrameHeaderEvent['frameType']> = {
  1: 'text',
  2: 'binary',
  8: 'close',
  9: 'ping',
  10: 'pong',
}

/** A watcher, if the handler wants to know of frames. */
export function watchFrames(
  handler: EventHandler | undefined,
  stream: StreamEvent,
): FrameWatcher | undefined {
  const wants = handler?.wsRecvFrameStart ?? handler?.wsRecvFrameHeader ?? handler?.wsRecvFrameEnd
  if (wants === undefined) return undefined
  let opcode = 0
  return {
    start: () => tell(handler, 'wsRecvFrameStart', stream),
    header(first, length) {
      opcode = first & 0x0f
      const isFin = (first & FIN) !== 0
      const frameType = (isFin ? TYPES[opcode] : undefined) ?? 'fragment'
      tell(handler, 'wsRecvFrameHeader', { ...stream, frameType, isFin, rsv: (first >> 4) & 7, length })
    },
    end(payload) {
      const closeCode = opcode === CLOSE && payload.length >= 2 ? payload.readUInt16BE(0) : undefined
      tell(handler, 'wsRecvFrameEnd', { ...stream, payload, closeCode })
    },
  }
}
