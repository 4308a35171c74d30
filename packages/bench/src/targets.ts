/** All targets: the most that one client's figure in a row may be of another client's figure in the same row. */

import type { Results } from './results.ts'

export interface Target {
  readonly benchmark: string
  readonly row: string
  /** The client that is to be good. */
  readonly client: string
  /** The client that it is compared with. */
  readonly reference: string
  /** The most that the ratio of the two may be. */
  readonly most: number
  /** The ratio to reach after that. */
  readonly goal?: number
}

interface Pair {
  readonly client?: string
  readonly reference: string
  readonly goal?: number
}

function targetsOf(
  benchmark: string,
  { client = 'holster', ...pair }: Pair,
  rows: Readonly<Record<string, number>>,
): Target[] {
  return Object.entries(rows).map(([row, most]) => ({ benchmark, row, client, ...pair, most }))
}

export const targets: readonly Target[] = [
  ...targetsOf(
    'websocket',
    { reference: 'ws' },
    {
      'echo 32 B text, 1 in flight': 0.95,
      'echo 32 B text, 256 in flight': 0.4,
      'echo 1 KB text, 256 in flight': 0.55,
      'echo 64 KB text, 16 in flight': 0.6,
      'echo 64 KB binary, 16 in flight': 0.6,
      'receive 32 B text': 0.9,
      'receive 1 KB text': 0.8,
      'echo 1 KB text, compressed, 16 in flight': 0.3,
      'echo 1 KB text, compressed, 16 in flight, without context takeover': 0.3,
      'echo 64 KB text, compressed, 16 in flight': 0.8,
      'echo 64 KB text, compressed, 16 in flight, without context takeover': 0.8,
      'open and close a connection': 1.4,
      'open and close a connection over TLS': 1.4,
      'RSS per idle connection': 1,
      'heap per idle connection': 2.6,
      'RSS per idle connection over TLS': 1,
      'heap per idle connection over TLS': 2.6,
      'RSS per compressed connection, 2,000 of them': 1,
      'RSS per compressed connection, 10,000 of them': 1,
      'RSS per compressed connection without context takeover': 1,
    },
  ),
  ...targetsOf(
    'websocket',
    { client: 'fresh', reference: 'reused' },
    {
      'receive 32 B text, both kinds in one process': 1.15,
      'receive 32 B text, each kind in a process of its own': 1.15,
    },
  ),
  ...targetsOf(
    'cold',
    { reference: 'ws', goal: 1.5 },
    {
      'receive 32 B text, first 10,000': 2,
      'receive 32 B text, first 100,000': 2,
      'receive 32 B text, first 300,000': 2,
      'receive 1 KB text, first 10,000': 2,
      'receive 1 KB text, first 100,000': 2,
      'receive 1 KB text, first 300,000': 2,
      'echo 32 B text, 256 in flight, first 10,000': 2,
      'echo 32 B text, 256 in flight, first 100,000': 2,
      'echo 32 B text, 256 in flight, first 300,000': 2,
      'echo 1 KB text, 256 in flight, first 10,000': 2,
      'echo 1 KB text, 256 in flight, first 100,000': 2,
      'echo 1 KB text, 256 in flight, first 300,000': 2,
      'start to the first frame echoed, time': 2,
      'start to the first frame echoed, CPU': 2,
    },
  ),
  ...targetsOf(
    'cold',
    { reference: 'undici' },
    {
      'HTTP/1.1 GET 100 B, one after the other, first 1,000': 1,
      'HTTP/1.1 GET 100 B, one after the other, first 10,000': 1,
      'HTTP/1.1 GET 100 B, 10 pipelined, first 1,000': 1,
      'HTTP/1.1 GET 100 B, 10 pipelined, first 10,000': 1,
    },
  ),
  ...targetsOf(
    'cold',
    { reference: 'node' },
    {
      'HTTP/2 GET 100 B, 1 stream, first 1,000': 1,
      'HTTP/2 GET 100 B, 1 stream, first 10,000': 1,
      'HTTP/2 GET 100 B, 10 streams, first 1,000': 1,
      'HTTP/2 GET 100 B, 10 streams, first 10,000': 1,
    },
  ),
  ...targetsOf(
    'cold',
    { reference: 'ws and undici' },
    { 'import, ms': 1.5, 'import, ms of CPU': 1.5, 'import, modules': 1.5, 'import, KB of source': 1.5 },
  ),
  ...targetsOf(
    'http',
    { client: 'holster-await', reference: 'holster' },
    {
      'GET 100 B, one after the other': 1.15,
      'GET 100 B, 10 pipelined': 1.15,
      'GET 1 MB': 1.15,
      'GET 100 MB': 1.15,
    },
  ),
  ...targetsOf('http', { reference: 'undici' }, { 'POST 10 MB in chunks of 64 KB': 0.8 }),
  ...targetsOf(
    'tunnel',
    { reference: 'holster-direct' },
    {
      'GET http, one after the other': 1.1,
      'GET http, 10 pipelined': 1.1,
      'GET https, one after the other': 1.1,
      'GET https, 10 pipelined': 1.1,
      'echo ws, 32 B, 1 in flight': 1.1,
      'echo ws, 32 B, 256 in flight': 1.1,
      'echo ws, 1024 B, 1 in flight': 1.1,
      'echo ws, 1024 B, 256 in flight': 1.1,
      'echo wss, 32 B, 1 in flight': 1.1,
      'echo wss, 32 B, 256 in flight': 1.1,
      'echo wss, 1024 B, 1 in flight': 1.1,
      'echo wss, 1024 B, 256 in flight': 1.1,
    },
  ),
  ...targetsOf(
    'nodes',
    { reference: 'bare' },
    { 'send 32 B to another thread': 1.5, 'send 32 B over NATS': 1.5 },
  ),
  ...targetsOf(
    'pool',
    { client: 'holster-pool', reference: 'holster' },
    {
      'GET 100 B, 8 callers': 1.15,
      'GET 100 B, 1 caller': 1.15,
      'HTTP/2, GET 100 B, 8 callers': 1.15,
      'HTTP/2, GET 100 B, 64 callers': 1.15,
    },
  ),
  ...targetsOf(
    'pool',
    { client: 'holster-pool', reference: 'undici-pool' },
    { 'GET 100 B, 32 callers, 24 of them waiting': 1 },
  ),
  ...targetsOf(
    'process',
    { reference: 'beam' },
    {
      '100,000 begin at once, and return': 5,
      '100,000 live, take a message, and return': 5,
      '100,000 are monitored, end, and give DOWN': 2,
      'by tag, behind 100,000 others': 2.5,
      'by tag and number, behind 100,000 others': 2.5,
      'a call to a server': 1,
      'a child crashes, and is started anew': 1,
      'heap of 100,000 that wait': 1,
    },
  ),
  ...targetsOf(
    'observer',
    { client: 'looked at', reference: 'alone' },
    {
      'echo 32 B text, 1 in flight, looked at': 1.05,
      'echo 32 B text, 256 in flight, looked at': 1.05,
      'receive 32 B text, looked at': 1.05,
    },
  ),
]

/** Gives the ratio that a target is about; undefined where one of its two clients was not measured. */
export function ratioOf({ benchmark, row, client, reference }: Target, results: Results): number | undefined {
  const { [client]: value, [reference]: peer } = results[benchmark]?.[row]?.values ?? {}
  return value === undefined || peer === undefined ? undefined : value / peer
}

/** Whether a ratio misses its target, to the two digits that tables show. */
export function isMissed(ratio: number, { most }: Target): boolean {
  return Number(ratio.toFixed(2)) > most
}
