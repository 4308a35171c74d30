/** A visitor asks the service for whatever may go wrong, and tells how it went. */

import * as gun from '@holster/gun'
import { type Process, spawn } from '@holster/process'
import { FIELD } from './deadline.ts'
import type { BackendServer } from './server.ts'

/** The milliseconds that a visitor waits, unless in a hurry. */
const PATIENCE = 300_000

/** Makes the body of a visitor, which ends while its last request is under way. */
export function visitor(backend: BackendServer): (self: Process<gun.GunMessage>) => Promise<void> {
  const ask = async (connPid: gun.ConnPid, method: string, path: string, body = '', ms = PATIENCE) => {
    const streamRef = gun.request(connPid, method, path, { [FIELD]: String(ms) }, body)
    return told(`${method} ${path}`, await gun.awaitResponse(connPid, streamRef, PATIENCE))
  }
  return async self => {
    const port = Number(await self.call('service', { type: 'port' }))
    const connPid = gun.open('127.0.0.1', port, { owner: self })
    const show = async (...args: Parameters<typeof ask>) => console.log(await ask(...args))

    backend.plan('GET /items/tea', 'refuse', 'reset', 'busy')
    await show(connPid, 'GET', '/items/tea')
    backend.plan('POST /orders', 'refuse')
    await show(connPid, 'POST', '/orders', '{"item":"tea"}')
    // The backend may have begun with this one, so that another try might order twice.
    backend.plan('POST /orders', 'reset')
    await show(connPid, 'POST', '/orders', '{"item":"tea"}')
    backend.plan('GET /items/coffee', 'hang')
    await show(connPid, 'GET', '/items/coffee', '', 100)
    await show(connPid, 'GET', '/nothing')

    console.log(await upload(connPid, '/files/large', 1024))
    backend.plan('PUT /files/huge', 'too_large')
    console.log(await upload(connPid, '/files/huge', Number.POSITIVE_INFINITY))

    backend.plan('GET /items/late', 'hold')
    spawn<gun.GunMessage>(async other => {
      const late = gun.open('127.0.0.1', port, { owner: other })
      console.log(`${await ask(late, 'GET', '/items/late')}, while the service stops`)
    })
    // This process ends now, and the service with it, while the other one waits.
    setTimeout(await backend.held('GET /items/late'), 100)
  }
}

/** Sends so many parts of 64 KiB, no faster than they are taken, until the service answers. */
async function upload(connPid: gun.ConnPid, path: string, parts: number): Promise<string> {
  const streamRef = gun.put(connPid, path, { [FIELD]: String(PATIENCE) }, undefined, {
    sendHighWaterMark: 1024 * 1024,
  })
  const part = Buffer.alloc(64 * 1024)
  for (let n = 0; n < parts; n++) {
    if (gun.data(connPid, streamRef, 'nofin', part)) continue
    const message = await gun.await(connPid, streamRef, PATIENCE)
    if (message.type === 'gun_notify') continue
    const status = message.type === 'gun_response' ? message.status : message.type
    gun.cancel(connPid, streamRef)
    return `PUT ${path}: ${status} before all of it was sent`
  }
  gun.data(connPid, streamRef, 'fin', '')
  return told(`PUT ${path}`, await gun.awaitResponse(connPid, streamRef, PATIENCE))
}

function told(request: string, { status, headers, body }: gun.FullResponse): string {
  const tries = headers.find(([name]) => name === 'x-tries')?.[1]
  return `${request}: ${status} ${body}${tries === undefined ? '' : `, tries: ${tries}`}`
}
