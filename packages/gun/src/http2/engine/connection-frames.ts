/** The frames of the connection, SETTINGS, PING and GOAWAY, and WINDOW_UPDATE, which may be for a stream as well. */

import { codes, flags, LARGEST } from './codes.js'
import type { Core, Said } from './core.js'
import { broken, Fault, StreamFault, tooEarly } from './fault.js'
import { costs } from './flood.js'
import { readSettings, SETTING } from './settings.js'

export class ConnectionFrames<Owner> {
  readonly #core: Core<Owner>

  constructor(core: Core<Owner>) {
    this.#core = core
  }

  onSettings(): Said<Owner> {
    const { bytes, start, end, length, streamId, flags: given } = this.#core.frame
    const isAck = (given & flags.ACK) !== 0
    if (streamId !== 0) return broken(codes.PROTOCOL_ERROR, 'sent SETTINGS on a stream')
    if (length % SETTING !== 0 || (isAck && length > 0)) {
      return broken(codes.FRAME_SIZE_ERROR, 'sent SETTINGS of a wrong size')
    }
    if (isAck) {
      if (this.#core.isAcknowledged) return this.#core.weigh(costs.frame)
      this.#core.isAcknowledged = true
      this.#core.decoder.acknowledge()
      return { type: 'acknowledged' }
    }
    const settings = readSettings(this.#core.peer, bytes, start, end, size => this.#core.encoder.allow(size))
    if (settings instanceof Fault) return settings
    // A change of the window goes through all streams.
    const cost = costs.frame + this.#core.streams.size * costs.stream
    const fault = this.#core.weighAnswer(cost) ?? this.#widen(settings.initialWindowSize)
    if (fault !== undefined) return fault
    this.#core.peer = settings
    this.#core.hasSettings = true
    this.#core.writer.maxLength = Math.min(settings.maxFrameSize, this.#core.opts.maxFrameSizeSent)
    this.#core.writer.settingsAck()
    this.#core.values.push({ type: 'settings', settings })
    this.#core.sender.flush()
    return undefined
  }

  /** Opens the windows of all streams to what the peer's settings now say, or closes them (RFC 9113 section 6.9.2). */
  #widen(size: number): Fault | undefined {
    const change = size - this.#core.peer.initialWindowSize
    if (change === 0) return undefined
    this.#core.sender.threshold = Math.min(this.#core.opts.dataThreshold, size)
    for (const stream of this.#core.streams.all) {
      if (!stream.sendWindow.open(change)) {
        return broken(codes.FLOW_CONTROL_ERROR, 'made a window too large with its INITIAL_WINDOW_SIZE')
      }
      this.#core.sender.enqueue(stream)
    }
    return undefined
  }

  onPing(): Said<Owner> {
    const { bytes, start, length, streamId, flags: given } = this.#core.frame
    if (streamId !== 0) return broken(codes.PROTOCOL_ERROR, 'sent a PING on a stream')
    if (length !== 8) return broken(codes.FRAME_SIZE_ERROR, 'sent a PING of a wrong size')
    if ((given & flags.ACK) !== 0) {
      const ping = this.#core.pings.end(bytes, start)
      return ping === undefined ? this.#core.weigh(costs.frame) : { type: 'ping_ack', ping }
    }
    const fault = this.#core.weighAnswer(costs.frame)
    if (fault === undefined) this.#core.writer.ping(flags.ACK, bytes, start)
    return fault
  }

  onGoaway(): Said<Owner> {
    const { bytes, start, length, streamId } = this.#core.frame
    if (streamId !== 0) return broken(codes.PROTOCOL_ERROR, 'sent GOAWAY on a stream')
    if (length < 8) return broken(codes.FRAME_SIZE_ERROR, 'sent a GOAWAY that is too short')
    const fault = this.#core.weigh(costs.frame)
    if (fault !== undefined) return fault
    this.#core.isLeft = true
    const lastId = bytes.readUInt32BE(start) & LARGEST
    this.#core.values.push({ type: 'goaway', lastId, code: bytes.readUInt32BE(start + 4) })
    for (const stream of [...this.#core.streams.all]) {
      if (stream.isPushed || stream.id <= lastId) continue
      this.#core.streams.remember(stream.id)
      this.#core.close(stream)
      this.#core.values.push({ type: 'unseen', stream })
    }
    return undefined
  }

  onWindowUpdate(): Said<Owner> {
    const { bytes, start, length, streamId } = this.#core.frame
    if (length !== 4) return broken(codes.FRAME_SIZE_ERROR, 'sent a WINDOW_UPDATE of a wrong size')
    const fault = this.#core.weigh(costs.frame)
    if (fault !== undefined) return fault
    const increment = bytes.readUInt32BE(start) & LARGEST
    if (streamId === 0) {
      if (increment === 0) return broken(codes.PROTOCOL_ERROR, 'opened the window by nothing')
      if (!this.#core.sender.window.open(increment)) {
        return broken(codes.FLOW_CONTROL_ERROR, "opened the connection's window too far")
      }
    } else {
      const stream = this.#core.streams.get(streamId)
      if (stream === undefined) {
        if (!this.#core.streams.isIdle(streamId)) return undefined
        return broken(codes.PROTOCOL_ERROR, 'opened the window of a stream that has not begun')
      }
      if (stream.state === 'reserved') return tooEarly('WINDOW_UPDATE')
      if (increment === 0) {
        return this.#core.break(
          stream,
          new StreamFault(codes.PROTOCOL_ERROR, 'the window was opened by nothing'),
        )
      }
      if (!stream.sendWindow.open(increment)) {
        return this.#core.break(
          stream,
          new StreamFault(codes.FLOW_CONTROL_ERROR, 'the window was opened too far'),
        )
      }
      this.#core.sender.enqueue(stream)
    }
    this.#core.sender.flush()
    return undefined
  }
}
