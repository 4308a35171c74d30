/** A connection to the exchange comes back by itself, with its WebSocket, whatever the exchange does to it. */

import * as gun from '@holster/gun'
import type { Process } from '@holster/process'
import type { Request } from './tick.ts'

export interface Connection {
  readonly connPid: gun.ConnPid
  readonly streamRef: gun.StreamRef
}

/** Opens a connection that the process owns, with a WebSocket for the symbol. The pauses suit a server on loopback. */
export function connect(
  self: Process<gun.GunMessage>,
  port: number,
  symbol: string,
  wsOpts: gun.WsOpts = {},
): Connection {
  const connPid = gun.open('127.0.0.1', port, {
    owner: self,
    retry: Number.POSITIVE_INFINITY,
    retryTimeout: 200,
    // An exchange that answers neither of two pings is silent, and the connection is made again.
    wsOpts: { keepalive: 250, keepaliveTolerance: 2 },
  })
  // A gun_upgrade comes again on each later connection, for the same stream.
  const streamRef = gun.wsUpgrade(
    connPid,
    `/ticks/${symbol}`,
    {},
    { reupgrade: { minDelay: 50, maxDelay: 1000 }, ...wsOpts },
  )
  return { connPid, streamRef }
}

/** Sends a request. Behind a lost connection the request comes back in a gun_error. */
export function ask({ connPid, streamRef }: Connection, request: Request): void {
  gun.wsSend(connPid, streamRef, ['text', JSON.stringify(request)])
}

/** Throws the error of a message, unless that only brings a request back, which is asked again on the next connection. */
export function checkError({ reason }: gun.GunErrorMessage): void {
  if (reason.frames === undefined) throw reason
}
