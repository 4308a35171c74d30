/** The table of processes. */

import { type Process, processes } from '@holster/process'
import { lookAt, nameOf, sinceOf, waitOf } from '@holster/process/internal'
import type { Censuses } from '../measuring/census.js'
import { nodeHere, shortened } from '../naming/refs.js'
import { textOfWait } from '../naming/texts.js'
import type { ProcessRow } from '../words.js'
import type { Looking, ViewOf } from './looking.js'
import { type Items, lookAtTable } from './window.js'

const itemsOf = (censuses: Censuses): Items<Process<never>, ProcessRow> => ({
  list: processes,
  keys: {
    name: nameOf,
    label: ({ label }) => label,
    status: process => (lookAt(process).wait === undefined ? 'running' : 'waiting'),
    waitsFor: process => textOfWait(lookAt(process).wait),
    waitsSince: process => {
      const { wait } = lookAt(process)
      // Processes that have waited since before anybody looked have waited longest.
      return wait === undefined ? undefined : (sinceOf(wait) ?? 0)
    },
    messages: process => lookAt(process).messages,
    bytes: process => lookAt(process).bytes,
    isOverMark: process => lookAt(process).isOverMark,
    oldestSince: process => censuses.oldestOf(process)?.since,
    waited: waitOf,
    links: process => lookAt(process).links,
  },
  textOf: process => `${process} ${process.label ?? ''} ${textOfWait(lookAt(process).wait)}`,
  rowOf: process => rowOf(process, censuses),
})

/** Gives the row of a process. */
export function rowOf(process: Process<never>, censuses: Censuses): ProcessRow {
  const oldest = censuses.oldestOf(process)
  const { messages, bytes, isOverMark, wait, links } = lookAt(process)
  return {
    node: nodeHere(),
    id: process.id,
    name: shortenedOf(nameOf(process)),
    label: shortenedOf(process.label),
    status: process.isAlive ? (wait === undefined ? 'running' : 'waiting') : 'exited',
    waitsFor: textOfWait(wait),
    waitsSince: wait === undefined ? undefined : sinceOf(wait),
    messages,
    bytes,
    isOverMark,
    oldestSince: oldest?.since,
    isOlder: oldest?.isEarlier ?? false,
    waited: waitOf(process),
    links,
  }
}

function shortenedOf(text: string | undefined): string | undefined {
  return text === undefined ? undefined : shortened(text)
}

/** Opens the table. */
export function lookAtProcesses(view: ViewOf<'processes'>, censuses: Censuses): Looking<'processes'> {
  return lookAtTable(itemsOf(censuses), view)
}
