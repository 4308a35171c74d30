// What is spoken between a client and a server, and over what: the lines that a test's cases run over.

import type * as gun from '@holster/gun'
import type { Transport } from './place.ts'

export const versions = ['http', 'http2'] as const
export type Version = (typeof versions)[number]

/** What is spoken, and over what. */
export interface Line {
  readonly version: Version
  readonly transport: Transport
}

export const lines: readonly Line[] = versions.flatMap(version =>
  (['tcp', 'tls', 'unix'] as const).map(transport => ({ version, transport })),
)

export const nameOf = (version: Version): string => (version === 'http' ? 'HTTP/1.1' : 'HTTP/2')
export const lineName = ({ version, transport }: Line): string => `${nameOf(version)} on ${transport}`

/** Only this version is spoken; what `httpOpts` says is said to whichever it is. */
export function speaking(version: Version, { httpOpts, ...opts }: gun.Opts = {}): gun.Opts {
  const own = httpOpts === undefined ? {} : { [version === 'http' ? 'httpOpts' : 'http2Opts']: httpOpts }
  return { protocols: [version], ...own, ...opts }
}
