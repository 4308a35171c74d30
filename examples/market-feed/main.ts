/**
 * Fifty WebSockets of a market feed that drops them, refuses them, falls silent, sends garbage and leaves ticks out, all by a seed.
 * Each feed is a process under a supervisor, subscribes again where it was, has gaps repaired, and hands its ticks in order to a book that
 * anybody can ask. A slow reader is held back by back-pressure, and SIGTERM loses nothing that has come.
 *
 *   npx tsx examples/market-feed/main.ts             until each feed has 100 ticks
 *   npx tsx examples/market-feed/main.ts --seed 7    with other faults
 *   npx tsx examples/market-feed/main.ts --forever   until SIGTERM or Ctrl+C
 */

import { parseArgs } from 'node:util'
import { application } from '@holster/otp'
import { market } from './market.ts'
import { startExchange } from './server.ts'

const { values } = parseArgs({
  options: { forever: { type: 'boolean', default: false }, seed: { type: 'string', default: '1' } },
})

await using exchange = await startExchange({
  seed: Number(values.seed),
  last: values.forever ? Number.POSITIVE_INFINITY : 100,
  pace: values.forever ? 50 : 1,
  faultRate: 0.03,
})
const symbols = Array.from({ length: 50 }, (_, n) => `S${String(n).padStart(2, '0')}`)
console.log(`50 feeds of the exchange at port ${exchange.port}`)

await application.run(market({ port: exchange.port, symbols, archived: 2000 }), {
  // The first line of a crash will do: there are many, and each was asked for.
  log: text => console.log(text.split('\n', 1)[0]),
  // The exchange ends behind the tree, and the program with it.
  exit: code => {
    process.exitCode = code
  },
})
const faults = Object.entries(exchange.faults).map(([fault, times]) => `${fault} ${times}`)
console.log(`faults of the exchange: ${faults.join(', ')}`)
