/** Clients in fresh processes: the cost of their first messages and requests, of their start, and of their import. */

import type { Benchmark } from './benchmark.ts'
import type { Choice } from './choice.ts'
import type { Job } from './cold/contract.ts'
import { importCost, importSize, runCold, runNothing, type Wire } from './cold/crew.ts'
import { findBun } from './crew.ts'
import { startServer as startHttpServer } from './http/crew.ts'
import { startServer as startHttp2Server } from './http2/crew.ts'
import { median } from './stats.ts'
import type { Measured, Table } from './table.ts'
import { startServer as startWebSocketServer } from './websocket/crew.ts'

/** A job that brings a row for each of its counts. */
interface ColdJob {
  readonly name: string
  readonly job: Exclude<Job, { readonly type: 'first' }>
}

interface ColdTable extends Table {
  readonly wire: Wire
  readonly jobs: readonly ColdJob[]
}

const MESSAGES = [10_000, 100_000, 300_000]
const REQUESTS = [1_000, 10_000]

const rowOf = (name: string, count: number) => `${name}, first ${count.toLocaleString('en')}`

function tableOf(
  unit: string,
  wire: Wire,
  clients: readonly string[],
  reference: string,
  jobs: readonly ColdJob[],
): ColdTable {
  const rows = jobs.flatMap(({ name, job }) => job.counts.map(count => rowOf(name, count)))
  return { title: `µs of CPU per ${unit}`, clients, reference, digits: 2, rows, wire, jobs }
}

const messages = tableOf('message of a fresh process', 'webSocket', ['holster', 'ws', 'undici'], 'ws', [
  { name: 'receive 32 B text', job: { type: 'receive', size: 32, counts: MESSAGES } },
  { name: 'receive 1 KB text', job: { type: 'receive', size: 1024, counts: MESSAGES } },
  {
    name: 'echo 32 B text, 256 in flight',
    job: { type: 'echo', size: 32, inFlight: 256, counts: MESSAGES },
  },
  {
    name: 'echo 1 KB text, 256 in flight',
    job: { type: 'echo', size: 1024, inFlight: 256, counts: MESSAGES },
  },
])

const requests = tableOf('request of a fresh process', 'http', ['holster', 'undici'], 'undici', [
  { name: 'HTTP/1.1 GET 100 B, one after the other', job: { type: 'get', inFlight: 1, counts: REQUESTS } },
  { name: 'HTTP/1.1 GET 100 B, 10 pipelined', job: { type: 'get', inFlight: 10, counts: REQUESTS } },
])

const requests2 = tableOf('request of a fresh process, over TLS', 'http2', ['holster', 'node'], 'node', [
  { name: 'HTTP/2 GET 100 B, 1 stream', job: { type: 'get', inFlight: 1, counts: REQUESTS } },
  { name: 'HTTP/2 GET 100 B, 10 streams', job: { type: 'get', inFlight: 10, counts: REQUESTS } },
])

const TIME = 'start to the first frame echoed, time'
const CPU = 'start to the first frame echoed, CPU'

const starts = {
  title: 'ms from the start of `node`',
  clients: ['holster', 'ws', 'undici', 'nothing'],
  reference: 'ws',
  digits: 1,
  rows: [TIME, CPU],
} as const satisfies Table

const IMPORTS: Readonly<Record<string, readonly string[]>> = {
  holster: ['@holster/gun', '@holster/process'],
  ws: ['ws'],
  undici: ['undici'],
  'ws and undici': ['ws', 'undici'],
}

const imports = {
  title: 'Cost of `import`',
  clients: Object.keys(IMPORTS),
  reference: 'ws and undici',
  digits: 1,
  rows: ['import, ms', 'import, ms of CPU', 'import, modules', 'import, KB of source'],
} as const satisfies Table

