/** The backend: a server of HTTP/2 that fails on purpose, each request as was planned for it. */

import { once } from 'node:events'
import {
  constants,
  createServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import type { AddressInfo } from 'node:net'

/**
 * A request is refused before it is looked at, reset in the middle, answered with 503, or with 413 before its body has come, lost with
 * its connection, never answered, or answered once the backend is told to.
 */
export type Fault = 'refuse' | 'reset' | 'busy' | 'too_large' | 'cut' | 'hang' | 'hold'

export class BackendServer implements AsyncDisposable {
  /** Each request that has come: its method and path, and the milliseconds that it was given. */
  readonly heard: { readonly request: string; readonly timeout: number }[] = []
  /** The bytes of uploads that were read, and those of downloads that were given to be sent. */
  received = 0
  sent = 0
  /** The streams that have not ended, and the requests that had an answer. */
  underWay = 0
  answered = 0
  readonly #server = createServer()
  readonly #sessions = new Set<ServerHttp2Session>()
  readonly #plans = new Map<string, Fault[]>()
  readonly #held = new Map<string, () => void>()
  /** Resolves when uploads may be read. */
  #gate: Promise<void> = Promise.resolve()
  #onHeld: () => void = () => undefined

  constructor() {
    this.#server.on('session', session => {
      this.#sessions.add(session)
      session.on('close', () => this.#sessions.delete(session))
      session.on('error', () => undefined)
    })
    this.#server.on('stream', (stream, headers) => {
      this.underWay++
      stream.on('close', () => this.underWay--)
      // A stream that its client has reset fails whatever is done with it.
      stream.on('error', () => undefined)
      this.#serve(stream, headers).catch(() => stream.close())
    })
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
  }

  /** Has the next requests for this method and path fail so, one after the other. */
  plan(request: string, ...faults: readonly Fault[]): void {
    this.#plans.set(request, [...faults])
  }

  /** Resolves when a request is held, to the function that has it answered. */
  async held(request: string): Promise<() => void> {
    for (;;) {
      const release = this.#held.get(request)
      if (release !== undefined) return release
      await new Promise<void>(resolve => {
        this.#onHeld = resolve
      })
    }
  }

  /** Reads no upload until what this gives is called. */
  stall(): () => void {
    let open: () => void = () => undefined
    this.#gate = new Promise(resolve => {
      open = resolve
    })
    return open
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const session of this.#sessions) session.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }

  async #serve(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Promise<void> {
    const request = `${headers[':method']} ${headers[':path']}`
    this.heard.push({ request, timeout: Number(headers['x-timeout-ms']) })
    const fault = this.#plans.get(request)?.shift()
    switch (fault) {
      case 'refuse':
        return stream.close(constants.NGHTTP2_REFUSED_STREAM)
      case 'reset':
        return stream.close(constants.NGHTTP2_INTERNAL_ERROR)
      case 'cut':
        return stream.session?.destroy()
      case 'hang':
        return
      case 'busy':
      case 'too_large':
        stream.respond({ ':status': fault === 'busy' ? 503 : 413 })
        return void stream.end()
      case 'hold':
        await new Promise<void>(release => {
          this.#held.set(request, release)
          this.#onHeld()
        })
    }
    await this.#answer(stream, headers)
  }

  async #answer(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Promise<void> {
    const { ':method': method, ':path': path = '/' } = headers
    let size = 0
    for await (const chunk of stream) {
      await this.#gate
      size += chunk.length
      this.received += chunk.length
    }
    this.answered++
    stream.respond({ ':status': method === 'GET' ? 200 : 201, 'content-type': 'application/json' })
    if (method === 'GET' && path.startsWith('/files/')) return this.#download(stream, Number(path.slice(7)))
    stream.end(JSON.stringify({ path, size }))
  }

  /** Sends a file of so many bytes, as fast as it is read. */
  async #download(stream: ServerHttp2Stream, size: number): Promise<void> {
    const part = Buffer.alloc(64 * 1024)
    for (let sent = 0; sent < size; sent += part.length) {
      this.sent += part.length
      if (!stream.write(part.subarray(0, size - sent))) await once(stream, 'drain')
    }
    stream.end()
  }
}

export async function startBackend(): Promise<BackendServer> {
  const backend = new BackendServer()
  await backend.listen()
  return backend
}
