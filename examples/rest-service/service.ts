/** The service is a server of node:http under a supervisor: requests that are under way when it is told to stop are finished. */

import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import * as gun from '@holster/gun'
import { genServer } from '@holster/otp'
import { Backend } from './backend.ts'
import { deadlineOf } from './deadline.ts'
import { isPassing, Problem, problemOf } from './problem.ts'
import { FLOW, relayDown, relayUp, SEND_MARK } from './relay.ts'

/** The most bytes of a body that is kept in memory, so that its request can be repeated. */
const MOST = 64 * 1024

export const service = genServer.define({
  label: 'service',
  /** Takes the host and the port of the backend's pool. */
  init: async (authority: string) => {
    const backend = new Backend(authority)
    const server = createServer((request, response) => {
      endWith(response, server)
      void serve(backend, request, response)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    console.log(`http://127.0.0.1:${portOf(server)}/items/tea, until Ctrl+C or: kill ${process.pid}`)
    return ['ok', server]
  },
  handleCall: { port: (_request, _from, server) => ['reply', portOf(server), server] },
  terminate: async (_reason, server) => {
    server.close()
    server.closeIdleConnections()
    await once(server, 'close')
  },
})

const portOf = (server: Server): number => (server.address() as AddressInfo).port

/** Has a connection end with its response, once the server does not listen any more. */
function endWith(response: ServerResponse, server: Server): void {
  response.once('finish', () => {
    if (!server.listening) response.req.socket.end()
  })
}

/** Answers one request, whatever comes of it. */
async function serve(backend: Backend, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    await route(backend, request, response)
  } catch (error) {
    const problem = problemOf(error)
    if (problem.status === 500) console.error(problem.cause)
    // Behind the head only an end that is no end can tell that the body is not whole.
    if (response.headersSent) return void response.destroy()
    if (isPassing(problem)) response.setHeader('retry-after', '1')
    response.writeHead(problem.status, { 'content-type': 'application/problem+json' })
    response.end(JSON.stringify({ status: problem.status, title: problem.message }))
  }
}

async function route(backend: Backend, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = 'GET', url: path = '/' } = request
  if (path.startsWith('/files/')) return relayed(backend, method, path, request, response)
  if (!/^\/(items|orders)(\/|$)/.test(path)) throw new Problem(404, `there is no ${path}`)
  const deadline = deadlineOf(request, response)
  const body = await deadline.within(bodyOf(request))
  const { status, headers, body: answer, tries } = await backend.call({ method, path, body, deadline })
  response.writeHead(status, { 'content-type': typeOf(headers), 'x-tries': tries })
  response.end(answer)
}

/** Relays a request whose body is too large to be kept, so that it is sent only once. */
async function relayed(
  backend: Backend,
  method: string,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const deadline = deadlineOf(request, response)
  const streamRef = backend.begin(method, path, deadline, { sendHighWaterMark: SEND_MARK, flow: FLOW })
  // An answer may come before the body has ended, and the client is to read it.
  const body = request.iterator({ destroyOnReturn: false })
  try {
    const head = await relayUp(body, streamRef, deadline.signal)
    response.writeHead(head.status, { 'content-type': typeOf(head.headers) })
    if (head.isFin === 'fin') response.end()
    else await relayDown(streamRef, response, deadline.signal)
  } catch (error) {
    deadline.signal.throwIfAborted()
    throw error
  } finally {
    gun.pool.cancel(streamRef)
    // The rest of a body that nobody wants is read and dropped, or else the connection would not end either.
    void body.return?.().then(() => request.resume())
  }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    size += chunk.length
    if (size <= MOST) chunks.push(chunk)
  }
  if (size > MOST) throw new Problem(413, `a body of more than ${MOST} bytes goes to /files/`)
  return Buffer.concat(chunks)
}

function typeOf(headers: gun.Headers): string {
  return headers.find(([name]) => name === 'content-type')?.[1] ?? 'application/octet-stream'
}
