/** The way to one address of a node over NATS. The server keeps the order; a parcel that nobody gets comes back as a word of the server. */

import type { Channel, Parcel, Receiver } from '../carrier.js'
import type { Address } from './address.js'
import type { Client } from './client.js'
import type { Subjects } from './subjects.js'

const NO_BUFFERS: readonly ArrayBuffer[] = []
const NOTHING = new Uint8Array(0)

/** How a channel is made. */
export interface Way {
  readonly client: Client
  readonly subjects: Subjects
  /** Where this node is reached. */
  readonly own: Address
  readonly peer: Address
  /** The name of the peer, if it is known. */
  readonly name: string | undefined
}

/** A channel to one address. */
export class NatsChannel implements Channel {
  readonly label: string
  readonly movesBuffers = false
  readonly peer: Address
  #silentRounds = 0
  readonly #client: Client
  readonly #onClose: (channel: NatsChannel) => void
  readonly #there: string
  readonly #back: string
  #receiver: Receiver | undefined

  /** `onClose` hears that the node ends the channel. */
  constructor({ client, subjects, own, peer, name }: Way, onClose: (channel: NatsChannel) => void) {
    this.label = name ?? `a node of the incarnation ${peer.incarnation}`
    this.peer = peer
    this.#client = client
    this.#onClose = onClose
    this.#there = subjects.to(peer, own)
    this.#back = subjects.from(peer)
  }

  get maxBytes(): number {
    return this.#client.maxBytes
  }

  /** Hands on what comes from now on. */
  open(receiver: Receiver): void {
    this.#receiver = receiver
  }

  send({ bytes }: Parcel): void {
    this.#client.publish(this.#there, bytes, this.#back)
  }

  /** Takes note that something was heard of the peer. */
  heard(): void {
    this.#silentRounds = 0
  }

  /**
   * To be called now and then: asks the server whether the peer is there, if nothing was heard of it since the last time. Gives how often
   * in a row that was so.
   */
  probe(): number {
    if (this.#silentRounds > 0) this.#client.publish(this.#there, NOTHING, this.#back)
    return this.#silentRounds++
  }

  /** Takes a parcel from the peer; an empty one is a probe. */
  take(bytes: Uint8Array): void {
    this.#silentRounds = 0
    if (bytes.length > 0) this.#receiver?.onParcel({ bytes, moved: NO_BUFFERS })
  }

  /** Tells the node that the channel has ended. */
  end(reason: string): void {
    const receiver = this.#receiver
    this.#receiver = undefined
    receiver?.onClosed(reason)
  }

  close(): void {
    this.#receiver = undefined
    this.#onClose(this)
  }
}
