/** The columns of each table: their titles, the keys that sort by them, and what they say of a row. */

import type { ConnectionRow, NodeRow, ProcessRow } from '../words.js'
import type { TableName } from './arguments.js'
import type { Look } from './line.js'
import { duration, short, size } from './numbers.js'

export interface Column<Row> {
  /** The name by which the observer sorts; `undefined`: it does not. */
  readonly order: string | undefined
  readonly title: string
  /** The key that sorts by the column: a letter of the title. */
  readonly key: string
  /** How wide it is; a column with a share takes that part of what is left. */
  readonly width: number
  readonly share?: number
  readonly align?: 'left' | 'right'
  /** Whether the largest value comes first. */
  readonly isDescending?: boolean
  /** The columns with the largest numbers are left out first where there is little room. Default: 0, never. */
  readonly luxury?: number
  textOf(row: Row, now: number): string
}

/** The rows of each table. */
export interface Rows {
  readonly processes: ProcessRow
  readonly connections: ConnectionRow
  readonly nodes: NodeRow
}

const since = (time: number | undefined, now: number) => (time === undefined ? '' : duration(now - time))
const count = (value: number) => (value === 0 ? '' : short(value))

const processes: readonly Column<ProcessRow>[] = [
  { order: 'id', title: 'ID', key: 'i', width: 15, textOf: ({ id }) => id },
  {
    order: 'name',
    title: 'NAME',
    key: 'n',
    width: 12,
    share: 2,
    textOf: ({ name, label }) => [name, label].filter(Boolean).join(' · '),
  },
  { order: 'status', title: 'STATUS', key: 's', width: 8, luxury: 3, textOf: ({ status }) => status },
  {
    order: 'waitsFor',
    title: 'WAITS FOR',
    key: 'f',
    width: 12,
    share: 3,
    textOf: ({ waitsFor }) => waitsFor,
  },
  {
    order: 'waitsSince',
    title: 'SINCE',
    key: 'c',
    width: 7,
    align: 'right',
    luxury: 2,
    textOf: ({ waitsSince }, now) => since(waitsSince, now),
  },
  {
    order: 'messages',
    title: 'MSGS',
    key: 'm',
    width: 6,
    align: 'right',
    isDescending: true,
    textOf: ({ messages, isOverMark }) => `${isOverMark ? '!' : ''}${short(messages)}`,
  },
  {
    order: 'bytes',
    title: 'BYTES',
    key: 'b',
    width: 7,
    align: 'right',
    isDescending: true,
    luxury: 1,
    textOf: ({ bytes }) => (bytes === 0 ? '' : size(bytes)),
  },
  {
    order: 'oldestSince',
    title: 'OLDEST',
    key: 'd',
    width: 7,
    align: 'right',
    luxury: 1,
    textOf: ({ oldestSince, isOlder }, now) => `${isOlder ? '>' : ''}${since(oldestSince, now)}`,
  },
  {
    order: 'waited',
    title: 'WAITED',
    key: 'w',
    width: 7,
    align: 'right',
    isDescending: true,
    luxury: 5,
    textOf: ({ waited }) => (waited === undefined ? '' : duration(waited)),
  },
  {
    order: 'links',
    title: 'LINKS',
    key: 'l',
    width: 5,
    align: 'right',
    isDescending: true,
    luxury: 4,
    textOf: ({ links }) => count(links),
  },
]

