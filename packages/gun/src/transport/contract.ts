/** Where a connection leads. */

import { inspect } from 'node:util'
import type { GunError } from '../errors.js'
import { type HostForms, LOCALHOST, type Origin, parseHost } from '../options/host.js'

/** A host and port, or the path of a Unix socket. */
export type Destination =
  | { readonly host: HostForms; readonly port: number; readonly path?: undefined }
  | { readonly path: string }

/** The same as the caller gives it. */
export type DestinationInit =
  | { readonly host: string; readonly port: number; readonly path?: undefined }
  | { readonly path: string }

/** Gets what a step of connecting has given, or why it failed. */
export type Answer<T> = (outcome: T | GunError) => void

/** Gives a step up: it will not answer, and what it has opened is closed. Gives what had gone wrong by then. */
export type Abandon = () => readonly Error[]

/** Runs in a later microtask, unless it is given up before. */
export function later(run: () => void): Abandon {
  let isWanted = true
  queueMicrotask(() => {
    if (isWanted) run()
  })
  return () => {
    isWanted = false
    return []
  }
}

/** Where `open` or `openUnix` leads. Throws a TypeError or RangeError that names the host, the port or the path if it cannot be one. */
export function destinationOf(given: DestinationInit): Destination {
  if (given.path !== undefined) {
    const { path } = given
    if (typeof path !== 'string' || path === '') throw new TypeError('path must be a non-empty string')
    return { path }
  }
  const { port } = given
  const host = parseHost(given.host, port)
  if (!Number.isInteger(port) || port < 1 || port > 65535) {
    throw new RangeError(`port must be an integer between 1 and 65535, not ${inspect(port)}`)
  }
  return { host, port }
}

/** A Unix socket's origin is localhost, at the default port of its transport. */
export function originOf(destination: Destination, transport: 'tcp' | 'tls'): Origin {
  if (destination.path === undefined) return destination
  return { host: LOCALHOST, port: transport === 'tls' ? 443 : 80 }
}
