/**
 * Whole responses, each with one await: with a deadline for the whole response, a limit of its size, and a
 * signal that gives up.
 */

import * as gun from '@holster/gun'
import { spawn } from '@holster/process'
import { startServer } from './local-server.ts'

await using server = await startServer()

await spawn<gun.GunMessage>(async self => {
  await using connPid = gun.open('127.0.0.1', server.port, { owner: self })

  const { status, body } = await gun.awaitResponse(connPid, gun.get(connPid, '/'), { timeout: 2000 })
  console.log(`${status}: ${String(body).trim()}`)

  // Several requests are under way at once, and each await resolves to its own response.
  const uploads = ['one', 'three'].map(text =>
    gun.awaitResponse(connPid, gun.put(connPid, '/upload', {}, text)),
  )
  for (const response of await Promise.all(uploads)) console.log(String(response.body).trim())

  const small = gun.awaitResponse(connPid, gun.get(connPid, '/'), { maxBodySize: 10 })
  console.log(`too large: ${await small.catch((error: gun.GunError) => error.code)}`)

  const controller = new AbortController()
  const unwanted = gun.awaitResponse(connPid, gun.get(connPid, '/'), { signal: controller.signal })
  controller.abort(new Error('nobody wants it any more'))
  console.log(`given up: ${await unwanted.catch((error: Error) => error.message)}`)

  // The body of the first request is missing, so the second request is not sent; the error names this reason.
  const forgotten = gun.post(connPid, '/upload', { 'content-type': 'text/plain' })
  const behind = gun.awaitResponse(connPid, gun.get(connPid, '/'), { timeout: 10 })
  console.log(await behind.catch((error: Error) => error.message))
  gun.data(connPid, forgotten, 'fin', 'found')
  console.log(String((await gun.awaitResponse(connPid, forgotten)).body).trim())
}).exited
