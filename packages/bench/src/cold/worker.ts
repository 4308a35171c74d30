/** A client in a fresh process: does one job as the first of its life, answers with what it cost, and ends. */

import type { Client as HttpClient } from '../http/contract.ts'
import { Marks } from '../marks.ts'
import type { Client as WebSocketClient } from '../websocket/contract.ts'
import { type Answer, BODY, type Job } from './contract.ts'

const [, , file, url = '', given = ''] = process.argv
const job = JSON.parse(given) as Job

async function webSocket(path: string) {
  const { default: client } = (await import(`../${file}.js`)) as { readonly default: WebSocketClient }
  return client.connect(`${url}/${path}`, false)
}

async function http(inFlight: number) {
  const { default: client } = (await import(`../${file}.js`)) as { readonly default: HttpClient }
  return client.connect(url, inFlight)
}

/** The connection is open, and all modules are loaded, when the clock starts. */
async function run(): Promise<Answer> {
  if (job.type === 'first') {
    await (await webSocket('echo')).echo('hello', 1, 1)
    const { user, system } = process.cpuUsage()
    return [user + system]
  }
  const marks = new Marks(job.counts)
  const count = job.counts.at(-1) ?? 0
  switch (job.type) {
    case 'receive': {
      const connection = await webSocket('flood')
      const request = JSON.stringify({ type: 'text', size: job.size, count })
      marks.start()
      await connection.receive(request, count, marks)
      break
    }
    case 'echo': {
      const connection = await webSocket('echo')
      const text = 'x'.repeat(job.size)
      marks.start()
      await connection.echo(text, count, job.inFlight, marks)
      break
    }
    case 'get': {
      const { inFlight } = job
      const connection = await http(inFlight)
      // undici connects with its first request.
      await connection.get(`/${BODY}`, { type: 'get', size: BODY, inFlight: 1, count: 1 })
      marks.start()
      await connection.get(`/${BODY}`, { type: 'get', size: BODY, inFlight, count }, marks)
    }
  }
  return marks.cpu
}

console.log(JSON.stringify(await run()))
process.exit()
