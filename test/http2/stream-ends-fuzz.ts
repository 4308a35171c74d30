// One check of stream ends as a process of its own: node --import tsx test/http2/stream-ends-fuzz.ts NAME SEED

import { checks, fuzz, USUAL_RUNS } from '../support/fuzzed-streams.ts'
import { runs } from '../support/runs.ts'

const [name, seed] = process.argv.slice(2)
const check = checks.find(each => each.name === name)
if (check === undefined) throw new Error(`NAME must be one of ${checks.map(each => each.name).join(', ')}`)
await fuzz(check, { ...runs(USUAL_RUNS), seed: Number(seed) })
