/** A scene of the REST service: a backend, the service in front of it, and a client's connection. */

import type { TestContext } from 'node:test'
import * as gun from '@holster/gun'
import { genServer, supervisor } from '@holster/otp'
import { createProcess, type Process } from '@holster/process'
import { FIELD } from '../../examples/rest-service/deadline.ts'
import { type BackendServer, startBackend } from '../../examples/rest-service/server.ts'
import { tree } from '../../examples/rest-service/tree.ts'
import '../support/chance.ts'
import { assertNothingLeftAfter } from '../support/leftovers.ts'

/** Milliseconds that are not over, also on a machine that is many times slower or busier than usual. */
export const PATIENCE = 300_000
export const PATIENT = { [FIELD]: String(PATIENCE) }

export interface Scene extends AsyncDisposable {
  readonly backend: BackendServer
  readonly port: number
  readonly owner: Process<gun.GunMessage>
  readonly connPid: gun.ConnPid
  /** Stops the service in order. */
  stop(): Promise<void>
}

/** Starts a backend and the service in front of it, and opens a client's connection. */
export async function serving(t: TestContext, backendPort?: number): Promise<Scene> {
  assertNothingLeftAfter(t)
  const backend = await startBackend()
  t.mock.method(console, 'log', () => {})
  const sup = await supervisor.start(tree({ port: backendPort ?? backend.port }))
  const port = Number(await genServer.call('service', { type: 'port' }))
  const owner = createProcess<gun.GunMessage>()
  const connPid = gun.open('127.0.0.1', port, { owner, retry: 0 })
  await gun.awaitUp(connPid)
  const stop = () => supervisor.stop(sup)
  return {
    backend,
    port,
    owner,
    connPid,
    stop,
    async [Symbol.asyncDispose]() {
      owner.exit()
      if (sup.isAlive) await stop()
      await backend[Symbol.asyncDispose]()
    },
  }
}

/** Resolves to the parts of a whole response that tests look at. */
export async function ask({ connPid }: Scene, method: string, path: string, headers = {}, body = '') {
  const response = await gun.awaitResponse(
    connPid,
    gun.request(connPid, method, path, { ...PATIENT, ...headers }, body),
    PATIENCE,
  )
  const field = (name: string) => response.headers.find(([other]) => other === name)?.[1]
  return { status: response.status, text: String(response.body), field }
}

/** Resolves to the status of a response whose request may not be complete. */
export async function statusOf({ connPid }: Scene, streamRef: gun.StreamRef): Promise<number | undefined> {
  const message = await gun.await(connPid, streamRef, PATIENCE)
  return message.type === 'gun_response' ? message.status : undefined
}
