// Keys of NATS pass through to its client: a node that has the right one joins, and another is turned away.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { node, startNode, stopNode } from '@holster/node'
import { nats } from '@holster/node/nats'
import { nkeyAuthenticator, nkeys } from '@nats-io/transport-node'
import { natsServer, needingNats } from '../support/nats-server.ts'
import { COOKIE } from '../support/peer.ts'

test('a node joins with an nkey that the server knows, and with no other', needingNats, async () => {
  const [known, stranger] = [nkeys.createUser(), nkeys.createUser()]
  await using server = await natsServer({
    config: `authorization { users: [{ nkey: ${known.getPublicKey()} }] }`,
  })
  const start = (user: typeof known) => {
    const carrier = nats({ servers: server.url, authenticator: nkeyAuthenticator(user.getSeed()) })
    return startNode({ name: 'a', cookie: COOKIE, carrier })
  }
  await assert.rejects(start(stranger), /the NATS server cannot be reached: Authorization Violation/)
  assert.equal(node(), 'nonode@nohost')
  await start(known)
  assert.equal(node(), 'a')
  await stopNode()
})
