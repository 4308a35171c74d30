/** The jobs of the benchmark of nodes: messages from one thread of a program to another, and back. */

/** By what messages travel. */
export type Way = 'threads' | 'nats'

/** A piece of work, as the coordinator gives it to a client's process. */
export interface Job {
  /** Whether each message comes back before the next one is sent; otherwise they are sent as many as there are in a turn. */
  readonly isEcho: boolean
  /** How many characters the text of a message has. */
  readonly size: number
  readonly count: number
}

/** How many messages are sent in one turn of the event loop. */
export const TURN = 256

/** The message that travels. */
export interface Parcel {
  readonly type: 'parcel'
  readonly text: string
}

/** The way to the other thread. */
export interface Client {
  /** Starts the other side. `servers` says where the NATS server is, if messages travel by it. */
  connect(servers: string | undefined): Promise<Line>
}

/** The way to the other thread, once it listens. */
export interface Line {
  /** Sends a message. */
  send(message: Parcel): void
  /** Resolves to the next message that comes back. */
  receive(): Promise<unknown>
  /** Resolves once the other side has got so many messages since the last call. */
  arrived(count: number): Promise<void>
}

/** Gives what the bare client of NATS publishes: the text of a parcel, or JSON, which begins with a brace. */
export function write(message: { readonly type: string; readonly text?: string }): string {
  return message.type === 'parcel' ? (message.text ?? '') : JSON.stringify(message)
}

/** Reads what `write` gives. */
export function read(text: string): unknown {
  return text.startsWith('{') ? JSON.parse(text) : { type: 'parcel', text }
}
