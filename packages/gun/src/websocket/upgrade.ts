/** The upgrade from a request to a WebSocket: over HTTP/1.1 (RFC 6455 section 4.1), and over HTTP/2 (RFC 8441). */

import { GunError } from '../errors.js'
import type { UpgradeCommand } from '../layer/commands.js'
import type { Upgrade } from '../layer/contract.js'
import type { Headers } from '../words.js'
import { handlerError } from './handler.js'
import {
  type Agreement,
  agreeOnConnect,
  agreeOnUpgrade,
  proposeConnect,
  proposeUpgrade,
} from './handshake.js'
import { Ws } from './protocol.js'

/** Asks for a WebSocket with a GET request that names the upgrade. */
export function upgradeOverHttp(command: UpgradeCommand): Upgrade {
  const handshake = proposeUpgrade(command.headers, command.opts)
  return upgrade(command, handshake.headers, headers => agreeOnUpgrade(handshake, headers))
}

/** Asks for a WebSocket with an extended CONNECT request. */
export function upgradeOverHttp2(command: UpgradeCommand): Upgrade {
  const proposal = proposeConnect(command.headers, command.opts)
  return upgrade(command, proposal.headers, headers => agreeOnConnect(proposal, headers))
}

function upgrade(
  command: UpgradeCommand,
  headers: Headers,
  agree: (headers: Headers) => Agreement | GunError,
): Upgrade {
  return {
    command,
    headers,
    agree: answer => {
      const agreement = agree(answer)
      if (agreement instanceof GunError) return agreement
      return host => {
        try {
          return new Ws(host, command, agreement, answer)
        } catch (cause) {
          return handlerError(cause)
        }
      }
    },
  }
}
