/**
 * The functions among `tlsOpts`, guarded because Node calls them where an error or a wrong result would end
 * the program.
 */

import type { ConnectionOptions, PeerCertificate, PSKCallbackNegotation } from 'node:tls'
import { types } from 'node:util'
import { GunError } from '../errors.js'
import { ask } from '../options/function.js'

/** The most bytes of a pre-shared key that every version of OpenSSL accepts. */
const LONGEST_PSK = 256
/** The most bytes of a pre-shared key's identity that every version of OpenSSL accepts. */
const LONGEST_IDENTITY = 128

/** Options whose functions never throw. */
export interface GuardedOptions {
  readonly options: ConnectionOptions
  /** The fault of one of the functions, which stopped the handshake. */
  mistake?: GunError
}

/**
 * Guards the functions among these options. Throws a GunError `bad_option` for an option that should be a
 * function and is not.
 */
export function guardFunctions(tlsOpts: ConnectionOptions): GuardedOptions {
  const { checkServerIdentity, pskCallback } = tlsOpts
  const options = { ...tlsOpts }
  const guarded: GuardedOptions = { options }
  const failed = (error: unknown): GunError => {
    guarded.mistake =
      error instanceof GunError ? error : new GunError('internal_error', 'connection_error', String(error))
    return guarded.mistake
  }
  if (checkServerIdentity !== undefined) {
    checkFunction('checkServerIdentity', checkServerIdentity)
    options.checkServerIdentity = (host, certificate) => {
      try {
        return verify(tlsOpts, host, certificate)
      } catch (error) {
        return failed(error)
      }
    }
  }
  if (pskCallback !== undefined) {
    checkFunction('pskCallback', pskCallback)
    options.pskCallback = hint => {
      try {
        return keyOf(tlsOpts, hint)
      } catch (error) {
        failed(error)
        return null
      }
    }
  }
  return guarded
}

function verify(tlsOpts: ConnectionOptions, host: string, certificate: PeerCertificate): Error | undefined {
  const { problem } = ask(
    'tlsOpts.checkServerIdentity',
    () => tlsOpts.checkServerIdentity?.(host, certificate),
    problem => (problem === undefined || isError(problem) ? { problem } : undefined),
    'an Error or undefined',
  )
  return problem
}

function keyOf(tlsOpts: ConnectionOptions, hint: string | null): PSKCallbackNegotation | null {
  const { key } = ask(
    'tlsOpts.pskCallback',
    () => tlsOpts.pskCallback?.(hint),
    key => (key === undefined || key === null ? { key: null } : acceptKey(key)),
    `{ psk, identity }, of at most ${LONGEST_PSK} and ${LONGEST_IDENTITY} bytes, or null`,
  )
  return key
}

function acceptKey(key: object): { readonly key: PSKCallbackNegotation } | undefined {
  const { psk, identity } = key as Partial<PSKCallbackNegotation>
  if (!ArrayBuffer.isView(psk) || psk.byteLength > LONGEST_PSK) return undefined
  if (typeof identity !== 'string' || Buffer.byteLength(identity) > LONGEST_IDENTITY) return undefined
  return { key: { psk, identity } }
}

function isError(value: unknown): value is Error {
  return value instanceof Error || types.isNativeError(value)
}

function checkFunction(name: string, value: unknown): void {
  if (typeof value === 'function') return
  throw new GunError('bad_option', 'options', `tlsOpts.${name} must be a function`)
}
