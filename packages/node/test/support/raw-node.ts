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
  /** Resolves to the next packet. */
  receive(): Promise<Packet>
}

/** Connects a scripted node to a server. */
export async function rawNode({ url }: NatsServer, name: string): Promise<RawNode> {
  const incarnation = `raw-${process.hrtime.bigint()}`
  const client = await connect({ servers: url })
  const messages = client.subscribe(`holster.to.${incarnation}.*`)[Symbol.asyncIterator]()
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
      const bytes = Buffer.from(`${String.fromCharCode(type)}${JSON.stringify(words)}`)
      client.publish(`holster.to.${to}.${incarnation}_1`, bytes, {
        reply: `holster.to.${incarnation}.${to}_1`,
      })
    },
    async receive() {
      const { value } = (await messages.next()) as { value: Msg }
      return {
        type: value.data[0] as number,
        words: JSON.parse(Buffer.from(value.data.subarray(1)).toString()),
      }
    },
    async [Symbol.asyncDispose]() {
      await client.close()
    },
  }
}
