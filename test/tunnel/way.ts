// The steps of any way come up in order, the origin answers, and `info` and `streamInfo` tell of all that is in between.

import assert from 'node:assert/strict'
import * as gun from '@holster/gun'
import { PATIENCE } from '../support/client.ts'
import type { Kinds } from '../support/tunnel-chains.ts'
import { HELLO } from '../support/tunnel-origins.ts'
import { endOf, type Through, through, tunnelOf } from '../support/tunnel-ways.ts'

export async function checkWay(kinds: Kinds): Promise<void> {
  await using it = await through(kinds)
  checkTunnels(it)
  checkEnd(it)
  if (it.chain.hops.at(-1)?.protocol === 'raw') await checkBytes(it)
  else await checkRequest(it)
  assert.equal(it.self.messageQueueLength, 0)
  checkEnd(it)
}

function checkTunnels({ chain, connPid, self, tunnels }: Through): void {
  for (const [i, { destination }] of chain.steps.entries()) {
    const streamRef = tunnels[i]
    if (destination === undefined || streamRef === undefined) continue
    assert.deepEqual(gun.streamInfo(connPid, streamRef), {
      ref: streamRef,
      replyTo: self,
      state: 'running',
      intermediaries: chain.intermediaries.slice(0, i),
      tunnel: tunnelOf(chain, i),
    })
  }
}

function checkEnd({ chain, connPid }: Through): void {
  const { transport, protocol, originScheme, originHost, originPort, intermediaries } = gun.info(connPid)
  const end = { transport, protocol, originScheme, originHost, originPort, intermediaries }
  assert.deepEqual(end, endOf(chain))
}

async function checkRequest({ chain, connPid, self, to }: Through): Promise<void> {
  const streamRef = gun.get(connPid, '/proxied', {}, to)
  const { ref, replyTo, state, intermediaries } = gun.streamInfo(connPid, streamRef) ?? {}
  assert.deepEqual(
    { ref, replyTo, state, intermediaries },
    { ref: streamRef, replyTo: self, state: 'running', intermediaries: chain.intermediaries },
  )
  const { status, body } = await gun.awaitResponse(connPid, streamRef, PATIENCE)
  assert.deepEqual([status, String(body)], [200, HELLO])
  const authority = `localhost:${chain.origin.port}`
  assert.deepEqual(chain.origin.requests, [{ method: 'GET', path: '/proxied', authority }])
}

async function checkBytes({ connPid, next, tunnel }: Through): Promise<void> {
  const parts: string[] = []
  gun.data(connPid, tunnel, 'nofin', 'Hello world!')
  while (parts.join('').length < 'Hello world!'.length) {
    const message = await next()
    assert.ok(message.type === 'gun_data')
    assert.deepEqual([message.streamRef, message.isFin], [tunnel, 'nofin'])
    parts.push(String(message.data))
  }
  assert.equal(parts.join(''), 'Hello world!')
}
