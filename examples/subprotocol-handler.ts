/** A subprotocol with a handler: the owner receives messages of the subprotocol instead of frames. */

import * as gun from '@holster/gun'
import { type Pid, spawn } from '@holster/process'
import { startServer } from './local-server.ts'

interface Stanza {
  readonly type: 'stanza'
  readonly number: number
  readonly text: string
}

interface State {
  readonly owner: Pid<Stanza>
  count: number
}

const xmpp: gun.WsHandler<State, Stanza> = {
  init(replyTo) {
    return { owner: replyTo, count: 0 }
  },
  handle(frame, state) {
    if (frame[0] !== 'text') return 0
    state.owner.send({ type: 'stanza', number: ++state.count, text: frame[1] })
    return 1
  },
}

await using server = await startServer()

await spawn<gun.GunMessage | Stanza>(async self => {
  await using connPid = gun.open('127.0.0.1', server.port, { owner: self })
  await gun.awaitUp(connPid)

  const streamRef = gun.wsUpgrade(connPid, '/websocket', {}, { protocols: [['xmpp', xmpp]] })
  await self.receive([{ type: 'gun_upgrade', connPid, streamRef }], 5000)
  gun.wsSend(connPid, streamRef, [
    ['text', '<presence/>'],
    ['text', '<message/>'],
  ])
  for (let i = 0; i < 2; i++) {
    const { number, text } = await self.receive([{ type: 'stanza' }], 5000)
    console.log(`stanza ${number}: ${text}`)
  }
}).exited
