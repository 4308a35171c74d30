/** SOCKS5 (RFC 1928): asks a server for a tunnel, through which another protocol takes over. */

import { GunError, type GunErrorCode } from '../errors.js'
import type { StreamRef } from '../handles.js'
import type { Goal } from '../layer/commands.js'
import type { Host, Protocol } from '../layer/contract.js'
import type { SocksAuth } from '../options/tunnel.js'
import { SocksClient } from './socks/client.js'
import { SOCKS_CODES, socksAddressOf } from './socks-address.js'

export class Socks implements Protocol {
  readonly name = 'socks'
  readonly stateName = 'connected_no_input'
  readonly #host: Host
  readonly #goal: Goal
  /** The stream of the tunnel that the server was reached through. */
  readonly #tunnel: StreamRef | undefined
  readonly #client: SocksClient

  constructor(host: Host, goal: Goal, auth: readonly SocksAuth[], tunnel: StreamRef | undefined) {
    this.#host = host
    this.#goal = goal
    this.#tunnel = tunnel
    this.#client = new SocksClient(socksAddressOf(goal.address ?? goal.host), goal.port, auth)
    host.outlet.write(this.#client.greeting)
  }

  handle(chunk: Buffer): void {
    this.#client.push(chunk)
    for (let value = this.#client.next(); value !== undefined; value = this.#client.next()) {
      switch (value.type) {
        case 'send':
          this.#host.outlet.write(value.bytes)
          break
        case 'failed':
          return this.#host.lost(this.#failure(SOCKS_CODES[value.failure], value.text))
        case 'connected':
          this.#host.heard()
          return this.#host.enter(
            { type: 'socks5', protocol: 'socks', streamRef: this.#tunnel, goal: this.#goal },
            value.rest,
          )
      }
    }
  }

  end(reason: GunError | undefined): void {
    this.#host.lost(reason ?? this.#failure('closed', 'the SOCKS server closed the connection'))
  }

  finish(): number {
    return 0
  }

  abort(): readonly [] {
    return []
  }

  streamInfo(): undefined {
    return undefined
  }

  foresee(): undefined {
    return undefined
  }

  #failure(code: GunErrorCode, text: string): GunError {
    const { host, port } = this.#goal
    return new GunError(code, 'connection_error', `no tunnel to ${host.uriHost}:${port}: ${text}`)
  }
}
