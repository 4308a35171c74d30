// Lines: a version of HTTP over a transport, which the cases of a test run over.

import type * as gun from '@holster/gun'
import type { Transport } from '@holster/testing'

export const versions = ['http', 'http2'] as const
export type Version = (typeof versions)[number]

/** A version of HTTP, and the transport that carries it. */
export interface Line {
  readonly version: Version
  readonly transport: Transport
}

export const lines: readonly Line[] = versions.flatMap(version =>
  (['tcp', 'tls', 'unix'] as const).map(transport => ({ version, transport })),
)

export const nameOf = (version: Version): string => (version === 'http' ? 'HTTP/1.1' : 'HTTP/2')
export const lineName = ({ version, transport }: Line): string => `${nameOf(version)} on ${transport}`

/** Options with which only this version is spoken; `httpOpts` is for the version that is spoken. */
export function speaking(version: Version, { httpOpts, ...opts }: gun.Opts = {}): gun.Opts {
  const own = httpOpts === undefined ? {} : { [version === 'http' ? 'httpOpts' : 'http2Opts']: httpOpts }
  return { protocols: [version], ...own, ...opts }
}
