// Scripted servers on real sockets: what goes over the wire is exactly what a script sends.

import net from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import tls from 'node:tls'
import { certificates } from './certificates.ts'
import { closer, listen, type Place, type Transport } from './place.ts'
import { streamEnds } from './stream-ends.ts'

export type { Transport } from './place.ts'

export interface Origin extends AsyncDisposable, Place {
  /** Connections accepted so far, also those whose TLS handshake failed. */
  readonly connections: number
  /** Why TLS handshakes failed, as this side saw it. */
  readonly handshakeErrors: readonly Error[]
  /** Resolves when every script has returned; rejects with the first failure. Await it before `close()`
   * where a script asserts something about bytes that the client sends last. */
  finished(): Promise<void>
  /** Destroys every socket, waits until all is closed, rejects with the first failure not yet reported. */
  close(): Promise<void>
}

export interface OriginOptions {
  transport?: Transport
  host?: string
  /** Default: any that is free. */
  port?: number
  /** Goes over the default `certificates.server`. */
  tls?: tls.TlsOptions
  /** Takes failures of scripts in place of `finished()` and `close()`. */
  onError?: (error: unknown, index: number) => void
}

export interface RequestHead {
  readonly head: string
  readonly method: string
  readonly path: string
  readonly version: string
  /** Names as they were sent. */
  readonly headers: [string, string][]
  readonly raw: Buffer
  /** The first value of a name in any case. */
  header(name: string): string | undefined
}

/** The server's side of one connection. Strings are sent as UTF-8 and heads are read as latin1. */
export interface Peer {
  readonly socket: net.Socket | tls.TLSSocket
  /** Bytes up to and including a delimiter, or exactly so many; what lies beyond stays for the next receive.
   * Receives are answered in the order they were made. */
  receive(until: string | number): Promise<Buffer>
  receiveRequest(): Promise<RequestHead>
  /** All until the client ends its side; a reset rejects. */
  receiveAll(): Promise<Buffer>
  /** 'bytes': one write per byte, each flushed and given a turn of the event loop. */
  send(bytes: string | Uint8Array, how?: 'whole' | 'bytes'): Promise<void>
  end(bytes?: string | Uint8Array): void
  /** RST. A unix socket has none and is destroyed. */
  reset(): void
  /** Resolves when the client has ended its side, or its connection is gone. */
  readonly closed: Promise<void>
  /** The socket itself, paused, unread bytes put back: for piping, or to hand to another server. */
  detach(): net.Socket
  /** TLS on top of this connection, as behind a CONNECT: use the peer it gives from then on. */
  secure(options?: tls.TlsOptions): Promise<Peer>
}

/** The client went first: it ends a script without being a failure. */
export class ClientGone extends Error {
  override name = 'ClientGone'
}

export type Script = (peer: Peer, index: number) => unknown

const ignore = (): void => {}

/** So that a promise which a script has dropped cannot crash the process. */
function guarded<T>(promise: Promise<T>): Promise<T> {
  promise.catch(ignore)
  return promise
}

function parseHead(raw: Buffer): RequestHead {
  const head = raw.toString('latin1')
  const [requestLine = '', ...lines] = head.slice(0, -4).split('\r\n')
  const [, method, path, version] = /^(\S+) (\S+) (\S+)$/.exec(requestLine) ?? []
  if (method === undefined || path === undefined || version === undefined) {
    throw new Error(`not a request line: ${JSON.stringify(requestLine)}`)
  }
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(':')
    if (colon < 1) throw new Error(`not a header: ${JSON.stringify(line)}`)
    return [line.slice(0, colon), line.slice(colon + 1).trim()]
  })
  const header = (name: string) => headers.find(([sent]) => sent.toLowerCase() === name.toLowerCase())?.[1]
  return { head, method, path, version, headers, raw, header }
}

