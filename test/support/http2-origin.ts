// Scripted HTTP/2 servers on real sockets: but for what the handshake needs, only what a script sends goes over the wire.

import { setImmediate as turn } from 'node:timers/promises'
import { ClientGone, type Peer, type ScriptedServer, type ScriptedServerOptions } from '@holster/testing'
import { HpackDecoder } from './hpack.ts'
import {
  content,
  type Frame,
  FrameReader,
  flags,
  type Goaway,
  PREFACE,
  pingAck,
  readGoaway,
  readSettings,
  readWindowUpdate,
  type Settings,
  settings,
  settingsAck,
  tellFrame,
  typeName,
  types,
} from './http2-frames.ts'
import { origin } from './origin.ts'

export interface H2PeerOptions {
  /** The server's first SETTINGS, if it is not `manual`. */
  settings?: Settings
  /** Nothing is sent but by the script: no SETTINGS, and neither they nor PINGs are acknowledged. */
  manual?: boolean
}

export interface H2Request {
  readonly streamId: number
  readonly headers: [name: string, value: string][]
  readonly isFin: 'fin' | 'nofin'
}

/** The server's side of one connection. All frames of the client wait here until they are taken, also those that are
 * acknowledged by themselves. Whatever waits rejects with `ClientGone` when the client goes first. */
export interface H2Peer {
  /** For what is below HTTP/2: the socket, whose end is answered by itself, and `closed`. Not for receiving. */
  readonly peer: Peer
  /** All frames of the client, in order, also those that were taken. */
  readonly frames: readonly Frame[]
  /** All settings of the client. */
  readonly settings: Readonly<Settings>
  readonly windowUpdates: readonly { streamId: number; increment: number }[]
  readonly goaways: readonly Goaway[]
  /** The opaque data of the client's own PINGs. */
  readonly pings: readonly Buffer[]
  /** What has read the client's headers. */
  readonly hpack: HpackDecoder
  /** The next frame not yet taken, of a type and of a stream. */
  frame(type?: number, streamId?: number): Promise<Frame>
  /** The next request; takes its frames too. */
  request(): Promise<H2Request>
  /** The next headers on a stream after its request's; takes their frames too. */
  trailers(streamId: number): Promise<[name: string, value: string][]>
  /** The content of a stream's DATA until its END_STREAM or its trailers. Does not widen any window. */
  body(streamId: number): Promise<Buffer>
  /** All frames not yet taken until the client ends its side; a reset rejects. */
  rest(): Promise<Frame[]>
  /** Many frames go in one write. 'bytes': one write per byte. In the order of the calls. */
  send(frames: Uint8Array | readonly Uint8Array[], how?: 'whole' | 'bytes'): Promise<void>
  /** FIN, after all that was sent. */
  end(): void
  /** RST, at once. A unix socket has none and is destroyed. */
  reset(): void
}

export type H2Script = (peer: H2Peer, index: number) => unknown

export interface H2OriginOptions extends ScriptedServerOptions, H2PeerOptions {}

const ignore = (): void => {}

/** The types whose frames all have the same length. */
const sizes: Readonly<Record<number, number>> = {
  [types.PRIORITY]: 5,
  [types.RST_STREAM]: 4,
  [types.PING]: 8,
  [types.WINDOW_UPDATE]: 4,
}

/** A header block with the frames it came in. */
interface Block {
  readonly request: H2Request
  readonly isFirst: boolean
  readonly frames: readonly Frame[]
}

interface Waiter {
  /** Whether it has what it waits for. */
  look(): boolean
  reject(error: Error): void
  readonly what: string
}

/** HTTP/2 on a connection that exists, as behind a CONNECT. A client's frame that is wrong, or that neither its windows
 * nor the settings it has acknowledged allow, ends the connection and goes to `onBroken`. Resolves when the client's
 * first SETTINGS are there, or, if it is `manual`, at once. */
