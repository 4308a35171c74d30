/**
 * A carrier brings bytes from node to node, and knows who can be reached. Everything else is above: a carrier may lose bytes, if only it
 * neither changes their order nor brings them twice within one channel.
 *
 * | carrier   | who can be reached                                     | what tells that a peer is gone                       |
 * | --------- | ------------------------------------------------------ | ---------------------------------------------------- |
 * | `threads` | the threads of this program that `workers` has started | the end of the thread                                |
 * | `nats`    | the nodes that use the same NATS server and prefix     | its goodbye, an answer of the server, or its loss    |
 */

import type { Identity } from './identity.js'

/** Some bytes, with the buffers that are moved beside them and not copied. */
export interface Parcel {
  /** The bytes, which have memory of their own. */
  readonly bytes: Uint8Array
  /** The buffers beside them. */
  readonly moved: readonly ArrayBuffer[]
}

/** The way to one peer. */
export interface Channel {
  /** Names the peer in reports, until it has said who it is. */
  readonly label: string
  /** The most bytes that one parcel may hold. */
  readonly maxBytes: number
  /** Whether buffers can be moved; where they cannot, they are sent as bytes. */
  readonly movesBuffers: boolean
  /** Sends a parcel. Never throws; what cannot be sent is lost. */
  send(parcel: Parcel): void
  /** Ends the channel from this side. The receiver hears nothing more. */
  close(): void
}

/** Takes what comes through a channel. */
export interface Receiver {
  /** Takes a parcel. */
  onParcel(parcel: Parcel): void
  /** The channel has ended, and brings nothing more: the peer is gone, or cannot be reached any more. */
  onClosed(reason: string): void
}

/** A node, as its carrier knows it. */
export interface CarrierHost {
  /** The name and the life of the node. */
  readonly identity: Identity
  /** Takes a new channel to a peer, and gives who is to get what comes through it. */
  onChannel(channel: Channel): Receiver
  /** Takes an error that ends the carrier. The channels are closed before. */
  onFailure(error: Error): void
}

/** Brings bytes between nodes. Whoever has another engine than those of this package implements this. */
export interface Carrier {
  /** The name of the engine, for reports. */
  readonly name: string
  /** Whether nodes that are no part of this program can be reached, which then must know the cookie. */
  readonly isShared: boolean
  /** Joins the cluster as `host.identity`. Rejects if the engine cannot be reached, or if the name is taken. */
  start(host: CarrierHost): Promise<void>
  /** Leaves the cluster, once what was sent has gone out. Channels are closed without a word to their receivers. */
  stop(): Promise<void>
}
