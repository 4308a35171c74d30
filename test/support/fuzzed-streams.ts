// How often streams are fuzzed, over what, and with which seed. FUZZ_RUNS and FUZZ_SEED in the environment say otherwise.

import { inspect } from 'node:util'
import fc from 'fast-check'
import { http1Bytes, http2Bytes, wsBytes, wsOverHttp2Bytes } from './fuzzed-bytes.ts'
import { happening, type Speech, stage } from './fuzzed-scene.ts'

export interface Check extends Speech {
  readonly name: string
  readonly bytes: fc.Arbitrary<Buffer>
  /** It may end the process, and so has one of its own. */
  readonly isAlone: boolean
}

export const checks: readonly Check[] = [
  {
    name: 'HTTP/1.1',
    version: 'http',
    isWebSocket: false,
    deflates: false,
    bytes: http1Bytes,
    isAlone: false,
  },
  {
    name: 'WebSocket',
    version: 'http',
    isWebSocket: true,
    deflates: false,
    bytes: wsBytes(false),
    isAlone: false,
  },
  {
    name: 'compressed WebSocket',
    version: 'http',
    isWebSocket: true,
    deflates: true,
    bytes: wsBytes(true),
    isAlone: false,
  },
  { name: 'HTTP/2', version: 'http2', isWebSocket: false, deflates: false, bytes: http2Bytes, isAlone: true },
  {
    name: 'WebSocket over HTTP/2',
    version: 'http2',
    isWebSocket: true,
    deflates: false,
    bytes: wsOverHttp2Bytes,
    isAlone: true,
  },
]

const FEW = 150

export const runsOf = (): number => Number(process.env.FUZZ_RUNS ?? FEW)
export const seedOf = (): number => Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 31)

/** Rejects at the first that fails, with what it takes to have it again. */
export async function fuzz(what: Check, seed: number, numRuns: number): Promise<void> {
  await using it = await stage(what)
  let runs = 0
  const property = fc.asyncProperty(happening(what.bytes), async each => {
    await it.play(each)
    if (++runs % 10 === 0) globalThis.gc?.()
  })
  const path = process.env.FUZZ_PATH
  const isShrunk = process.env.FUZZ_SHRINK !== undefined
  const result = await fc.check(property, {
    seed,
    numRuns,
    endOnFailure: !isShrunk,
    ...(path === undefined ? {} : { path }),
  })
  if (!result.failed) return
  const [failed] = result.counterexample ?? []
  const { errorInstance: cause } = result
  const lines = [
    `${what.name}: FUZZ_SEED=${seed} FUZZ_PATH=${result.counterexamplePath}`,
    cause instanceof Error ? cause.message : String(cause),
    JSON.stringify({ ...failed, bytes: undefined }),
    inspect(failed?.bytes.toString('latin1'), { maxStringLength: 1000 }),
  ]
  throw new Error(lines.join('\n'), { cause })
}
