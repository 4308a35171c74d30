/**
 * An upload of any size: `data` returns `false` when too much of the body waits to be sent, and a message
 * tells when to continue.
 */

import { Readable } from 'node:stream'
import * as gun from '@holster/gun'
import { spawn } from '@holster/process'
import { startServer } from './local-server.ts'

await using server = await startServer()

/** Stands for a file of 64 MiB, read in pieces of 64 KiB. */
const file = Readable.from(Array.from({ length: 1024 }, () => Buffer.alloc(64 * 1024)))

await spawn<gun.GunMessage>(async self => {
  await using connPid = gun.open('127.0.0.1', server.port, { owner: self })
  const streamRef = gun.put(connPid, '/upload', {}, undefined, { sendHighWaterMark: 1024 * 1024 })
  let pauses = 0
  for await (const chunk of file) {
    if (gun.data(connPid, streamRef, 'nofin', chunk)) continue
    pauses++
    // Waits for room. A server that does not want the whole body may respond instead.
    const message = await gun.await(connPid, streamRef)
    if (message.type !== 'gun_notify') throw new Error(`${message.type} before the file was sent`)
  }
  gun.data(connPid, streamRef, 'fin', '')

  await gun.await(connPid, streamRef)
  const { body } = await gun.awaitBody(connPid, streamRef)
  console.log(
    `the server got ${String(body).trim()}; ${pauses > 10 ? 'sending paused in between' : 'no pause'}`,
  )
}).exited