export async function h2Peer(
  peer: Peer,
  { settings: own = {}, manual = false }: H2PeerOptions = {},
  onBroken: (error: Error) => void = ignore,
): Promise<H2Peer> {
  const socket = peer.detach()
  const reader = new FrameReader()
  const hpack = new HpackDecoder()
  const frames: Frame[] = []
  const received: Settings = {}
  const windowUpdates: { streamId: number; increment: number }[] = []
  const goaways: Goaway[] = []
  const pings: Buffer[] = []
  const opened: number[] = []
  const sent = new FrameReader()
  /** Not yet acknowledged. */
  const pending: Settings[] = []
  const limits = { HEADER_TABLE_SIZE: 4096, INITIAL_WINDOW_SIZE: 65_535, MAX_FRAME_SIZE: 16_384 }
  /** Of each stream, and of the connection as 0: the bytes of DATA, less what windows were widened by. */
  const spent = new Map<number, number>()
  let unread: Frame[] = []
  let blocks: Block[] = []
  let waiters: Waiter[] = []
  let preface = Buffer.alloc(0)
  let open: Frame[] = []
  let sending: Promise<unknown> = Promise.resolve()
  let state: 'open' | 'ended' | 'gone' = 'open'
  let failure: Error | undefined

  function serve(): void {
    waiters = waiters.filter(waiter => !waiter.look())
    if (state === 'open') return
    for (const { what, reject } of waiters.splice(0)) reject(over(what))
  }

  function over(what: string): Error {
    if (failure !== undefined) return failure
    const how = state === 'ended' ? 'ended its side' : 'is gone'
    const waiting = unread.map(tellFrame).join(', ')
    return new ClientGone(`${what}: the client ${how}; not taken: ${waiting || 'nothing'}`)
  }

  function wait<T>(what: string, find: () => T | undefined): Promise<T> {
    const found = new Promise<T>((resolve, reject) => {
      const look = (): boolean => {
        const value = find()
        if (value !== undefined) resolve(value)
        return value !== undefined
      }
      waiters.push({ what, look, reject })
    })
    found.catch(ignore)
    serve()
    return found
  }

  function take(wanted: (frame: Frame) => boolean): Frame | undefined {
    const found = unread.find(wanted)
    if (found !== undefined) unread = unread.filter(each => each !== found)
    return found
  }

  function takeBlock(wanted: (block: Block) => boolean): H2Request | undefined {
    const found = blocks.find(wanted)
    if (found === undefined) return undefined
    blocks = blocks.filter(each => each !== found)
    unread = unread.filter(each => !found.frames.includes(each))
    return found.request
  }

  function send(what: Uint8Array | readonly Uint8Array[], how: 'whole' | 'bytes' = 'whole'): Promise<void> {
    const bytes = what instanceof Uint8Array ? what : Buffer.concat(what)
    // Writes go one after the other, so that an acknowledgement is not sent within a frame that is sent byte by byte.
    const done = sending.then(async () => {
      for (const each of sent.push(bytes)) onSent(each)
      try {
        await peer.send(bytes, how)
      } catch (cause) {
        // Its end was answered, so that what follows was written after our own.
        throw state === 'open' ? cause : new ClientGone('send: the client is gone', { cause })
      }
    })
    sending = done.catch(ignore)
    return done
  }

  /** What the client may do follows from what it is sent. */
  function onSent(it: Frame): void {
    if (it.type === types.SETTINGS && (it.flags & flags.ACK) === 0 && it.payload.length % 6 === 0) {
      pending.push(readSettings(it))
    } else if (it.type === types.WINDOW_UPDATE && it.payload.length === 4) {
      spend(it.streamId, -readWindowUpdate(it))
    }
  }

  function spend(streamId: number, bytes: number): void {
    spent.set(streamId, (spent.get(streamId) ?? 0) + bytes)
  }

  function onData(it: Frame): void {
    // Checked also where nobody takes it.
    content(it)
    spend(0, it.payload.length)
    spend(it.streamId, it.payload.length)
    const left = Math.min(
      65_535 - (spent.get(0) ?? 0),
      limits.INITIAL_WINDOW_SIZE - (spent.get(it.streamId) ?? 0),
    )
    if (it.payload.length > 0 && left < 0) throw new Error(`${-left} bytes of DATA beyond a window`)
  }

  function acknowledge(bytes: Buffer): void {
    if (!manual) send(bytes).catch(ignore)
  }

  function onHeaderBlock(): void {
    const [first] = open
    if (first === undefined) return
    const { streamId } = first
    const headers = hpack.decode(Buffer.concat(open.map(content)))
    const isFirst = !opened.includes(streamId)
    if (isFirst && (streamId % 2 === 0 || streamId < (opened.at(-1) ?? 0))) {
      throw new Error(`stream ${streamId} opened after ${opened.at(-1) ?? 'none'}`)
    }
    if (isFirst) opened.push(streamId)
    const isFin = (first.flags & flags.END_STREAM) === 0 ? 'nofin' : 'fin'
    blocks.push({ request: { streamId, headers, isFin }, isFirst, frames: open })
    open = []
  }

  function onFrame(it: Frame): void {
    const isAck = (it.flags & flags.ACK) !== 0
    frames.push(it)
    unread.push(it)
    const fixed = sizes[it.type]
    if (it.payload.length > limits.MAX_FRAME_SIZE || it.payload.length !== (fixed ?? it.payload.length)) {
      throw new Error(`a ${typeName(it.type)} of ${it.payload.length} bytes`)
    }
    if (open.length > 0 !== (it.type === types.CONTINUATION) || (open[0] ?? it).streamId !== it.streamId) {
      throw new Error(`${tellFrame(it)} where header blocks must not be interrupted`)
    }
    switch (it.type) {
      case types.DATA:
        onData(it)
        break
      case types.HEADERS:
      case types.CONTINUATION:
        open.push(it)
        if ((it.flags & flags.END_HEADERS) !== 0) onHeaderBlock()
        break
      case types.SETTINGS:
        if (!isAck) {
          Object.assign(received, readSettings(it))
          acknowledge(settingsAck())
        } else {
          const agreed = pending.shift()
          if (agreed === undefined) throw new Error('an acknowledgement of SETTINGS that were not sent')
          Object.assign(limits, agreed)
          if (agreed.HEADER_TABLE_SIZE !== undefined) hpack.limit = agreed.HEADER_TABLE_SIZE
        }
        break
      case types.PING:
        if (isAck) break
        pings.push(it.payload)
        acknowledge(pingAck(it.payload))
        break
      case types.GOAWAY:
        goaways.push(readGoaway(it))
        break
      case types.WINDOW_UPDATE:
        windowUpdates.push({ streamId: it.streamId, increment: readWindowUpdate(it) })
    }
  }

  function onChunk(chunk: Buffer): void {
    try {
      let bytes = chunk
      if (preface.length < PREFACE.length) {
        const all = Buffer.concat([preface, chunk])
        preface = all.subarray(0, PREFACE.length)
        bytes = all.subarray(preface.length)
        if (!PREFACE.subarray(0, preface.length).equals(preface)) {
          throw new Error(`not the client's preface: ${JSON.stringify(preface.toString('latin1'))}`)
        }
      }
      for (const it of reader.push(bytes)) onFrame(it)
    } catch (error) {
      failure = new Error(`the client broke HTTP/2: ${error}`, { cause: error })
      settle('gone')
      socket.destroy()
      onBroken(failure)
    }
    serve()
  }

  function settle(next: 'ended' | 'gone'): void {
    if (state === 'open') state = next
    serve()
  }

  socket.on('data', onChunk)
  socket.on('end', () => {
    settle('ended')
    // A client of HTTP/2 that ends its side wants nothing more, and nobody else would answer it.
    socket.end()
  })
  socket.on('close', () => settle('gone'))

  const it: H2Peer = {
    peer,
    frames,
    settings: received,
    windowUpdates,
    goaways,
    pings,
    hpack,
    frame(type, streamId) {
      const what = `${type === undefined ? 'any frame' : typeName(type)}${streamId === undefined ? '' : ` of ${streamId}`}`
      const fits = (frame: Frame): boolean =>
        (type === undefined || frame.type === type) && (streamId === undefined || frame.streamId === streamId)
      return wait(what, () => take(fits))
    },
    request: () => wait('a request', () => takeBlock(({ isFirst }) => isFirst)),
    async trailers(streamId) {
      const isTrailers = ({ isFirst, request }: Block) => !isFirst && request.streamId === streamId
      const { headers } = await wait(`trailers of ${streamId}`, () => takeBlock(isTrailers))
      return headers
    },
    async body(streamId) {
      const parts: Buffer[] = []
      for (;;) {
        const next = await wait(`the body of ${streamId}`, () => {
          const found = unread.find(
            frame => frame.streamId === streamId && frame.type !== types.WINDOW_UPDATE,
          )
          return found?.type === types.DATA ? take(frame => frame === found) : found
        })
        if (next.type === types.HEADERS) return Buffer.concat(parts)
        if (next.type !== types.DATA) throw new Error(`${tellFrame(next)} within its body`)
        parts.push(content(next))
        if ((next.flags & flags.END_STREAM) !== 0) return Buffer.concat(parts)
      }
    },
    rest: () => wait('the end', () => (state === 'ended' ? unread.splice(0) : undefined)),
    send(what, how) {
      const done = send(what, how)
      done.catch(ignore)
      return done
    },
    end() {
      sending = sending.then(() => peer.end())
    },
    reset: () => peer.reset(),
  }

  socket.resume()
  if (!manual) {
    await it.send(settings(own))
    await it.frame(types.SETTINGS)
  }
  return it
}

