/** A stay is one node's time in a cluster over NATS, from joining to leaving: it knows who is there, and has a channel to each. */

import type { Msg } from '@nats-io/transport-node'
import type { CarrierHost } from '../carrier.js'
import type { Address } from './address.js'
import { NatsChannel } from './channel.js'
import { claim, taken } from './claim.js'
import { Client, type ClientHost, saysNobody } from './client.js'
import { DEFAULT_PREFIX, type NatsOptions } from './options.js'
import { outranks, type Presence, readPresence, writePresence } from './presence.js'
import { Subjects } from './subjects.js'

/**
 * How often in milliseconds a node repeats that it is there. Nodes find each other when one of them connects to the server, so that the
 * repetition is only for servers that were parted from each other: a healed cluster is whole again after half a minute, half of the default
 * tick time. With n nodes each gets n messages of 200 bytes in that time, half as many as beats.
 */
const REPETITION = 30_000
/**
 * How many repetitions may be missed in a row. Servers in different places do not always know whether somebody is there; a node that is
 * forgotten comes again with whatever it says next.
 */
const PATIENCE = 10
/** How long in milliseconds the server may be silent before the client asks whether it is there; it asks twice. */
const PING_INTERVAL = 20_000
/** The fewest bytes of a message: a node must be able to say who it is, and why it refuses another one. */
const SMALLEST_PAYLOAD = 1024

/** A node's stay in the cluster. */
export class Stay implements ClientHost {
  readonly #options: NatsOptions
  readonly #host: CarrierHost
  readonly #subjects: Subjects
  readonly #since = Date.now()
  /** The channels by the incarnations of the peers. */
  readonly #channels = new Map<string, NatsChannel>()
  #client: Client | undefined
  #connection = 1
  #repetition: NodeJS.Timeout | undefined
  #state: 'joining' | 'in' | 'out' = 'joining'
  #reject: (error: Error) => void = () => undefined

  constructor({ prefix = DEFAULT_PREFIX, ...options }: NatsOptions, host: CarrierHost) {
    const { name, incarnation } = host.identity
    this.#options = options
    this.#host = host
    this.#subjects = new Subjects(prefix, name, incarnation)
  }

