/** The server's side of one connection, in the hands of a script. */

import type net from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import tls from 'node:tls'
import { checkChoice, checkObject } from '@holster/process/internal'
import { certificates } from './certificates.js'
import { parseHead, type RequestHead } from './request-head.js'

/**
 * The server's side of one connection. Strings are sent as UTF-8, and heads are read as latin1. A promise that a script does not
 * await never crashes the program.
 */
export interface Peer {
  /** The socket; over TLS, the one with the decrypted bytes. */
  readonly socket: net.Socket | tls.TLSSocket
  /**
   * Resolves to the bytes up to and including `until`, or to exactly so many bytes; those beyond stay for the next receive. Receives are
   * answered in the order in which they were made. Rejects with `ClientGone` if the client ends its side before, or is gone. Throws a
   * TypeError unless `until` is a text that is not empty, or a whole number from 0 on.
   */
  receive(until: string | number): Promise<Buffer>
  /** Resolves to the head of a request; its body, if it has one, is for `receive`. Rejects as `receive` does, and for a head that is none. */
  receiveRequest(): Promise<RequestHead>
  /** Resolves to all bytes until the client ends its side. Rejects with `ClientGone` if the connection is reset. */
  receiveAll(): Promise<Buffer>
  /**
   * Sends bytes, and resolves when they were handed to the system. `'bytes'` makes one write per byte, each with a turn of the event loop of
   * its own, so that the client reads them singly; `'whole'`, the default, makes one write. Rejects with `ClientGone` if the client is gone. Throws a TypeError if an argument is wrong.
   */
  send(bytes: string | Uint8Array, how?: 'whole' | 'bytes'): Promise<void>
  /** Ends the server's side in order, after these bytes if there are any. Throws a TypeError for what are none. */
  end(bytes?: string | Uint8Array): void
  /** Resets the connection (RST). A Unix socket cannot be reset, and is destroyed. */
  reset(): void
  /** Resolves when the client has ended its side, or its connection is gone. */
  readonly closed: Promise<void>
  /**
   * Gives the socket, paused, with the bytes put back that nobody has received: for piping, or to hand to another server. Receives reject
   * from then on. Throws an Error if it was called before.
   */
  detach(): net.Socket
  /**
   * Speaks TLS on this connection from here on, as behind a CONNECT, and resolves to the peer to use from then on. `options` go over the
   * identity `certificates.server`. Rejects with `ClientGone` if the handshake fails.
   */
  secure(options?: tls.TlsOptions): Promise<Peer>
}

/** Rejects what a script waits for when the client has gone first. A script that ends with it has not failed. */
export class ClientGone extends Error {
  /** `'ClientGone'`. */
  override readonly name = 'ClientGone'
}

const ignore = (): void => {}

/** Keeps a promise that a script has dropped from crashing the process. */
function guarded<T>(promise: Promise<T>): Promise<T> {
  promise.catch(ignore)
  return promise
}

function checkUntil(until: unknown): void {
  if (typeof until === 'string' ? until !== '' : Number.isSafeInteger(until) && Number(until) >= 0) return
  throw new TypeError('until must be a text that is not empty, or a whole number from 0 on')
}

function checkBytes(bytes: unknown): void {
  if (typeof bytes !== 'string' && !(bytes instanceof Uint8Array))
    throw new TypeError('bytes must be a string or a Uint8Array')
}

/** Makes the peer of a socket. `carrier` is what is reset; once the script has `returned`, the client's end is answered by itself. */
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
    checkUntil(until)
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
        // Node tells of no error where a socket was destroyed with bytes that still waited.
        if (!error && !socket.destroyed) resolve()
        else if (error && 'code' in error && error.code === 'ERR_STREAM_WRITE_AFTER_END') reject(error)
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

  async function secure(options: tls.TlsOptions): Promise<Peer> {
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
    send: (bytes, how = 'whole') => {
      checkBytes(bytes)
      checkChoice('how', how, ['whole', 'bytes'])
      return guarded(send(bytes, how))
    },
    secure: (options = {}) => {
      checkObject(options)
      return guarded(secure(options))
    },
    end: bytes => {
      if (bytes !== undefined) checkBytes(bytes)
      bytes === undefined ? socket.end() : socket.end(bytes)
    },
    reset: () => {
      // Only a TCP handle can be reset, so below TLS it is the carrier that is.
      if (carrier.remotePort !== undefined) carrier.resetAndDestroy()
      socket.destroy()
    },
  }
}

/** Makes a promise that is resolved from outside. */
export function defer(): { promise: Promise<void>; resolve: () => void } {
  let resolve = ignore
  const promise = new Promise<void>(settle => {
    resolve = settle
  })
  return { promise, resolve }
}