/** A script is run once the client's first SETTINGS are there, or, if it is `manual`, at once. A client that breaks
 * HTTP/2 fails the script; after that, `close()`. */
export async function h2Origin(script: H2Script, options: H2OriginOptions = {}): Promise<ScriptedServer> {
  const { settings: own = {}, manual = false, ...rest } = options
  const late: Error[] = []

  async function run(peer: Peer, index: number): Promise<void> {
    let returned = false
    let fail: (error: Error) => void = ignore
    const broken = new Promise<never>((_, reject) => {
      fail = reject
    })
    const scripted = async (): Promise<void> => {
      const it = await h2Peer(peer, { settings: own, manual }, error => {
        if (!returned) fail(error)
        else if (options.onError !== undefined) options.onError(error, index)
        else late.push(error)
      })
      // Out of the callback of OpenSSL in which the server's handshake ends: to reset there crashes Node 20.
      await turn()
      await script(it, index)
    }
    try {
      await Promise.race([broken, scripted()])
    } finally {
      returned = true
    }
  }

  const server = await origin(run, { ...rest, tls: { ALPNProtocols: ['h2'], ...options.tls } })
  async function close(): Promise<void> {
    await shut()
    if (late.length > 0) throw late.splice(0)[0]
  }
  const { close: shut } = server
  return Object.assign(server, { close, [Symbol.asyncDispose]: close })
}