  /** Joins the cluster. Rejects if that is not possible, or not permitted, or if the name is taken. */
  async begin(): Promise<void> {
    const failed = new Promise<never>((_resolve, reject) => {
      this.#reject = reject
    })
    // The race that awaits it may be over by then.
    failed.catch(() => undefined)
    const client = await Client.connect(this.#clientOptions(), this)
    this.#client = client
    try {
      await Promise.race([this.#join(client), failed])
    } catch (error) {
      this.#state = 'out'
      await client.close()
      throw error
    }
    this.#state = 'in'
    this.#announce()
    this.#repetition = setInterval(() => this.#repeat(), REPETITION)
  }

  /** Leaves the cluster. */
  async end(): Promise<void> {
    this.#leave()
    this.#channels.clear()
    await this.#client?.close()
  }

  // The client tells:

  onLost(reason: string): void {
    if (this.#state === 'joining') this.#reject(new Error(`${reason} while the node was about to join`))
    else this.#endAll(reason)
  }

  onBack(): void {
    if (this.#state !== 'in') return
    this.#connection++
    const unfit = this.#unfit()
    if (unfit === undefined) this.#announce()
    else this.#client?.fail(unfit)
  }

  onFailed(error: Error): void {
    if (this.#state === 'joining') return this.#reject(error)
    if (this.#state === 'out') return
    this.#leave()
    this.#endAll(error.message)
    this.#host.onFailure(error)
  }

  #clientOptions() {
    const { name } = this.#host.identity
    // The client takes an option that is there for one that is set.
    const given = Object.fromEntries(Object.entries(this.#options).filter(([, value]) => value !== undefined))
    const defaults = { name, maxReconnectAttempts: -1, pingInterval: PING_INTERVAL }
    // A node that hears itself could not ask whether another one has its name.
    return { ...defaults, ...given, noEcho: true }
  }

  async #join(client: Client): Promise<void> {
    const unfit = this.#unfit()
    if (unfit !== undefined) throw unfit
    client.subscribe(this.#subjects.inbox, message => this.#onMessage(message))
    client.subscribe(this.#subjects.here, ({ data }) => this.#onPresence(readPresence(data)))
    await claim(client, this.#subjects, () => this.#presence())
    // The server has said by then what it does not permit.
    await client.flush()
  }

  /** Gives an error if the server is none that nodes can use. */
  #unfit(): Error | undefined {
    const { tellsNobody, maxBytes = 0 } = this.#client ?? {}
    if (tellsNobody !== true) return new Error('the NATS server is too old: nodes need version 2.2 or later')
    if (maxBytes >= SMALLEST_PAYLOAD) return undefined
    return new Error(
      `the NATS server takes too little: max_payload is ${maxBytes}, and nodes need ${SMALLEST_PAYLOAD} bytes`,
    )
  }

  #presence(): Presence {
    return { ...this.#host.identity, connection: this.#connection, since: this.#since }
  }

  #announce(isLeaving = false): void {
    const presence = this.#presence()
    this.#client?.publish(
      this.#subjects.here,
      writePresence(isLeaving ? { ...presence, isLeaving } : presence),
    )
  }

  #repeat(): void {
    this.#announce()
    for (const [incarnation, channel] of [...this.#channels]) {
      if (channel.probe() > PATIENCE) this.#end(incarnation, 'nothing was heard of the node for long')
    }
  }

  #onPresence(presence: Presence | undefined): void {
    if (presence === undefined || this.#state !== 'in') return
    const { name, incarnation, isLeaving } = presence
    const { identity } = this.#host
    if (incarnation === identity.incarnation) return
    if (isLeaving) return this.#end(incarnation, 'the node has left')
    if (name === identity.name) return this.#contest(presence)
    this.#channelTo(presence, name)?.heard()
  }

  #onMessage(message: Msg): void {
    if (this.#state !== 'in') return
    const peer = this.#subjects.senderOf(message.subject)
    if (peer === undefined) return
    if (!saysNobody(message)) return this.#channelTo(peer)?.take(message.data)
    const channel = this.#channels.get(peer.incarnation)
    if (channel?.peer.connection === peer.connection) this.#end(peer.incarnation, 'nobody is there any more')
  }

  /** Gives the channel to an address, which may be new; `undefined` if the peer has a later one. */
  #channelTo(peer: Address, name?: string): NatsChannel | undefined {
    const client = this.#client
    const known = this.#channels.get(peer.incarnation)
    if (client === undefined || (known !== undefined && known.peer.connection > peer.connection))
      return undefined
    if (known?.peer.connection === peer.connection) return known
    this.#end(peer.incarnation, 'the node has lost its connection to the NATS server')
    const way = { client, subjects: this.#subjects, own: this.#presence(), peer, name }
    const channel = new NatsChannel(way, closed => this.#forget(closed))
    this.#channels.set(peer.incarnation, channel)
    channel.open(this.#host.onChannel(channel))
    return channel
  }

  /**
   * Settles who keeps a name that two nodes have: each has taken it while the other could not be asked, because their servers were parted or
   * this one had lost its own.
   */
  #contest(other: Presence): void {
    if (outranks(this.#presence(), other)) this.#announce()
    else this.#client?.fail(taken(other.name, false))
  }

  #end(incarnation: string, reason: string): void {
    const channel = this.#channels.get(incarnation)
    this.#channels.delete(incarnation)
    channel?.end(reason)
  }

  #endAll(reason: string): void {
    for (const incarnation of [...this.#channels.keys()]) this.#end(incarnation, reason)
  }

  #forget(channel: NatsChannel): void {
    const { incarnation } = channel.peer
    if (this.#channels.get(incarnation) === channel) this.#channels.delete(incarnation)
  }

  #leave(): void {
    if (this.#state !== 'in') return
    this.#announce(true)
    this.#state = 'out'
    clearInterval(this.#repetition)
  }
}