/** The median of each client, for each of several figures of a sample. */
async function samples(
  clients: readonly string[],
  rounds: number,
  sample: (client: string) => Promise<readonly number[]>,
): Promise<Map<string, number>[]> {
  const taken = new Map(clients.map(client => [client, [] as (readonly number[])[]]))
  for (let round = 0; round < rounds; round++) {
    for (const [client, all] of taken) all.push(await sample(client))
  }
  const figures = Math.max(...[...taken.values()].map(([first]) => first?.length ?? 0))
  return Array.from(
    { length: figures },
    (_, figure) =>
      new Map([...taken].map(([client, all]) => [client, median(all.map(each => each[figure] ?? 0))])),
  )
}

async function* measureTable(table: ColdTable, url: string, choice: Choice): AsyncIterable<Measured> {
  const { rounds } = choice
  for (const { name, job } of table.jobs) {
    const wanted = job.counts.filter(count => choice.isWanted(rowOf(name, count)))
    if (wanted.length === 0) continue
    const costs = await samples(
      choice.clientsOf(table),
      rounds,
      async client => (await runCold(table.wire, client, url, { ...job, counts: wanted })).answer,
    )
    for (const [i, count] of wanted.entries()) {
      const values = new Map([...(costs[i] ?? [])].map(([client, cpu]) => [client, cpu / count]))
      yield { table, row: rowOf(name, count), values, rounds }
    }
  }
}

async function* measureStarts(url: string, choice: Choice): AsyncIterable<Measured> {
  const { rounds } = choice
  if (!starts.rows.some(row => choice.isWanted(row))) return
  const [time, cpu] = await samples(choice.clientsOf<string>(starts), rounds, async client => {
    if (client === 'nothing') {
      const nothing = await runNothing()
      return [nothing.milliseconds, nothing.cpu / 1000]
    }
    const { answer, milliseconds } = await runCold('webSocket', client, url, { type: 'first' })
    return [milliseconds, (answer[0] ?? 0) / 1000]
  })
  if (time !== undefined && choice.isWanted(TIME)) yield { table: starts, row: TIME, values: time, rounds }
  if (cpu !== undefined && choice.isWanted(CPU)) yield { table: starts, row: CPU, values: cpu, rounds }
}

async function* measureImports(choice: Choice): AsyncIterable<Measured> {
  const { rounds } = choice
  if (!imports.rows.some(row => choice.isWanted(row))) return
  const figures = await samples(choice.clientsOf(imports), rounds, async client => {
    const specifiers = IMPORTS[client] ?? []
    const { milliseconds, cpuMilliseconds } = await importCost(specifiers)
    const { modules, kilobytes } = await importSize(specifiers)
    return [milliseconds, cpuMilliseconds, modules, kilobytes]
  })
  for (const [i, row] of imports.rows.entries()) {
    const values = figures[i]
    if (values !== undefined && choice.isWanted(row)) yield { table: imports, row, values, rounds }
  }
}

export const cold: Benchmark = {
  name: 'cold',
  heading: 'Cold: the first messages of a process',
  about: [
    'Each figure is the median of as many fresh processes, which are started in turns, without flags and with nothing',
    'compiled yet. CPU counts from the moment in which the first message or request is asked for, when the connection is open',
    'and all modules are loaded, to the one in which so many of them are done. One server, which is warm, sends the messages',
    'to receive at once. The start is that of the whole process, up to its first frame that has come back; `nothing` is an',
    'empty program, the least that any client can take. An import is that of `@holster/gun` and `@holster/process` for',
    '`holster`.',
  ],
  tables: [messages, requests, requests2, starts, imports],
  async *measure(choice) {
    using webSockets = await startWebSocketServer(findBun())
    using http = await startHttpServer()
    using http2 = await startHttp2Server()
    const webSocketUrl = webSockets.urls.plain
    yield* measureTable(messages, webSocketUrl, choice)
    yield* measureTable(requests, `http://127.0.0.1:${http.port}`, choice)
    yield* measureTable(requests2, http2.tls, choice)
    yield* measureStarts(webSocketUrl, choice)
    yield* measureImports(choice)
  },
}
