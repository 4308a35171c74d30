// Many messages, each with its number, and waits that turn the event loop until the messages have come, or until none comes.

import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import type { Headers } from '@holster/gun'
import * as gun from '@holster/gun'
import { frame, opcodes } from '@holster/testing/frames'
import { Deflate } from './deflate.ts'
import type { Ends } from './http-ends.ts'

/** What a server adds to its 101 when it agrees to compress. */
export const DEFLATE: Headers = [['Sec-WebSocket-Extensions', 'permessage-deflate']]

export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turn()
}

/** Lets whatever is on its way arrive. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 100; i++) await turn()
}

/** Text frames with the numbers from `from` on. */
export function texts(count: number, from = 0): Buffer {
  const frames = Array.from({ length: count }, (_, i) =>
    frame({ opcode: opcodes.text, payload: String(from + i) }),
  )
  return Buffer.concat(frames)
}

/** What an owner gets of these. */
export function numbers(count: number, from = 0): gun.WsFrameIn[] {
  return Array.from({ length: count }, (_, i) => ['text', String(from + i)])
}

/** A message, compressed without reference to others. */
export function compressed(payload: string | Uint8Array): Buffer {
  return frame({ opcode: opcodes.text, rsv1: true, payload: new Deflate().deflate(payload) })
}

/** Frames that have come. Nothing is waited for: that would lift the pressure of a mailbox that is over its mark. */
export async function take({ self }: Pick<Ends, 'self'>, count: number): Promise<gun.WsFrameIn[]> {
  const frames: gun.WsFrameIn[] = []
  while (frames.length < count) frames.push((await self.receive([{ type: 'gun_ws' }], 0)).frame)
  return frames
}

/** The frames that have come once there are so many; it fails if there are more. */
export async function arrived(it: Pick<Ends, 'self'>, count: number): Promise<gun.WsFrameIn[]> {
  await until(() => it.self.messageQueueLength >= count)
  await settle()
  assert.equal(it.self.messageQueueLength, count)
  return take(it, count)
}

export const isPaused = ({ connPid }: Pick<Ends, 'connPid'>): boolean =>
  gun.info(connPid).socket?.isPaused() ?? false
