/** The chat: rooms that remember what was said, and a server that is short of time and loses connections. */

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Heard, Said, Told } from './message.ts'

const REFUSAL = 'HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n'

export interface ChatOptions {
  readonly secret: string
  /** How many upgrades are refused at first, with 503. Default 0. */
  readonly refusals?: number
  /** How many log-ins are told to come later. Default 0. */
  readonly laters?: number
}

export class Chat implements AsyncDisposable {
  /** How many connections were lost, by `drop`. */
  dropped = 0
  /** How many log-ins have succeeded. */
  logins = 0
  readonly #http = createServer()
  readonly #webSockets = new WebSocketServer({ noServer: true })
  readonly #rooms = new Map<string, Room>()
  readonly #secret: string
  #refusals: number
  #laters: number

  constructor({ secret, refusals = 0, laters = 0 }: ChatOptions) {
    this.#secret = secret
    this.#refusals = refusals
    this.#laters = laters
    this.#http.on('upgrade', (request, socket, head) => {
      if (this.#refusals-- > 0) return void socket.end(REFUSAL)
      this.#webSockets.handleUpgrade(request, socket, head, client => this.#serve(client))
    })
  }

  get port(): number {
    return (this.#http.address() as AddressInfo).port
  }

  room(name: string): Room {
    const room = this.#rooms.get(name) ?? new Room(name)
    this.#rooms.set(name, room)
    return room
  }

  /** Loses all connections without a word, as a crash would. */
  drop(): void {
    this.dropped += this.#webSockets.clients.size
    for (const client of this.#webSockets.clients) client.terminate()
  }

  /** Sends all clients half of a message. */
  garble(): void {
    for (const client of this.#webSockets.clients) client.send('{"type":"said","ro')
  }

  async listen(): Promise<void> {
    this.#http.listen(0, '127.0.0.1')
    await once(this.#http, 'listening')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#webSockets.clients) client.terminate()
    this.#http.close()
    this.#http.closeAllConnections()
    await once(this.#http, 'close')
  }

  #serve(client: WebSocket): void {
    let name: string | undefined
    client.on('error', () => client.terminate())
    const hear = (message: Told): void => {
      if (message.type === 'login') {
        const answer = this.#logIn(message.secret)
        if (answer.type === 'welcome') name = message.name
        send(client, answer)
      } else if (name === undefined) {
        client.close(1008, 'log in first')
      } else if (message.type === 'join') {
        this.room(message.room).join(client, message.after)
      } else {
        this.room(message.room).say(name, message.text)
      }
    }
    client.on('message', data => {
      try {
        hear(JSON.parse(String(data)))
      } catch {
        client.close(1008, 'garbage')
      }
    })
  }

  #logIn(secret: string): Heard {
    if (secret !== this.#secret) return { type: 'denied' }
    if (this.#laters-- > 0) return { type: 'later', ms: 50 }
    this.logins++
    return { type: 'welcome' }
  }
}

/** A room lets all who have joined it hear whatever is said there, the speaker too. */
export class Room {
  readonly #history: Said[] = []
  readonly #clients = new Set<WebSocket>()
  readonly #listeners = new Set<(said: Said) => void>()

  constructor(readonly name: string) {}

  get history(): readonly Said[] {
    return this.#history
  }

  /** Has a function hear all that is said from now on, until what it gives is called. */
  listen(listener: (said: Said) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  join(client: WebSocket, after: number): void {
    for (const said of this.#history.slice(after)) send(client, said)
    send(client, { type: 'joined', room: this.name })
    this.#clients.add(client)
    client.once('close', () => this.#clients.delete(client))
  }

  say(from: string, text: string): void {
    const said: Said = { type: 'said', room: this.name, id: this.#history.length + 1, from, text }
    this.#history.push(said)
    for (const client of this.#clients) send(client, said)
    for (const listener of this.#listeners) listener(said)
  }
}

export async function startChat(options: ChatOptions): Promise<Chat> {
  const chat = new Chat(options)
  await chat.listen()
  return chat
}

function send(client: WebSocket, message: Heard): void {
  client.send(JSON.stringify(message))
}
