/** The node that this program is: its carriers, the lines to other nodes, and what is known of these. */

import { randomUUID } from 'node:crypto'
import type { Process } from '@holster/process'
import { type Home, type NodeLink, reportThrown, tellNodes } from '@holster/process/internal'
import type { Carrier, CarrierHost, Channel, Receiver } from './carrier.js'
import type { Foreign } from './handles/foreign.js'
import { setOrigin } from './handles/origin.js'
import { RemotePid } from './handles/remote.js'
import { type Identity, isSame, newIdentity } from './identity.js'
import type { NodeOptions } from './options.js'
import type { Atlas, NameAt } from './peer/atlas.js'
import { Loopback } from './peer/loopback.js'
import { Peer } from './peer/peer.js'
import { Line, type LineHost } from './session/line.js'
import type { Session } from './session/session.js'
import type { SessionEnd, SessionOptions } from './session/terms.js'
import { NAME } from './signal.js'
import { type NodeChange, NodeWatchers } from './watch-nodes.js'
import { prepare, type Way } from './wire/prepare.js'

/** How often a node says something within `tickTime`. Source: kernel, `net_tickintensity`. */
const INTENSITY = 4
const DEFAULT_TICK_TIME = 60_000
const DEFAULT_WINDOW = 4 * 1024 * 1024

/** The way of a value that is only looked at. */
const CHECKED: Way = { wireOf: () => null }

/** Two carriers may reach the same node; one way is enough. */
const DUPLICATE = 'connected already'

