// The look-up of names in the test's hands.

import dns from 'node:dns'
import { syncBuiltinESMExports } from 'node:module'
import net from 'node:net'
import type { TestContext } from 'node:test'

type Answer = (error: null, found: readonly dns.LookupAddress[]) => void

/** From now on the look-up of any name gives these addresses. What is returned holds the names that were looked up. */
export function lookUp(t: TestContext, addresses: readonly string[]): string[] {
  const found = addresses.map(address => ({ address, family: net.isIP(address) }))
  const names: string[] = []
  const mocked = t.mock.method(dns, 'lookup', (name: string, _options: unknown, answer: unknown) => {
    names.push(name)
    queueMicrotask(() => (answer as Answer)(null, found))
  })
  syncBuiltinESMExports()
  t.after(() => {
    mocked.mock.restore()
    syncBuiltinESMExports()
  })
  return names
}
