/** The market is the tree of the program: the book first, then all who need it, the feeds under a supervisor of their own. */

import type * as gun from '@holster/gun'
import { type ChildSpec, genServer, type SupervisorOptions, supervisor } from '@holster/otp'
import { archive } from './archive.ts'
import { book } from './book.ts'
import { feed } from './feed.ts'
import { ticker } from './ticker.ts'

export interface MarketOptions {
  readonly port: number
  readonly symbols: readonly string[]
  /** How many ticks of the first symbol the archive stores. */
  readonly archived: number
}

/** Describes a tree that ends once all feeds and the archive have done their work. */
export function market({ port, symbols, archived }: MarketOptions): SupervisorOptions {
  const feeds = supervisor.childSpec({
    id: 'feeds',
    // Fifty feeds may crash at once; each of them waits longer from time to time.
    intensity: 1000,
    backoff: { initial: 20, max: 1000 },
    autoShutdown: 'all_significant',
    children: [
      ...symbols.map(symbol => feedSpec(port, symbol)),
      ...symbols.slice(0, 1).map(symbol => archiveSpec(port, symbol, archived)),
    ],
  })
  return {
    // Without its book a feed does not know what it has handed in.
    strategy: 'rest_for_one',
    autoShutdown: 'any_significant',
    children: [
      genServer.childSpec(book, undefined, { name: 'book', trapExit: true }),
      { id: 'ticker', start: parent => parent.spawnLink(ticker(symbols)) },
      { ...feeds, restart: 'transient', significant: true },
    ],
  }
}

function feedSpec(port: number, symbol: string): ChildSpec {
  return {
    id: symbol,
    // A mailbox over its mark pauses the connection, and so the exchange. A feed that traps exits empties it before it ends.
    start: parent =>
      parent.spawnLink<gun.GunMessage>(feed(port, symbol), {
        trapExit: true,
        highWaterMark: { messages: 100 },
        // Also while the feed waits in a call to the book, whose answer does not come from the exchange.
        waitingHighWaterMark: { messages: 100 },
      }),
    restart: 'transient',
    significant: true,
  }
}

function archiveSpec(port: number, symbol: string, length: number): ChildSpec {
  return {
    id: 'archive',
    start: parent => (length === 0 ? 'ignore' : parent.spawnLink(archive({ port, symbol, length }))),
    restart: 'transient',
    significant: true,
  }
}
