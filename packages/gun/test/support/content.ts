// A chain of content handlers without a connection: what comes out of it at the end, and what it posts.

import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { ContentChain } from '../../src/content/chain.ts'
import type { ConnPid, StreamRef } from '../../src/handles.ts'
import type { ContentHandler, ContentResponse, Next } from '../../src/options/content-handler.ts'
import type { Headers, IsFin } from '../../src/words.ts'

export const connPid = { toString: () => '#Conn<0>' } as unknown as ConnPid
export const streamRef = { toString: () => '#Stream<0>' } as unknown as StreamRef

export interface Scene {
  readonly chain: ContentChain | undefined
  readonly response: ContentResponse
  /** What was sent to replyTo. */
  readonly posted: unknown[]
  /** What the last `next` got. */
  readonly parts: (readonly [IsFin, string])[]
  /** All that was in them. */
  body(): Buffer
}

export function scene(handlers: readonly ContentHandler[], headers: Headers = [], last?: Next): Scene {
  const posted: unknown[] = []
  const parts: (readonly [IsFin, string])[] = []
  const response: ContentResponse = {
    connPid,
    streamRef,
    status: 200,
    headers,
    replyTo: { send: (message: unknown) => void posted.push(message) } as ContentResponse['replyTo'],
  }
  const take: Next = (isFin, data) => {
    parts.push([isFin, data.toString('latin1')])
    return last?.(isFin, data)
  }
  return {
    chain: ContentChain.open(handlers, response, take),
    response,
    posted,
    parts,
    body: () => Buffer.from(parts.map(([, data]) => data).join(''), 'latin1'),
  }
}

/** The bytes in parts that end at these places. */
export function split(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...new Set(places.map(place => place % (bytes.length + 1)))].sort((a, b) => a - b)
  return [0, ...ends].map((from, i) => bytes.subarray(from, ends[i]))
}

/** Places to split at. */
export const places = fc.array(fc.nat({ max: 100_000 }), { maxLength: 20 })

/** Gives all of the parts, one after the other has been taken, the last one with `'fin'`. */
export async function feed(chain: ContentChain | undefined, parts: readonly Buffer[]): Promise<void> {
  for (const [i, part] of parts.entries()) await chain?.handle(i === parts.length - 1 ? 'fin' : 'nofin', part)
}

/** Lets whatever is on its way arrive. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 100; i++) await turn()
}
