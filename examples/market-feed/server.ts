/** The exchange: a server of WebSockets that sends the ticks of one symbol each, and misbehaves by a seed. */

import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as passed } from 'node:timers/promises'
import { type WebSocket, WebSocketServer } from 'ws'
import { chance } from './chance.ts'
import type { End, Request, Tick } from './tick.ts'

/** The faults that come in place of a tick: each once, at a tick that the seed has chosen. */
export const FAULTS = ['drop', 'refusal', 'silence', 'garbage', 'gap'] as const
export type Fault = (typeof FAULTS)[number]

const REFUSAL = 'HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n'

export interface ExchangeOptions {
  readonly seed: number
  /** The number of each symbol's last tick; `Infinity` for trading without an end. */
  readonly last: number
  /** The milliseconds between two ticks of a subscription. */
  readonly pace: number
  /** The part of the ticks that has a fault, from 0 to 1. */
  readonly faultRate: number
}

/** Gives the fault that comes in place of a tick, if one does. */
export function faultAt(
  { seed, faultRate }: ExchangeOptions,
  symbol: string,
  seq: number,
): Fault | undefined {
  const drawn = chance(seed, symbol, seq)
  return drawn < faultRate ? FAULTS[Math.floor((drawn / faultRate) * FAULTS.length)] : undefined
}

export const tickOf = (symbol: string, seq: number): Tick => ({
  type: 'tick',
  symbol,
  seq,
  price: 5000 + Math.floor(chance(0, symbol, seq) * 10_000),
})

export class Exchange implements AsyncDisposable {
  /** How often each fault has happened. */
  readonly faults: Record<Fault, number> = { drop: 0, refusal: 0, silence: 0, garbage: 0, gap: 0 }
  readonly #options: ExchangeOptions
  readonly #http = createServer()
  // A silent exchange does not answer pings either.
  readonly #webSockets = new WebSocketServer({ noServer: true, autoPong: false })
  readonly #happened = new Set<string>()
  /** The symbols whose next upgrade is refused. */
  readonly #refused = new Set<string>()

  constructor(options: ExchangeOptions) {
    this.#options = options
    this.#http.on('upgrade', (request, socket, head) => {
      const symbol = symbolOf(request)
      if (this.#refused.delete(symbol)) return void socket.end(REFUSAL)
      this.#webSockets.handleUpgrade(request, socket, head, client => this.#serve(client, symbol))
    })
  }

  get port(): number {
    return (this.#http.address() as AddressInfo).port
  }

  async listen(port = 0): Promise<void> {
    this.#http.listen(port, '127.0.0.1')
    await once(this.#http, 'listening')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#webSockets.clients) client.terminate()
    this.#http.close()
    this.#http.closeAllConnections()
    await once(this.#http, 'close')
  }

  #serve(client: WebSocket, symbol: string): void {
    const subscription = new Subscription(client, symbol, this.#options, seq => this.#faultNow(symbol, seq))
    const hear = (request: Request): void => {
      if (request.type === 'subscribe') void subscription.run(request.from)
      else for (let seq = request.from; seq <= request.to; seq++) send(client, tickOf(symbol, seq))
    }
    client.on('message', data => {
      try {
        hear(JSON.parse(String(data)))
      } catch {
        client.close(1008, 'garbage')
      }
    })
  }

  #faultNow(symbol: string, seq: number): Fault | undefined {
    const fault = faultAt(this.#options, symbol, seq)
    const key = `${symbol}/${seq}`
    if (fault === undefined || this.#happened.has(key)) return undefined
    this.#happened.add(key)
    this.faults[fault]++
    if (fault === 'refusal') this.#refused.add(symbol)
    return fault
  }
}

export async function startExchange(options: ExchangeOptions): Promise<Exchange> {
  const exchange = new Exchange(options)
  await exchange.listen()
  return exchange
}

/** A WebSocket on which ticks are sent, until a fault ends that. */
class Subscription {
  #isSilent = false

  constructor(
    readonly client: WebSocket,
    readonly symbol: string,
    readonly options: ExchangeOptions,
    readonly faultAt: (seq: number) => Fault | undefined,
  ) {
    client.on('ping', data => this.#isSilent || client.pong(data))
    client.on('error', () => client.terminate())
  }

  async run(from: number): Promise<void> {
    const { client, symbol, options } = this
    for (let seq = from; seq <= options.last; seq++) {
      if (options.pace > 0) await passed(options.pace, undefined, { ref: false })
      if (client.readyState !== client.OPEN) return
      switch (this.faultAt(seq)) {
        case undefined:
          send(client, tickOf(symbol, seq))
          break
        case 'gap':
          break
        case 'garbage':
          client.send(`{"type":"tick","seq":${seq},"pri`)
          break
        case 'silence':
          this.#isSilent = true
          return
        default:
          return client.terminate()
      }
    }
    send(client, { type: 'end', last: options.last })
  }
}

function send(client: WebSocket, message: Tick | End): void {
  client.send(JSON.stringify(message))
}

function symbolOf({ url = '' }: IncomingMessage): string {
  return url.slice(url.lastIndexOf('/') + 1)
}
