/** Reports each received frame as events, in the form it has on the wire. */

import type { Events } from '../events/events.js'
import type { StreamEvent, WsRecvFrameHeaderEvent } from '../options/events.js'
import { CLOSE, FIN } from './opcode.js'

/** Sees each frame as it is on the wire; `length` is the size of the payload. */
export interface FrameWatcher {
  start(): void
  header(first: number, length: number): void
  end(payload: Buffer): void
}

const TYPES: Record<number, WsRecvFrameHeaderEvent['frameType']> = {
  1: 'text',
  2: 'binary',
  8: 'close',
  9: 'ping',
  10: 'pong',
}

/** Returns a watcher of frames, or `undefined` if none of the events has a listener by now. */
export function watchFrames(events: Events, stream: StreamEvent): FrameWatcher | undefined {
  const names = ['wsRecvFrameStart', 'wsRecvFrameHeader', 'wsRecvFrameEnd'] as const
  if (!names.some(name => events.wants(name))) return undefined
  let opcode = 0
  return {
    start: () => events.tell('wsRecvFrameStart', stream),
    header(first, length) {
      opcode = first & 0x0f
      // A listener may have been removed since.
      if (!events.wants('wsRecvFrameHeader')) return
      const isFin = (first & FIN) !== 0
      const frameType = (isFin ? TYPES[opcode] : undefined) ?? 'fragment'
      events.tell('wsRecvFrameHeader', { ...stream, frameType, isFin, rsv: (first >> 4) & 7, length })
    },
    end(payload) {
      if (!events.wants('wsRecvFrameEnd')) return
      const closeCode = opcode === CLOSE && payload.length >= 2 ? payload.readUInt16BE(0) : undefined
      events.tell('wsRecvFrameEnd', { ...stream, payload, closeCode })
    },
  }
}
