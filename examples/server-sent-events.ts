/**
 * Server-sent events arrive as messages; when the stream is over, the next request continues after the last
 * event.
 */

import * as gun from '@holster/gun'
import { spawn } from '@holster/process'
import { startServer } from './local-server.ts'

await using server = await startServer()

await spawn<gun.GunMessage>(async self => {
  const httpOpts = { contentHandlers: [gun.decode(), gun.sse()] }
  await using connPid = gun.open('127.0.0.1', server.port, { owner: self, httpOpts })
  await gun.awaitUp(connPid)

  let lastEventId = ''
  for (;;) {
    const streamRef = gun.get(connPid, '/events', {
      accept: 'text/event-stream',
      ...(lastEventId !== '' && { 'last-event-id': lastEventId }),
    })
    for (;;) {
      const message = await self.receive([{ type: 'gun_sse', connPid, streamRef }], 5000)
      if (message.event === 'fin') {
        lastEventId = message.lastEventId
        break
      }
      const { eventType, lastEventId: id, data } = message.event
      console.log(`${eventType} ${id}: ${data}`)
    }
    if (lastEventId === '4') return
    console.log(`the stream is over, so on from ${lastEventId}`)
  }
}).exited
