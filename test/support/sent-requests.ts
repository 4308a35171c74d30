// Requests as they must be on the wire, written down once as the bytes of HTTP/1.1: HTTP/2 must say the same.

import assert from 'node:assert/strict'
import * as gun from '@holster/gun'
import type { ScriptedServer } from '@holster/testing'
import { connect, NO_CONTENT } from './client.ts'
import { collect, noContent } from './http-scene.ts'
import { httpOrigin, type Line, NOTHING } from './http-server.ts'
import { origin } from './origin.ts'

export type Send = (connPid: gun.ConnPid) => gun.StreamRef

export const hostOf = ({ path, port, host }: ScriptedServer): string =>
  path === undefined ? `${host}:${port}` : 'localhost'

/** Sends each request over one connection and compares all that its server gets; `HOST` stands for the origin's. */
export async function assertSent(
  line: Line,
  requests: Record<string, readonly [send: Send, bytes: string]>,
  opts: gun.Opts = {},
): Promise<void> {
  const { version, transport } = line
  const expected = Object.entries(requests).map(([name, [, template]]) => [name, template] as const)
  const fill = (template: string) => template.replace('HOST', hostOf(server))
  await using server: ScriptedServer =
    version === 'http'
      ? await origin(
          async peer => {
            for (const [name, template] of expected) {
              const bytes = fill(template)
              assert.equal((await peer.receive(bytes.length)).toString('latin1'), bytes, name)
              await peer.send(NO_CONTENT)
            }
            assert.equal((await peer.receiveAll()).length, 0)
          },
          { transport },
        )
      : await httpOrigin(line, async peer => {
          for (const [name, template] of expected) {
            const { method, path, authority, fields, ...asked } = await peer.request()
            const { body, trailers } = await asked.content()
            assert.deepEqual({ method, path, authority, fields, body }, meaning(fill(template)), name)
            assert.deepEqual(trailers, [])
            await asked.answer(NOTHING)
          }
          await peer.nothingMore()
        })
  await using client = await connect(server, line, opts)
  const { owner, connPid } = client
  // Not pipelined, so that a byte too many is noticed where it is sent.
  for (const [name, [send]] of Object.entries(requests)) {
    assert.deepEqual(await collect(client, send(connPid)), noContent, name)
  }
  assert.equal(owner.messageQueueLength, 0)
  gun.close(connPid)
  await server.finished()
}

/** What concerns one connection of HTTP/1.1, or has become `:authority`. */
const ofHttp1: readonly string[] = ['host', 'transfer-encoding']

/** A request of HTTP/1.1 as HTTP/2 has it. */
function meaning(bytes: string) {
  const end = bytes.indexOf('\r\n\r\n')
  const [first = '', ...lines] = bytes.slice(0, end).split('\r\n')
  const [, method, path] = /^(\S+) (\S+) HTTP\/1\.1$/.exec(first) ?? []
  const all = lines.map((line): [string, string] => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon), line.slice(colon + 1).trim()]
  })
  const value = (name: string) => all.find(([each]) => each === name)?.[1]
  const rest = bytes.slice(end + 4)
  return {
    method,
    path,
    authority: value('host') ?? '',
    fields: all.filter(([name]) => !ofHttp1.includes(name)),
    body: value('transfer-encoding') === undefined ? rest : dechunked(rest),
  }
}

function dechunked(bytes: string): string {
  let body = ''
  for (let at = 0; ; ) {
    const start = bytes.indexOf('\r\n', at) + 2
    const size = Number.parseInt(bytes.slice(at, start), 16)
    if (size === 0) return body
    body += bytes.slice(start, start + size)
    at = start + size + 2
  }
}
