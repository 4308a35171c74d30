/** The way to another thread of this program: a MessagePort. It loses nothing while both threads live. */

import type { MessagePort } from 'node:worker_threads'
import type { Channel, Parcel, Receiver } from '../carrier.js'

/** A parcel on its way between two threads; most have no moved buffers, and are bytes alone. */
type Posted = Uint8Array | Parcel

/** Fewer bytes than this are copied, which costs less than to give their memory away. */
const SMALL = 4096

const NO_BUFFERS: readonly ArrayBuffer[] = []

/** A channel over a port. */
export class ThreadChannel implements Channel {
  readonly label: string
  readonly maxBytes = 64 * 1024 * 1024
  readonly movesBuffers = true
  readonly #port: MessagePort
  #receiver: Receiver | undefined

  constructor(label: string, port: MessagePort) {
    this.label = label
    this.#port = port
  }

  /** Hands on what comes from now on. */
  open(receiver: Receiver): void {
    this.#receiver = receiver
    this.#port.on('message', (posted: Posted) => {
      if (ArrayBuffer.isView(posted)) this.#receiver?.onParcel({ bytes: posted, moved: NO_BUFFERS })
      else this.#receiver?.onParcel(posted)
    })
    this.#port.once('close', () => this.#receiver?.onClosed('the thread has ended'))
  }

  send({ bytes, moved }: Parcel): void {
    // A packet has memory of its own.
    if (moved.length === 0 && bytes.length < SMALL) this.#port.postMessage(bytes)
    else if (moved.length === 0) this.#port.postMessage(bytes, [bytes.buffer as ArrayBuffer])
    else this.#port.postMessage({ bytes, moved }, [bytes.buffer as ArrayBuffer, ...moved])
  }

  close(): void {
    this.#receiver = undefined
    this.#port.close()
  }
}
