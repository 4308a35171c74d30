/** The rules for a caller's frames (RFC 6455 sections 5.5 and 7.4), and the answer to a close frame. */

import { inspect } from 'node:util'
import type { WsFrame, WsFrameIn } from '../words.js'

/** The most bytes that a control frame can carry (RFC 6455 section 5.5). */
const MAX_CONTROL_PAYLOAD = 125

/** Returns the caller's frames as a list. Throws a TypeError that names the wrong frame and the fault. */
export function checkFrames(frames: WsFrame | readonly WsFrame[]): readonly WsFrame[] {
  const value: unknown = frames
  if (!Array.isArray(value) || isTuple(value)) {
    checkFrame(value, 'frames')
    return [value]
  }
  return value.map((frame: unknown, i) => {
    checkFrame(frame, `frames[${i}]`)
    return frame
  })
}

/**
 * Whether an array is one frame rather than a list: an array that begins like a frame is one.
 * `['close', 'ping']` closes with a reason, while `['ping', 'pong']` is a list. An array that only resembles
 * a frame, such as `['txt', 'hello']`, also counts as one, because an error about a list of two frames would
 * not show the right form.
 */
function isTuple(frames: readonly unknown[]): boolean {
  const [name, payload] = frames
  if (name === 'text' || name === 'binary') return true
  if (name === 'ping' || name === 'pong') return isPayload(payload)
  if (name === 'close') return typeof payload === 'number' || typeof payload === 'string'
  return frames.length === 2 && typeof name === 'string' && isPayload(payload)
}

/** Whether the value can be a frame's payload and is not a frame itself. */
function isPayload(value: unknown): boolean {
  return value instanceof Uint8Array || (typeof value === 'string' && !isBareFrame(value))
}

function isBareFrame(name: unknown): boolean {
  return name === 'close' || name === 'ping' || name === 'pong'
}

function checkFrame(frame: unknown, where: string): asserts frame is WsFrame {
  if (isBareFrame(frame)) return
  if (!Array.isArray(frame))
    throw new TypeError(`${where} is not a frame: ${short(frame)}${correction(frame)}`)
  const [name, ...payload] = frame as unknown[]
  const problem = findProblem(name, payload)
  if (problem !== undefined) throw new TypeError(`${where}: ${problem}`)
}

function findProblem(name: unknown, payload: readonly unknown[]): string | undefined {
  switch (name) {
    case 'text':
      return payload.length === 1 && typeof payload[0] === 'string'
        ? undefined
        : `text takes one string${correction(payload[0], "as in ['text', 'hello']")}`
    case 'binary':
      return payload.length === 1 && payload[0] instanceof Uint8Array
        ? undefined
        : `binary takes one Uint8Array${correction(payload[0], "as in ['binary', Buffer.of(1, 2)]")}`
    case 'ping':
    case 'pong':
      if (payload.length !== 1 || !(payload[0] instanceof Uint8Array)) {
        const data = typeof payload[0] === 'string' ? short(payload[0]) : "'data'"
        return `${name} takes one Uint8Array, as in ['${name}', Buffer.from(${data})], or nothing: '${name}'`
      }
      return payload[0].length <= MAX_CONTROL_PAYLOAD
        ? undefined
        : `${name} carries at most ${MAX_CONTROL_PAYLOAD} bytes`
    case 'close':
      return findCloseProblem(payload)
    default:
      return `no frame is called ${short(name)}${correction(payload[0])}`
  }
}

/** Shows how the payload is sent correctly. */
function correction(
  payload: unknown,
  otherwise = "a frame is 'close', 'ping', 'pong', or a tuple such as ['text', 'hello']",
): string {
  if (typeof payload === 'string') return `; text is sent as ['text', ${short(payload)}]`
  if (payload instanceof Uint8Array) return "; bytes are sent as ['binary', bytes]"
  return `; ${otherwise}`
}

/** Prints a value in brief, since a whole message would hide the fault. */
function short(value: unknown): string {
  const shown = typeof value === 'string' && value.length > 20 ? `${value.slice(0, 20)}…` : value
  return inspect(shown, { depth: 0, maxArrayLength: 4, breakLength: Number.POSITIVE_INFINITY })
}

function findCloseProblem(payload: readonly unknown[]): string | undefined {
  const [code, reason] = payload.length === 1 ? [1000, payload[0]] : payload
  if (payload.length > 2 || typeof code !== 'number' || typeof reason !== 'string') {
    return 'close takes a reason, or a code and a reason'
  }
  if (!isSendable(code)) return `${code} is not a close code that may be sent`
  const length = Buffer.byteLength(reason)
  // The close code takes two of the bytes.
  return length <= MAX_CONTROL_PAYLOAD - 2 ? undefined : `a close reason has at most 123 bytes, not ${length}`
}

/** Whether a close code may appear on the wire (RFC 6455 section 7.4). */
export function isSendable(code: number): boolean {
  if (!Number.isInteger(code)) return false
  return (
    (code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006) ||
    (code >= 3000 && code <= 4999)
  )
}

/** Returns the close frame that answers the peer's: with the same code (RFC 6455 section 5.5.1), if that may be sent. */
export function answerTo(frame: WsFrameIn): WsFrame {
  return typeof frame !== 'string' && frame[0] === 'close' && isSendable(frame[1])
    ? ['close', frame[1], '']
    : 'close'
}
