/** The destination of a connection, and the contract of the steps that lead to it. */

import { inspect } from 'node:util'
import { nodesMicrotask } from '@holster/process/internal'
import type { GunError } from '../errors.js'
import { type HostForms, LOCALHOST, type Origin, parseHost } from '../options/host.js'

/** A host and port, or the path of a Unix socket. */
export type Destination =
  | { readonly host: HostForms; readonly port: number; readonly path?: undefined }
  | { readonly path: string }

/** A destination as the caller gives it. */
export type DestinationInit =
  | { readonly host: string; readonly port: number; readonly path?: undefined }
  | { readonly path: string }

/** Takes the result of a step of connecting, or the error with which it failed. */
export type Answer<T> = (outcome: T | GunError) => void

/**
 * Aborts a step: the step does not answer any more, and everything it has opened is closed. Returns the
 * errors that had occurred by then.
 */
export type Abort = () => readonly Error[]

/** Runs `run` in a later microtask, unless aborted before. */
export function defer(run: () => void): Abort {
  let isWanted = true
  nodesMicrotask(() => {
    if (isWanted) run()
  })
  return () => {
    isWanted = false
    return []
  }
}

/**
 * Returns the destination of `open` or `openUnix`. Throws a TypeError or RangeError that names the host, the
 * port or the path if it is invalid.
 */
export function destinationOf(init: DestinationInit): Destination {
  if (init.path !== undefined) {
    const { path } = init
    if (typeof path !== 'string' || path === '') throw new TypeError('path must be a non-empty string')
    return { path }
  }
  const { port } = init
  const host = parseHost(init.host, port)
  if (!Number.isInteger(port) || port < 1 || port > 65535) {
    throw new RangeError(`port must be an integer between 1 and 65535, not ${inspect(port)}`)
  }
  return { host, port }
}

/**
 * Returns the origin of a destination. The origin of a Unix socket is localhost, at the default port of its
 * transport.
 */
export function originOf(destination: Destination, transport: 'tcp' | 'tls'): Origin {
  if (destination.path === undefined) return destination
  return { host: LOCALHOST, port: transport === 'tls' ? 443 : 80 }
}
