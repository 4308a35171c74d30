// An echo client for a fuzzing server of the Autobahn test suite, which judges it and writes the report:
//   AUTOBAHN_URL=ws://127.0.0.1:9001 node --import tsx test/websocket/autobahn-client.ts

import { fileURLToPath } from 'node:url'
import * as gun from '@holster/gun'
import { createProcess, P, ReceiveTimeout } from '@holster/process'

export interface Outcome {
  /** What was asked for. */
  readonly path: string
  /** `'normal'`: closed by both sides. Else the code of the error, the status of a refusal, or that nothing came. */
  readonly ending: string
  readonly messages: number
}

export interface RunOptions {
  /** How long a server may say nothing, in milliseconds. */
  readonly patience?: number
  readonly log?: (line: string) => void
}

const AGENT = 'holster'
const wsOpts: gun.WsOpts = { compress: true, maxPayload: 256 * 1024 * 1024 }

/** One connection that sends back every message, until it ends; never fails. `onText` is for a server that tells. */
async function converse(
  url: URL,
  patience: number,
  onText: (text: string) => void = () => {},
): Promise<Outcome> {
  const self = createProcess<gun.GunMessage>()
  const isSecure = url.protocol === 'wss:'
  const path = url.pathname + url.search
  let messages = 0
  let refusal: string | undefined
  const connPid = gun.open(url.hostname, Number(url.port || (isSecure ? 443 : 80)), {
    owner: self,
    retry: 0,
    transport: isSecure ? 'tls' : 'tcp',
  })
  self.monitor(connPid)
  gun.wsUpgrade(connPid, path, {}, wsOpts)
  try {
    for (;;) {
      const message = await self.receive([P._], patience)
      switch (message.type) {
        case 'gun_ws': {
          const { frame, streamRef } = message
          if (frame[0] !== 'text' && frame[0] !== 'binary') break
          messages++
          if (frame[0] === 'text') onText(frame[1])
          gun.wsSend(connPid, streamRef, frame as gun.WsFrame)
          break
        }
        case 'gun_response':
          refusal = `refused with ${message.status}`
          gun.close(connPid)
          break
        case 'DOWN':
          return { path, ending: refusal ?? endingOf(message.reason), messages }
      }
    }
  } catch (error) {
    if (!(error instanceof ReceiveTimeout)) throw error
    return { path, ending: `nothing came within ${patience} ms`, messages }
  } finally {
    gun.close(connPid)
    self.exit()
  }
}

function endingOf(reason: unknown): string {
  if (Array.isArray(reason)) return endingOf(reason.at(-1))
  return reason instanceof gun.GunError ? reason.code : String(reason)
}

/** Runs every case that the server has, one after the other, and has it write its report. Rejects only where the server
 * does not say how many there are. */
export async function run(url: string, options: RunOptions = {}): Promise<Outcome[]> {
  const { patience = 60_000, log = console.log } = options
  let count = Number.NaN
  const { ending } = await converse(new URL('/getCaseCount', url), patience, text => {
    count = Number(text)
  })
  if (!Number.isInteger(count)) throw new Error(`${url} does not say how many cases there are: ${ending}`)
  const outcomes: Outcome[] = []
  for (let i = 1; i <= count; i++) {
    const outcome = await converse(new URL(`/runCase?case=${i}&agent=${AGENT}`, url), patience)
    outcomes.push(outcome)
    log(`case ${i} of ${count}: ${outcome.messages} messages, ${outcome.ending}`)
  }
  const report = await converse(new URL(`/updateReports?agent=${AGENT}`, url), patience)
  log(`${count} cases were run; the report: ${report.ending}`)
  return outcomes
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const url = process.env.AUTOBAHN_URL
  if (url === undefined) {
    console.error('AUTOBAHN_URL must say where the fuzzing server is, such as ws://127.0.0.1:9001')
    process.exitCode = 1
  } else {
    await run(url)
  }
}
