/** Bytes of signals: each is a MessagePack array, and a parcel holds any number of them one after the other. */

import { Packr, Unpackr } from 'msgpackr'

const packr = new Packr({ useRecords: false, encodeUndefinedAsNil: false })
// A message must not keep the whole parcel alive of which it was a part.
const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true, copyBuffers: true })

/** Gives the bytes of one signal. */
export function pack(signal: readonly unknown[]): Buffer {
  return packr.pack(signal)
}

/** Calls `take` for each of the signals in `bytes`. Throws an Error if these are none. */
export function unpackEach(bytes: Uint8Array, take: (signal: unknown[]) => void): void {
  unpackr.unpackMultiple(bytes, (signal: unknown) => {
    if (!Array.isArray(signal)) throw new Error('a parcel holds something that is no signal')
    take(signal)
  })
}
