/** The server's side of a WebSocket, whose frames are values. */

import type * as gun from '@holster/gun'
import { checkNames } from '@holster/process/internal'
import { decode, encode, receiveFrame, switchingProtocols } from './frames.js'
import type { Peer } from './peer.js'
import type { RequestHead } from './request-head.js'

/**
 * The server's side of one WebSocket. `for await (const frame of socket)` gives the frames of the client until the client closes; the
 * close frame is answered, and the connection ended in order.
 */
export interface WebSocketPeer extends AsyncIterable<gun.WsFrameIn> {
  /** The connection: for bytes that are no frames, for `end` and for `reset`. */
  readonly peer: Peer
  /** The request that asked for the upgrade. */
  readonly request: RequestHead
  /**
   * Resolves to the next frame of the client, whatever its kind; nothing is answered. Rejects with `ClientGone` if the client goes first,
   * and with an Error for a frame that no client may send.
   */
  receive(): Promise<gun.WsFrameIn>
  /**
   * Sends frames in one write, and resolves when they were handed to the system. Rejects with `ClientGone` if the client is gone.
   * Throws a TypeError for what is no frame, such as a bare text.
   */
  send(...frames: readonly gun.WsFrame[]): Promise<void>
  /**
   * Sends a close frame, takes what the client sends until its own close frame, ends the connection in order, and resolves to that close
   * frame. `code` is 1000 by default. Rejects with `ClientGone` if the client goes without one.
   */
  close(code?: number, reason?: string): Promise<gun.WsFrameIn>
}

/** Options for `acceptUpgrade`. */
export interface AcceptOptions {
  /** The subprotocol that the server chooses; default none. */
  readonly protocol?: string
  /** Further header fields of the 101 response; default none. */
  readonly headers?: gun.Headers
}

const isClose = (frame: gun.WsFrameIn): boolean => frame === 'close' || frame[0] === 'close'

/**
 * Receives a request for an upgrade and accepts it, without compression. A script that wants to refuse receives the request itself and sends
 * another response. Rejects with an Error if the request asks for no WebSocket, as `peer.receiveRequest` does, and with a TypeError for an
 * unknown option.
 */
export async function acceptUpgrade(peer: Peer, options: AcceptOptions = {}): Promise<WebSocketPeer> {
  checkNames(options, ['protocol', 'headers'], 'acceptUpgrade')
  const { protocol, headers = [] } = options
  const request = await peer.receiveRequest()
  const chosen: gun.Headers = protocol === undefined ? [] : [['Sec-WebSocket-Protocol', protocol]]
  await peer.send(switchingProtocols(request, [...chosen, ...headers]))

  async function receive(): Promise<gun.WsFrameIn> {
    const frame = await receiveFrame(peer)
    if (!frame.masked) throw new Error('the client has sent a frame that is not masked')
    return decode(frame)
  }

  async function receiveClose(): Promise<gun.WsFrameIn> {
    for (;;) {
      const frame = await receive()
      if (isClose(frame)) return frame
    }
  }

  async function* frames(): AsyncGenerator<gun.WsFrameIn, void, undefined> {
    for (;;) {
      const frame = await receive()
      if (isClose(frame)) {
        peer.end(encode(frame))
        return
      }
      yield frame
    }
  }

  return {
    peer,
    request,
    receive,
    send: (...given) => peer.send(Buffer.concat(given.map(encode))),
    async close(code = 1000, reason = '') {
      await peer.send(encode(['close', code, reason]))
      const answer = await receiveClose()
      peer.end()
      return answer
    },
    [Symbol.asyncIterator]: frames,
  }
}
