/** A client in a process of its own: takes jobs, one a line, and answers with what each cost both of its threads. */

import { setImmediate as turn } from 'node:timers/promises'
import { answerJobs, costOf } from '../cost.ts'
import { type Client, type Job, type Parcel, TURN } from './contract.ts'

const [, , file, servers] = process.argv
const { default: client } = (await import(`./${file}.js`)) as { readonly default: Client }
const line = await client.connect(servers)

async function run({ isEcho, size, count }: Job): Promise<void> {
  const text = 'x'.repeat(size)
  if (isEcho) {
    for (let n = 0; n < count; n++) {
      line.send({ type: 'parcel', text } satisfies Parcel)
      await line.receive()
    }
    return
  }
  const arrived = line.arrived(count)
  for (let n = 0; n < count; n++) {
    line.send({ type: 'parcel', text } satisfies Parcel)
    if (n % TURN === TURN - 1) await turn()
  }
  await arrived
}

await answerJobs<Job>(job => costOf(() => run(job)))
