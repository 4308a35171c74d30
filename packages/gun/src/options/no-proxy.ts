/**
 * The origins that NO_PROXY excepts. An entry is `*`, a name, an address, or a range of addresses; a name excepts itself and all names
 * below it; a name or an address may have a port. An entry that is none of these excepts nothing.
 */

import { BlockList, isIP } from 'node:net'
import { isHost, parseHost } from './host.js'

/** Whether an entry of the list excepts the host, whose name or address is that of `HostForms.identity`. */
export function isExcepted(list: string, identity: string, port: number): boolean {
  return list.split(/[\s,]+/).some(entry => excepts(entry, identity, port))
}

/** Whether an address is one of this machine itself. */
export function isLoopback(address: string): boolean {
  return isWithin(address, '127.0.0.0', 8) || isWithin(address, '::1')
}

function excepts(entry: string, identity: string, port: number): boolean {
  if (entry === '*') return true
  const [, range, prefix] = /^\[?([\da-f.:]+)\]?\/(\d{1,3})$/i.exec(entry) ?? []
  if (range !== undefined) return isWithin(identity, range, Number(prefix))
  const [host, givenPort] = split(entry)
  if (givenPort !== '' && givenPort !== String(port)) return false
  if (!isHost(host)) return false
  const name = parseHost(host).identity
  if (isIP(name) !== 0) return isWithin(identity, name)
  // The last labels of a name are no part of an address that ends with the same digits.
  return identity === name || (isIP(identity) === 0 && identity.endsWith(`.${name}`))
}

/** Splits an entry into its host, without brackets and without what says that names below it are meant, and its port, if any. */
function split(entry: string): readonly [host: string, port: string] {
  if (isIP(entry) === 6) return [entry, '']
  const [, host = '', port = ''] = /^(.*?)(?::([^:\]]*))?$/.exec(entry) ?? []
  return [host.startsWith('[') ? host.replace(/^\[|\]$/g, '') : host.replace(/^\*?\./, ''), port]
}

/** Whether the host is an address of the range, which by default is one address; IPv4 within IPv6 counts as IPv4. */
function isWithin(host: string, range: string, prefix?: number): boolean {
  const family = familyOf(range)
  const own = familyOf(host)
  if (family === undefined || own === undefined) return false
  const bits = family === 'ipv4' ? 32 : 128
  if (prefix !== undefined && prefix > bits) return false
  const list = new BlockList()
  list.addSubnet(range, prefix ?? bits, family)
  return list.check(host, own)
}

function familyOf(host: string): 'ipv4' | 'ipv6' | undefined {
  const family = isIP(host)
  return family === 0 ? undefined : family === 4 ? 'ipv4' : 'ipv6'
}
