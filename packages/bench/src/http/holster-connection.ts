/** A connection of Holster's, whichever way the messages are taken. */

import * as gun from '@holster/gun'
import { NO_MARKS } from '../marks.ts'
import { type Connection, checkSize, type Job, LARGE } from './contract.ts'

/** How many bytes of a body may wait to be sent: as others do, it waits until they have left. */
const MARK = 1024 * 1024

/** Takes a whole response, the body in one piece unless it is large, and gives the body's size. */
export type Take = (streamRef: gun.StreamRef, isLarge: boolean) => Promise<number>

export class HolsterConnection implements Connection {
  readonly #connPid: gun.ConnPid
  readonly #take: Take

  constructor(connPid: gun.ConnPid, take: Take) {
    this.#connPid = connPid
    this.#take = take
  }

  async get(
    path: string,
    { size, inFlight, count }: Job & { readonly type: 'get' },
    marks = NO_MARKS,
  ): Promise<void> {
    const connPid = this.#connPid
    const asked: gun.StreamRef[] = []
    for (let n = 0; n < inFlight; n++) asked.push(gun.get(connPid, path))
    for (let n = 0; n < count; n++) {
      const slot = n % inFlight
      checkSize(await this.#take(asked[slot] as gun.StreamRef, size > LARGE), size)
      if (n + 1 === marks.next) marks.pass()
      if (n + inFlight < count) asked[slot] = gun.get(connPid, path)
    }
  }

  async post(
    path: string,
    chunk: Uint8Array,
    { chunks, count }: Job & { readonly type: 'post' },
  ): Promise<void> {
    const connPid = this.#connPid
    for (let n = 0; n < count; n++) {
      const streamRef = gun.headers(connPid, 'POST', path, {}, { sendHighWaterMark: MARK })
      for (let i = 0; i < chunks; i++) {
        // The next message says that there is room.
        if (!gun.data(connPid, streamRef, 'nofin', chunk)) await gun.await(connPid, streamRef)
      }
      gun.data(connPid, streamRef, 'fin', '')
      await this.#take(streamRef, false)
    }
  }
}
