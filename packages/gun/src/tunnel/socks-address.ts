/** The host that a SOCKS server is asked for, and the code of the error that its refusal becomes. */

import { isIP } from 'node:net'
import type { GunErrorCode } from '../errors.js'
import type { HostForms } from '../options/host.js'
import type { SocksAddress, SocksFailure } from './socks/words.js'

/** Returns the address to ask for: an address as its bytes, a name in A-labels and without its trailing dot. */
export function socksAddressOf({ identity }: HostForms): SocksAddress {
  const family = isIP(identity)
  if (family === 4) return { type: 'ipv4', bytes: Uint8Array.from(identity.split('.'), Number) }
  if (family === 6) return { type: 'ipv6', bytes: ipv6Bytes(identity) }
  return { type: 'name', name: identity }
}

function ipv6Bytes(address: string): Uint8Array {
  // URL parsing writes an IPv4 address at the end in two groups of digits.
  const { hostname } = new URL(`http://[${address}]`)
  const [before = [], after] = hostname.slice(1, -1).split('::').map(groupsOf)
  const zeros = after === undefined ? [] : Array<number>(8 - before.length - after.length).fill(0)
  const groups = [...before, ...zeros, ...(after ?? [])]
  return Uint8Array.from(groups.flatMap(group => [group >> 8, group & 255]))
}

function groupsOf(digits: string): number[] {
  return digits === '' ? [] : digits.split(':').map(group => Number.parseInt(group, 16))
}

/** The code of the error for each failure. */
export const SOCKS_CODES: Readonly<Record<SocksFailure, GunErrorCode>> = {
  general_socks_server_failure: 'socks_general_failure',
  connection_not_allowed_by_ruleset: 'socks_connection_not_allowed_by_ruleset',
  network_unreachable: 'socks_network_unreachable',
  host_unreachable: 'socks_host_unreachable',
  connection_refused: 'socks_connection_refused',
  ttl_expired: 'socks_ttl_expired',
  command_not_supported: 'socks_command_not_supported',
  address_type_not_supported: 'socks_address_type_not_supported',
  no_acceptable_methods: 'socks_no_acceptable_methods',
  username_password_auth_failure: 'socks_username_password_auth_failure',
  protocol_error: 'protocol_error',
}
