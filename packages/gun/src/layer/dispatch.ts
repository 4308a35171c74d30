/** Each command goes to the protocol's method for it; without such a method the command is refused as a `badstate`. */

import { GunError } from '../errors.js'
import { COMMAND_NAMES, type Command, isBare } from './commands.js'
import type { Host, Protocol } from './contract.js'

/** Hands a command to a protocol. Gives what its caller is answered; `undefined` where the protocol cannot carry it out. */
export function carryOut(protocol: Protocol, command: Command): boolean | undefined {
  if (isBare(command)) return protocol.bare?.(command)
  switch (command.type) {
    case 'frames':
      return protocol.frames?.(command)
    case 'data':
      return protocol.data?.(command)
    case 'request':
      return done(protocol.request, protocol, command)
    case 'upgrade':
      return done(protocol.upgrade, protocol, command)
    case 'connect':
      return done(protocol.connect, protocol, command)
    case 'ping':
      return done(protocol.ping, protocol, command)
    case 'trailers':
      return done(protocol.trailers, protocol, command)
    case 'cancel':
      return done(protocol.cancel, protocol, command)
    case 'flow':
      return done(protocol.flow, protocol, command)
  }
}

function done<C>(
  method: ((command: C) => void) | undefined,
  protocol: Protocol,
  command: C,
): true | undefined {
  if (method === undefined) return undefined
  method.call(protocol, command)
  return true
}

/** Answers a command that the protocol has no method for. */
export function refuse(host: Host, protocol: Protocol, command: Command): boolean {
  // A protocol without flow control hands everything on anyway.
  if (command.type === 'flow') return true
  const why =
    protocol.name === 'ws'
      ? `the connection is a WebSocket (${protocol.stateName}), which carries nothing else: open another one`
      : `the connection speaks ${protocol.name}`
  const { connPid } = host
  const { streamRef } = command
  const text = `${COMMAND_NAMES[command.type]} is not possible: ${why}`
  const reason = new GunError('badstate', 'badstate', text)
  if (streamRef === undefined) host.tellOwner({ type: 'gun_error', connPid, reason })
  else host.refuse(streamRef, reason)
  return false
}