/** `carrier` is what is reset; once the script has `returned`, the client's end is answered by itself. */
export function createPeer(socket: net.Socket, carrier: net.Socket, returned: Promise<void>): Peer {
  let chunks: Buffer[] = []
  let length = 0
  let state: 'open' | 'ended' | 'gone' | 'detached' = 'open'
  let failure: Error | undefined
  let arrived = ignore
  let previous: Promise<unknown> = Promise.resolve()
  const { promise: closed, resolve: resolveClosed } = defer()

  const onData = (chunk: Buffer): void => {
    chunks.push(chunk)
    length += chunk.length
    arrived()
  }
  const settle = (next: 'ended' | 'gone') => (): void => {
    if (state === 'open') state = next
    resolveClosed()
    arrived()
  }
  const onEnd = settle('ended')
  const onClose = settle('gone')
  socket.on('data', onData).on('end', onEnd).on('close', onClose)
  socket.on('error', error => {
    failure = error
  })
  // Half-open is the script's to use while it runs; afterwards nobody else would answer the client's end.
  Promise.all([returned, closed]).then(() => {
    if (state !== 'detached') socket.end()
  })

  function unread(): Buffer {
    const [first] = chunks
    const bytes = chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks)
    chunks = [bytes]
    return bytes
  }

  function take(count: number): Buffer {
    const bytes = unread()
    chunks = [bytes.subarray(count)]
    length -= count
    return bytes.subarray(0, count)
  }

  async function wait(what: string, ready: () => number | undefined): Promise<Buffer> {
    const paused = socket.isPaused()
    if (paused && state === 'open') socket.resume()
    try {
      for (;;) {
        if (state === 'detached') throw new Error(`receive of ${what}: this peer was detached`)
        const count = ready()
        if (count !== undefined) return take(count)
        if (state !== 'open') {
          const how = state === 'ended' ? 'ended its side' : 'is gone'
          const rest = JSON.stringify(unread().subarray(0, 200).toString('latin1'))
          throw new ClientGone(`receive of ${what}: the client ${how} after ${length} bytes: ${rest}`, {
            cause: failure,
          })
        }
        await new Promise<void>(resolve => {
          arrived = resolve
        })
      }
    } finally {
      if (paused && state === 'open') socket.pause()
    }
  }

  function enqueue(what: string, ready: () => number | undefined): Promise<Buffer> {
    const result = guarded(previous.then(() => wait(what, ready)))
    previous = result.catch(ignore)
    return result
  }

  function receive(until: string | number): Promise<Buffer> {
    if (typeof until === 'number')
      return enqueue(`${until} bytes`, () => (length >= until ? until : undefined))
    return enqueue(`bytes until ${JSON.stringify(until)}`, () => {
      const at = unread().indexOf(until)
      return at < 0 ? undefined : at + Buffer.byteLength(until)
    })
  }

  const write = (bytes: string | Uint8Array): Promise<void> =>
    new Promise((resolve, reject) => {
      socket.write(bytes, error => {
        if (!error) resolve()
        else if ('code' in error && error.code === 'ERR_STREAM_WRITE_AFTER_END') reject(error)
        else reject(new ClientGone('send: the client is gone', { cause: error }))
      })
    })

  async function send(bytes: string | Uint8Array, how: 'whole' | 'bytes'): Promise<void> {
    if (how === 'whole') return write(bytes)
    socket.setNoDelay(true)
    // From inside a data event the next turn comes before the client is polled; after an immediate it does not.
    await turn()
    for (const byte of Buffer.from(bytes)) {
      await write(Buffer.of(byte))
      await turn()
    }
  }

  function detach(): net.Socket {
    if (state === 'detached') throw new Error('this peer was already detached')
    const bytes = unread()
    state = 'detached'
    socket.off('data', onData).off('end', onEnd)
    socket.pause()
    if (bytes.length > 0) socket.unshift(bytes)
    arrived()
    return socket
  }

  async function secure(options?: tls.TlsOptions): Promise<Peer> {
    const inner = new Promise<tls.TLSSocket>((resolve, reject) => {
      tls
        .createServer({ allowHalfOpen: true, ...certificates.server, ...options }, resolve)
        .on('tlsClientError', cause => reject(new ClientGone('the TLS handshake failed', { cause })))
        .emit('connection', detach())
      // A client that goes away in the middle of the handshake is not always an error to the TLS server.
      socket.once('close', () => reject(new ClientGone('the client is gone')))
    })
    return createPeer(await inner, carrier, returned)
  }

  return {
    socket,
    closed,
    receive,
    detach,
    receiveRequest: () => guarded(receive('\r\n\r\n').then(parseHead)),
    receiveAll: () => enqueue('all bytes', () => (state === 'ended' ? length : undefined)),
    send: (bytes, how = 'whole') => guarded(send(bytes, how)),
    secure: options => guarded(secure(options)),
    end: bytes => {
      bytes === undefined ? socket.end() : socket.end(bytes)
    },
    reset: () => {
      // Only a TCP handle can be reset, so below TLS it is the carrier that is.
      if (carrier.remotePort !== undefined) carrier.resetAndDestroy()
      socket.destroy()
    },
  }
}

function defer(): { promise: Promise<void>; resolve: () => void } {
  let resolve = ignore
  const promise = new Promise<void>(settle => {
    resolve = settle
  })
  return { promise, resolve }
}

export async function origin(script: Script, options: OriginOptions = {}): Promise<Origin> {
  const { transport = 'tcp', onError } = options
  const sockets = new Set<net.Socket>()
  const carriers = new Map<number | undefined, net.Socket>()
  const running = new Set<Promise<void>>()
  const handshakeErrors: Error[] = []
  const failures: unknown[] = []
  let connections = 0
  let scripts = 0

  const server =
    transport === 'tls'
      ? tls.createServer({ allowHalfOpen: true, ...certificates.server, ...options.tls })
      : net.createServer({ allowHalfOpen: true })

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
        if (onError) onError(error, index)
        else failures.push(error)
        // Else the client would wait for an answer until the test times out, and hide the reason.
        socket.destroy()
        carrier.destroy()
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
    streamEnds.assert()
  }

  return {
    ...place,
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
