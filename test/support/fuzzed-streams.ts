// The fuzzed scene for each protocol: which bytes are fuzzed, and what a failure prints.

import { inspect } from 'node:util'
import fc from 'fast-check'
import { http1Bytes, http2Bytes, wsBytes, wsOverHttp2Bytes } from './fuzzed-bytes.ts'
import { happening, type Speech, stage } from './fuzzed-scene.ts'
import type { Runs } from './runs.ts'

export interface Check extends Speech {
  readonly name: string
  readonly bytes: fc.Arbitrary<Buffer>
}

export const checks: readonly Check[] = [
  {
    name: 'HTTP/1.1',
    version: 'http',
    isWebSocket: false,
    deflates: false,
    bytes: http1Bytes,
  },
  {
    name: 'WebSocket',
    version: 'http',
    isWebSocket: true,
    deflates: false,
    bytes: wsBytes(false),
  },
  {
    name: 'compressed WebSocket',
    version: 'http',
    isWebSocket: true,
    deflates: true,
    bytes: wsBytes(true),
  },
  { name: 'HTTP/2', version: 'http2', isWebSocket: false, deflates: false, bytes: http2Bytes },
  {
    name: 'WebSocket over HTTP/2',
    version: 'http2',
    isWebSocket: true,
    deflates: false,
    bytes: wsOverHttp2Bytes,
  },
]

/** Checks of the same scenes through proxies. */
export const tunnelChecks: readonly Check[] = [
  { ...checkOf('HTTP/1.1'), name: 'HTTP/1.1 by the option proxy', way: 'option' },
  { ...checkOf('WebSocket over HTTP/2'), name: 'WebSocket over HTTP/2 by the option proxy', way: 'option' },
  { ...checkOf('HTTP/1.1'), name: 'HTTP/1.1 in a tunnel over HTTP/1.1', way: 'http' },
  { ...checkOf('HTTP/2'), name: 'HTTP/2 in a tunnel over HTTP/1.1', way: 'http' },
  { ...checkOf('HTTP/1.1'), name: 'HTTP/1.1 in a tunnel over HTTP/2', way: 'http2' },
  { ...checkOf('HTTP/2'), name: 'HTTP/2 in a tunnel over HTTP/2', way: 'http2' },
  { ...checkOf('compressed WebSocket'), name: 'compressed WebSocket in a tunnel over HTTP/2', way: 'http2' },
]

function checkOf(name: string): Check {
  const check = checks.find(each => each.name === name)
  if (check === undefined) throw new Error(`there is no check ${name}`)
  return check
}

/** How often each of them is fuzzed. */
export const USUAL_RUNS = 150

/** Rejects at the first run that fails, with what repeats it. */
export async function fuzz(what: Check, how: Runs): Promise<void> {
  await using it = await stage(what)
  let played = 0
  const property = fc.asyncProperty(happening(what.bytes), async each => {
    await it.play(each)
    if (++played % 10 === 0) globalThis.gc?.()
  })
  const result = await fc.check(property, how)
  if (!result.failed) return
  const [failed] = result.counterexample ?? []
  const { errorInstance: cause } = result
  const lines = [
    `${what.name}: FUZZ_SEED=${result.seed} FUZZ_PATH=${result.counterexamplePath}`,
    cause instanceof Error ? cause.message : String(cause),
    JSON.stringify({ ...failed, bytes: undefined }),
    inspect(failed?.bytes.toString('latin1'), { maxStringLength: 1000 }),
  ]
  throw new Error(lines.join('\n'), { cause })
}
