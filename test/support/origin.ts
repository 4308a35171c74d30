// Scripted servers for our own tests: nothing is left to chance, and each stream must have ended exactly once.

import { type Script, type ScriptedServer, type ScriptedServerOptions, startServer } from '@holster/testing'
import './chance.ts'
import { streamEnds } from './stream-ends.ts'

/** `startServer`, where `close` also fails if a stream has not ended exactly once. */
export async function origin(script: Script, options?: ScriptedServerOptions): Promise<ScriptedServer> {
  const server = await startServer(script, options)
  async function close(): Promise<void> {
    await shut()
    streamEnds.assert()
  }
  const { close: shut } = server
  return Object.assign(server, { close, [Symbol.asyncDispose]: close })
}