const connections: readonly Column<ConnectionRow>[] = [
  { order: 'id', title: 'ID', key: 'i', width: 10, textOf: ({ id }) => id },
  { order: 'state', title: 'STATE', key: 's', width: 14, textOf: ({ state }) => state },
  { order: 'origin', title: 'ORIGIN', key: 'g', width: 22, share: 2, textOf: ({ origin }) => origin },
  { order: 'protocol', title: 'PROTO', key: 'p', width: 5, luxury: 4, textOf: ({ protocol }) => protocol },
  {
    order: 'openedAt',
    title: 'AGE',
    key: 'a',
    width: 7,
    align: 'right',
    luxury: 2,
    textOf: ({ openedAt }, now) => since(openedAt, now),
  },
  {
    order: 'failures',
    title: 'FAILS',
    key: 'f',
    width: 5,
    align: 'right',
    isDescending: true,
    textOf: ({ failures }) => count(failures),
  },
  {
    order: 'streams',
    title: 'STRMS',
    key: 'm',
    width: 5,
    align: 'right',
    isDescending: true,
    textOf: ({ streams }) => count(streams),
  },
  {
    order: 'bytesIn',
    title: 'IN',
    key: 'n',
    width: 7,
    align: 'right',
    isDescending: true,
    luxury: 1,
    textOf: ({ bytesIn }) => size(bytesIn),
  },
  {
    order: 'bytesOut',
    title: 'OUT',
    key: 'o',
    width: 7,
    align: 'right',
    isDescending: true,
    luxury: 1,
    textOf: ({ bytesOut }) => size(bytesOut),
  },
  {
    order: 'unsent',
    title: 'UNSENT',
    key: 'u',
    width: 7,
    align: 'right',
    isDescending: true,
    luxury: 3,
    textOf: ({ unsent, isPaused }) => `${isPaused ? 'paused' : unsent === 0 ? '' : size(unsent)}`,
  },
  {
    order: 'lastError',
    title: 'LAST ERROR',
    key: 'e',
    width: 10,
    share: 1,
    luxury: 5,
    textOf: ({ lastError }) => lastError ?? '',
  },
]

const ofSample = (pick: (sample: NonNullable<NodeRow['sample']>) => string) => (row: NodeRow) =>
  row.sample === undefined ? '' : pick(row.sample)

const nodes: readonly Column<NodeRow>[] = [
  {
    order: undefined,
    title: 'NODE',
    key: '',
    width: 16,
    share: 1,
    textOf: ({ node, isHere }) => (isHere ? `${node} *` : node),
  },
  {
    order: undefined,
    title: 'PID',
    key: '',
    width: 8,
    align: 'right',
    textOf: ({ pid }) => String(pid ?? ''),
  },
  {
    order: undefined,
    title: 'THREAD',
    key: '',
    width: 6,
    align: 'right',
    luxury: 2,
    textOf: ({ threadId }) => String(threadId ?? ''),
  },
  {
    order: undefined,
    title: 'PROCS',
    key: '',
    width: 6,
    align: 'right',
    textOf: ofSample(sample => short(sample.processes)),
  },
  {
    order: undefined,
    title: 'CONNS',
    key: '',
    width: 6,
    align: 'right',
    textOf: ofSample(sample => short(sample.connections)),
  },
  {
    order: undefined,
    title: 'MSG/S',
    key: '',
    width: 6,
    align: 'right',
    textOf: ofSample(({ messages }) => (messages === null ? '' : short(messages))),
  },
  {
    order: undefined,
    title: 'BACKLOG',
    key: '',
    width: 7,
    align: 'right',
    textOf: ofSample(({ backlog }) => short(backlog)),
  },
  {
    order: undefined,
    title: 'HEAP',
    key: '',
    width: 7,
    align: 'right',
    textOf: ofSample(({ heap }) => size(heap)),
  },
  {
    order: undefined,
    title: 'DELAY',
    key: '',
    width: 6,
    align: 'right',
    luxury: 1,
    textOf: ofSample(({ delay }) => duration(delay)),
  },
  {
    order: undefined,
    title: 'CPU',
    key: '',
    width: 5,
    align: 'right',
    textOf: ofSample(({ cpu }) => `${Math.round(cpu * 100)}%`),
  },
  {
    order: undefined,
    title: 'PROBLEM',
    key: '',
    width: 8,
    share: 1,
    luxury: 3,
    textOf: ({ problem }) => problem ?? '',
  },
]

/** The columns of all tables. */
export const COLUMNS: { readonly [Name in TableName]: readonly Column<Rows[Name]>[] } = {
  processes,
  connections,
  nodes,
}

/** The column by which a table is sorted at first. */
export const FIRST_ORDER: Readonly<Record<TableName, string>> = {
  processes: 'messages',
  connections: 'id',
  nodes: '',
}

/** How a row looks: one that stands out. */
export function lookOf(row: ProcessRow | ConnectionRow | NodeRow): Look {
  if ('isOverMark' in row) return row.isOverMark ? 'warning' : 'plain'
  if ('failures' in row) return row.failures > 0 ? 'warning' : row.state === 'connected' ? 'plain' : 'accent'
  return row.problem === undefined ? 'plain' : 'warning'
}
