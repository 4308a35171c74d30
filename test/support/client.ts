// The client's side of a test: a connection that is up with the process that owns it, and what comes of it.

import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import * as gun from '@holster/gun'
import { createProcess, type Process, type ProcessOptions } from '@holster/process'
import { certificates, type ScriptedServer, type Transport } from '@holster/testing'
import { type Line, speaking } from './line.ts'
import { origin } from './origin.ts'
import { streamEnds } from './stream-ends.ts'

/** How long a message that must come may take; passing tests do not wait for it. */
export const PATIENCE = 5000

export const NO_CONTENT = 'HTTP/1.1 204 No Content\r\n\r\n'

export interface Client extends AsyncDisposable {
  readonly owner: Process<gun.GunMessage>
  readonly connPid: gun.ConnPid
}

/** A connection that is up, with a process that owns it. It is closed at once when it is disposed of. What `httpOpts`
 * says is for the version that is spoken, HTTP/1.1 unless another is given. */
export async function connect(
  { host, port, path }: Pick<ScriptedServer, 'host' | 'port' | 'path'>,
  on: Transport | Line = 'tcp',
  opts: gun.Opts = {},
  ownerOptions: ProcessOptions = {},
): Promise<Client> {
  const { version, transport } = typeof on === 'string' ? ({ version: 'http', transport: on } as const) : on
  const owner = createProcess<gun.GunMessage>(ownerOptions)
  const tlsOpts: gun.Opts = transport === 'tls' ? { transport, tlsOpts: { ca: certificates.ca } } : {}
  const all = { owner, ...tlsOpts, ...speaking(version, opts) }
  const connPid = path === undefined ? gun.open(host, port, all) : gun.openUnix(path, all)
  assert.equal(await gun.awaitUp(connPid, PATIENCE), version)
  return {
    owner,
    connPid,
    async [Symbol.asyncDispose]() {
      gun.close(connPid)
      owner.exit()
      streamEnds.assert()
    },
  }
}

/** The next gun_error of a stream, or with `undefined` of the connection itself. */
export async function receiveError(
  { owner, connPid }: Pick<Client, 'owner' | 'connPid'>,
  streamRef: gun.StreamRef | undefined,
): Promise<gun.GunError> {
  const { reason } = await owner.receive([{ type: 'gun_error', connPid, streamRef }], PATIENCE)
  assert.ok(reason instanceof gun.GunError)
  return reason
}

/** The GunError that a promise must reject with. */
export async function rejection(promise: Promise<unknown>): Promise<gun.GunError> {
  const error = await promise.then(
    () => assert.fail('it did not reject'),
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof gun.GunError, String(error))
  return error
}

export interface Deferred<T> {
  readonly promise: Promise<T>
  resolve(value: T): void
  reject(reason: unknown): void
}

export function defer<T>(): Deferred<T> {
  let resolve!: (value: T) => void
  let reject!: (reason: unknown) => void
  const promise = new Promise<T>((settle, fail) => {
    resolve = settle
    reject = fail
  })
  return { promise, resolve, reject }
}

/** A port that nobody uses, and that so refuses connections: one that was just in use. */
export async function freePort(): Promise<number> {
  await using server = await origin(() => {})
  return server.port
}

/** Turns the event loop until `holds` does. Bounded by turns, not by time: `what` is the message if it never does. */
export async function eventually(holds: () => boolean, what: string): Promise<void> {
  for (let turns = 0; turns < 400_000 && !holds(); turns++) await turn()
  assert.ok(holds(), what)
}

/**
 * Holds once `isPaused` has held in each of many looks, one a turn: a socket that is held up stays paused, while one that has
 * had its share of a turn is paused until the next.
 */
export function heldUp(isPaused: () => boolean): () => boolean {
  let turns = 0
  return () => {
    turns = isPaused() ? turns + 1 : 0
    return turns >= 10
  }
}
