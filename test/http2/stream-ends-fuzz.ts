// What the tests of stream ends do, in a process of its own: node --import tsx test/http2/stream-ends-fuzz.ts NAME SEED RUNS

import { checks, fuzz } from '../support/fuzzed-streams.ts'

const [name, seed, runs] = process.argv.slice(2)
const what = checks.find(each => each.name === name)
if (what === undefined) throw new Error(`NAME must be one of ${checks.map(each => each.name).join(', ')}`)
await fuzz(what, Number(seed), Number(runs))
