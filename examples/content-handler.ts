/**
 * A content handler turns each line of newline-delimited JSON into a message, behind another that
 * decompresses the body.
 */

import * as gun from '@holster/gun'
import { type Pid, spawn } from '@holster/process'
import { startServer } from './local-server.ts'

interface Line {
  readonly type: 'line'
  readonly streamRef: gun.StreamRef
  /** `'fin'`: no line follows. */
  readonly value: { readonly name: string } | 'fin'
}

const jsonLines: gun.ContentHandler = {
  init({ headers, streamRef, replyTo }) {
    const type = headers.find(([name]) => name === 'content-type')?.[1]
    if (type !== 'application/x-ndjson') return undefined
    const owner = replyTo as Pid<Line>
    const decoder = new TextDecoder()
    let begun = ''
    return {
      // An error thrown here, for example by a line that is not JSON, ends the stream with handler_error.
      handle(isFin, data) {
        const lines = (begun + decoder.decode(data, { stream: isFin === 'nofin' })).split('\n')
        begun = isFin === 'nofin' ? (lines.pop() ?? '') : ''
        for (const line of lines) {
          if (line !== '') owner.send({ type: 'line', streamRef, value: JSON.parse(line) })
        }
        if (isFin === 'fin') owner.send({ type: 'line', streamRef, value: 'fin' })
      },
    }
  },
}

await using server = await startServer()

await spawn<gun.GunMessage | Line>(async self => {
  const httpOpts = { contentHandlers: [gun.decode(), jsonLines] }
  await using connPid = gun.open('127.0.0.1', server.port, { owner: self, httpOpts })
  await gun.awaitUp(connPid)

  const streamRef = gun.get(connPid, '/lines', { 'accept-encoding': 'gzip' })
  for (;;) {
    const { value } = await self.receive([{ type: 'line', streamRef }], 5000)
    if (value === 'fin') break
    console.log(value.name)
  }
  console.log('that was all')
}).exited