/** The node that this program is. */
export class RunningNode implements LineHost, Atlas, Home {
  readonly identity: Identity
  readonly options: SessionOptions
  readonly watchers = new NodeWatchers()
  readonly #onRefused: NonNullable<NodeOptions['onRefused']>
  readonly #spawn: Home['spawnAt']
  readonly #carriers: Carrier[] = []
  /** The lines, each with the name of its carrier. */
  readonly #lines = new Map<Line, string>()
  /** The lives of nodes of which something is known here. */
  readonly #peers = new Map<string, Peer>()
  /** The connected nodes by their names, in the order in which they came. */
  readonly #connected = new Map<string, Peer>()
  readonly #sessions = new Map<Session, Peer>()
  readonly #named = new Map<string, WeakRef<RemotePid>>()
  readonly #collected = new FinalizationRegistry<string>(key => {
    if (this.#named.get(key)?.deref() === undefined) this.#named.delete(key)
  })
  readonly #loopback = new Loopback()
  #ticker: NodeJS.Timeout | undefined
  #tickedAt = performance.now()

  constructor({ name, cookie, tickTime, window, onRefused }: NodeOptions, spawn: Home['spawnAt']) {
    this.identity = newIdentity(name)
    this.options = {
      // Only threads of this program are reached without a cookie, and they are given this one.
      cookie: cookie ?? randomUUID(),
      tickTime: tickTime ?? DEFAULT_TICK_TIME,
      window: window ?? DEFAULT_WINDOW,
    }
    this.#onRefused = onRefused ?? warnOfRefusal
    this.#spawn = spawn
  }

  get name(): string {
    return this.identity.name
  }

  /** The names of the connected nodes. */
  get nodes(): string[] {
    return [...this.#connected.keys()]
  }

  get links(): NodeLink[] {
    return [...this.#lines].flatMap(([{ facts }, carrier]) =>
      facts === undefined ? [] : [{ carrier, ...facts }],
    )
  }

  /** Starts a carrier. Rejects if it cannot start. */
  async start(carrier: Carrier): Promise<void> {
    this.#ticker ??= setInterval(() => this.#tick(), this.options.tickTime / INTENSITY)
    this.#carriers.push(carrier)
    await carrier.start(this.#hostOf(carrier))
  }

  /** Says goodbye to all nodes, and leaves the cluster. Rejects with the error of a carrier, once all of them have stopped. */
  async stop(): Promise<void> {
    clearInterval(this.#ticker)
    for (const line of [...this.#lines.keys()]) line.close('stopped')
    const stopped = await Promise.allSettled(this.#carriers.map(async carrier => carrier.stop()))
    this.watchers.clear()
    for (const outcome of stopped) if (outcome.status === 'rejected') throw outcome.reason
  }

  /** Says goodbye to one node; `false`: it is not connected. */
  disconnect(name: string): boolean {
    const session = this.#connected.get(name)?.session
    session?.goodbye('disconnected')
    return session !== undefined
  }

  isConnected(name: string): boolean {
    return this.#connected.has(name)
  }

  monitorNode(process: Process<NodeChange>, name: string, isOn: boolean): void {
    if (!isOn) return this.watchers.remove(process, name)
    this.watchers.add(process, name)
    if (name !== this.name && !this.isConnected(name)) process.send({ type: 'nodedown', node: name })
  }

  checkSendable(value: unknown, argument: string): void {
    prepare(value, CHECKED, argument)
  }

  spawnAt(node: string, url: string, name: string, args: readonly unknown[]): Promise<unknown> {
    return this.#spawn(node, url, name, args)
  }

  // The lines tell:

  accept(peer: Identity): string | undefined {
    if (peer.name === this.name) {
      return isSame(peer, this.identity) ? 'it is the node itself' : `the name '${peer.name}' is taken`
    }
    const known = this.#connected.get(peer.name)
    return known !== undefined && isSame(known.identity, peer) ? DUPLICATE : undefined
  }

  onUp(session: Session): void {
    if (session.peer === undefined) return
    const { name, incarnation } = session.peer
    const known = this.#connected.get(name)
    if (known !== undefined && isSame(known.identity, session.peer)) return session.end(DUPLICATE, true)
    // A name belongs to one node at a time, so that the one which had it before is gone. The new one has shown that it knows the cookie.
    known?.session?.end('replaced')
    const peer = this.#peerOf({ name, incarnation })
    this.#connected.set(name, peer)
    this.#sessions.set(session, peer)
    peer.connect(session)
    this.watchers.tell('nodeup', name)
    tellNodes('nodeup', name)
  }

  onSignals(session: Session, bytes: Uint8Array, moved: readonly ArrayBuffer[]): void {
    try {
      this.#sessions.get(session)?.take(bytes, moved)
    } catch (error) {
      // A signal that cannot be understood is lost, and whoever waits for it must hear so.
      reportThrown(this, error)
      session.end('garbled')
    }
  }

  onCongested(session: Session, isCongested: boolean): void {
    this.#sessions.get(session)?.congest(isCongested)
  }

  onOver(session: Session, _end: SessionEnd, _wasUp: boolean): void {
    const peer = this.#sessions.get(session)
    if (peer === undefined) return
    this.#sessions.delete(session)
    this.#connected.delete(peer.identity.name)
    peer.disconnect()
    this.watchers.tell('nodedown', peer.identity.name)
    tellNodes('nodedown', peer.identity.name)
    this.#forgetPeers()
  }

  onRefused(label: string, reason: string): void {
    if (reason === DUPLICATE) return
    try {
      this.#onRefused({ node: label, reason })
    } catch (error) {
      reportThrown(this, error)
    }
  }

  onLineOver(line: Line): void {
    this.#lines.delete(line)
  }

  // The peers ask:

  foreignOf(identity: Identity): Foreign {
    return this.#peerOf(identity).handles
  }

  named({ name, node }: NameAt): RemotePid {
    const key = `${node} ${name}`
    const known = this.#named.get(key)?.deref()
    if (known !== undefined) return known
    const isHere = node === this.name
    const pid = new RemotePid(node, NAME, name, () => (isHere ? this.#loopback : this.#connected.get(node)))
    setOrigin(pid, { node, incarnation: '', kind: NAME, number: name, details: undefined })
    this.#named.set(key, new WeakRef(pid))
    this.#collected.register(pid, key)
    return pid
  }

  toString(): string {
    return `#Node<${this.name}>`
  }

  #hostOf({ name }: Carrier): CarrierHost {
    return {
      identity: this.identity,
      onChannel: channel => this.#addLine(channel, name),
      onFailure: error => reportThrown(this, error),
    }
  }

  #addLine(channel: Channel, carrier: string): Receiver {
    const line = new Line(channel, this.options, this)
    this.#lines.set(line, carrier)
    // Later, so that the carrier has its receiver before the first answer.
    queueMicrotask(() => line.begin())
    return line
  }

  #peerOf(identity: Identity): Peer {
    const key = `${identity.name} ${identity.incarnation}`
    let peer = this.#peers.get(key)
    if (peer === undefined) {
      peer = new Peer(identity, this)
      this.#peers.set(key, peer)
    }
    return peer
  }

  #forgetPeers(): void {
    for (const [key, peer] of this.#peers) if (!peer.isUp && peer.handles.isEmpty) this.#peers.delete(key)
  }

  #tick(): void {
    const now = performance.now()
    const isLate = now - this.#tickedAt > (2 * this.options.tickTime) / INTENSITY
    this.#tickedAt = now
    for (const line of [...this.#lines.keys()]) {
      // Packets that have come while this program was busy are still to be read.
      if (isLate) line.forgive()
      line.tick()
    }
  }
}

function warnOfRefusal({ node, reason }: { readonly node: string; readonly reason: string }): void {
  process.emitWarning(`no connection with the node '${node}': ${reason}`, {
    type: 'NodeRefused',
    code: 'HOLSTER_NODE_REFUSED',
  })
}
