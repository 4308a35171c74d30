/** Scripted servers on real sockets: over the wire goes exactly what a script sends. */

import net from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import tls from 'node:tls'
import type * as gun from '@holster/gun'
import { checkChoice, checkNames, checkObject } from '@holster/process/internal'
import { certificates } from './certificates.js'
import { ClientGone, createPeer, defer, type Peer } from './peer.js'
import { closer, listen, type Place, type Transport } from './place.js'

/** A server of a test: listens on loopback, and is closed by `await using`. */
export interface TestServer extends AsyncDisposable, Place {
  /**
   * The options with which a connection reaches the server: over TLS the transport and the authority, otherwise none.
   * `gun.open(server.host, server.port, { ...server.opts, owner })`.
   */
  readonly opts: gun.Opts
  /** Destroys every connection, resolves when all is closed, and rejects with the first failure of a script not reported yet. */
  close(): Promise<void>
}

/** A server that does what a script says. */
export interface ScriptedServer extends TestServer {
  /** How many connections were accepted so far, with those whose TLS handshake failed. */
  readonly connections: number
  /** Why TLS handshakes failed, as the server saw it. */
  readonly handshakeErrors: readonly Error[]
  /**
   * Resolves when each script that has begun has returned, and rejects with the first failure not reported yet. To be awaited before the
   * server is closed where a script checks what the client sends last.
   */
  finished(): Promise<void>
}

/** Options for a server of a test. */
export interface ServerOptions {
  /** How clients reach the server; default `'tcp'`. */
  readonly transport?: Transport
  /** The address to listen on; default 127.0.0.1. */
  readonly host?: string
  /** The port to listen on; default any that is free. */
  readonly port?: number
  /** Options for TLS, such as another of the `certificates`. */
  readonly tls?: tls.TlsOptions
}

/** Options for `startServer`. */
export interface ScriptedServerOptions extends ServerOptions {
  /** Gets the failures of scripts, in place of `finished()` and `close()`, with the number of the script. If it throws, that has failed instead. */
  readonly onError?: (error: unknown, index: number) => void
}

/** Talks to one connection; `index` counts connections from 0. A script that throws has failed, unless it throws `ClientGone`. */
export type Script = (peer: Peer, index: number) => unknown

const ignore = (): void => {}

/** Gives the options with which a connection reaches a server over a transport. */
export function optsFor(transport: Transport): gun.Opts {
  return transport === 'tls' ? { transport, tlsOpts: { ca: certificates.ca } } : {}
}

/** Throws a TypeError unless `answer` is a function, and `options` those of a server of a test, of which some have `more`. */
export function checkArguments(
  [argument, answer]: readonly [argument: string, answer: unknown],
  options: ServerOptions,
  what: string,
  more: string,
): void {
  if (typeof answer !== 'function') throw new TypeError(`${argument} must be a function`)
  checkNames(options, ['transport', 'host', 'port', 'tls', more], what)
  const { transport = 'tcp', tls } = options
  checkChoice('options.transport', transport, ['tcp', 'tls', 'unix'])
  if (tls !== undefined) checkObject(tls, 'options.tls')
}

/**
 * Starts a server on loopback that runs `script` for each connection, over TLS once the handshake is done. Nothing is sent but what the
 * script sends. Once the script has returned, the client's end is answered; a script that fails destroys its connection, so that the
 * client does not wait for an answer. Rejects with a TypeError if an argument is wrong. Source: Elixir's Bypass.
 */
export async function startServer(
  script: Script,
  options: ScriptedServerOptions = {},
): Promise<ScriptedServer> {
  checkArguments(['script', script], options, 'startServer', 'onError')
  const { transport = 'tcp', onError } = options
  if (onError !== undefined && typeof onError !== 'function')
    throw new TypeError('options.onError must be a function')
  const sockets = new Set<net.Socket>()
  const carriers = new Map<number | undefined, net.Socket>()
  const running = new Set<Promise<void>>()
  const handshakeErrors: Error[] = []
  const failures: unknown[] = []
  let connections = 0
  let scripts = 0

  function tell(error: unknown, index: number): void {
    if (onError === undefined) return void failures.push(error)
    try {
      onError(error, index)
    } catch (thrown) {
      failures.push(thrown)
    }
  }

  // Each send leaves at once: a second small one would otherwise wait until the client's system has acknowledged the first.
  const settings = { allowHalfOpen: true, noDelay: true }
  const server =
    transport === 'tls'
      ? tls.createServer({ ...settings, ...certificates.server, ...options.tls })
      : net.createServer(settings)

  server.on('connection', (socket: net.Socket) => {
    const { remotePort } = socket
    connections += 1
    sockets.add(socket)
    carriers.set(remotePort, socket)
    socket.on('error', ignore).once('close', () => {
      sockets.delete(socket)
      if (carriers.get(remotePort) === socket) carriers.delete(remotePort)
    })
  })
  server.on('tlsClientError', (error: Error) => handshakeErrors.push(error))
  server.on(transport === 'tls' ? 'secureConnection' : 'connection', (socket: net.Socket) => {
    const carrier = carriers.get(socket.remotePort) ?? socket
    const returned = defer()
    const peer = createPeer(socket, carrier, returned.promise)
    const index = scripts
    scripts += 1
    const run = (async (): Promise<void> => {
      try {
        await script(peer, index)
      } catch (error) {
        if (error instanceof ClientGone) return
        // Otherwise the client would wait for an answer until the test times out, and hide the reason.
        socket.destroy()
        carrier.destroy()
        tell(error, index)
      } finally {
        returned.resolve()
      }
    })()
    running.add(run)
    run.finally(() => running.delete(run))
  })

  const place = await listen(server, transport, options)

  function fail(): void {
    if (failures.length > 0) throw failures.splice(0)[0]
  }

  const shut = closer(server, () => {
    for (const socket of sockets) socket.destroy()
  })

  async function close(): Promise<void> {
    await shut()
    // A script that was waiting for its client gets to see that it is gone, and to fail.
    await turn()
    fail()
  }

  return {
    ...place,
    opts: optsFor(transport),
    get connections() {
      return connections
    },
    handshakeErrors,
    async finished() {
      while (running.size > 0) await Promise.all(running)
      fail()
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}
