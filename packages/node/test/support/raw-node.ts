// A scripted node: a client of NATS that says whatever a test has it say.

import { connect, type Msg } from '@nats-io/transport-node'
import type { NatsServer } from './nats-server.ts'

/** A packet of JSON. */
export interface Packet {
  readonly type: number
  readonly words: Readonly<Record<string, unknown>>
}

/** A scripted node. */
export interface RawNode extends AsyncDisposable {
  readonly incarnation: string
  /** Resolves to the incarnation of the node that has a name. */
  incarnationOf(name: string): Promise<string>
  /** Says that the node is there. */
  announce(): void
  /** Sends a packet of JSON to a node. */
  say(to: string, type: number, words: object): void
  /** Sends a parcel to a node, as it does in its first or a later connection to the server. */
  sayBytes(to: string, bytes: string | Uint8Array, connection?: number): void
  /** Resolves to the next parcel. */
  receiveBytes(): Promise<Buffer>
  /** Resolves to the next packet of JSON. */
  receive(): Promise<Packet>
}

/** Connects a scripted node to a server. */
export async function rawNode({ url }: NatsServer, name: string): Promise<RawNode> {
  const incarnation = `raw-${process.hrtime.bigint()}`
  const client = await connect({ servers: url })
  const messages = client.subscribe(`holster.to.${incarnation}.*`)[Symbol.asyncIterator]()
  const receiveBytes = async () => Buffer.from(((await messages.next()) as { value: Msg }).value.data)
  const sayBytes = (to: string, bytes: string | Uint8Array, connection = 1) => {
    const reply = `holster.to.${incarnation}.${to}_1`
    client.publish(`holster.to.${to}.${incarnation}_${connection}`, bytes, { reply })
  }
  return {
    incarnation,
    async incarnationOf(other) {
      const options = { noMux: true, reply: `holster.reply.${incarnation}`, timeout: 60_000 }
      return (await client.request(`holster.name.${other}`, '', options)).json<{ incarnation: string }>()
        .incarnation
    },
    announce() {
      client.publish('holster.here', JSON.stringify({ name, incarnation, connection: 1, since: 1 }))
    },
    say(to, type, words) {
      sayBytes(to, `${String.fromCharCode(type)}${JSON.stringify(words)}`)
    },
    sayBytes,
    receiveBytes,
    async receive() {
      const bytes = await receiveBytes()
      return { type: bytes.readUInt8(0), words: JSON.parse(bytes.toString('utf8', 1)) }
    },
    // The server knows then that nobody is there any more.
    [Symbol.asyncDispose]: () => client.drain(),
  }
}
