/** The origins, which answer with as little work as they can, and a proxy that pipes: all in one process of their own. */

import { createServer as createHttpServer } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import net, { type Server } from 'node:net'
import tls from 'node:tls'
import { WebSocketServer } from 'ws'
import { identity } from '../identity.ts'
import { BODY } from './contract.ts'

const ANSWER = Buffer.from(
  `HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: ${BODY}\r\n\r\n${'x'.repeat(BODY)}`,
)

/** Answers as many requests as have come. */
function answer(socket: net.Socket): void {
  let rest = ''
  socket.on('data', bytes => {
    const heads = (rest + bytes.toString('latin1')).split('\r\n\r\n')
    rest = heads.pop() ?? ''
    if (heads.length > 0) socket.write(heads.length === 1 ? ANSWER : Buffer.concat(heads.map(() => ANSWER)))
  })
  socket.on('error', () => socket.destroy())
}

/** Leads each CONNECT to where it asks to, and pipes. */
function lead(client: net.Socket): void {
  client.on('error', () => client.destroy())
  client.once('data', head => {
    const [, host = '', port] = /^CONNECT (\S+):(\d+) /.exec(head.toString('latin1')) ?? []
    const origin = net.connect({ host, port: Number(port), noDelay: true }, () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n')
      client.pipe(origin).pipe(client)
    })
    origin.on('error', () => client.destroy())
  })
}

function echo(server: Server): Server {
  const sockets = new WebSocketServer({ server: server as never, perMessageDeflate: false })
  sockets.on('connection', socket => {
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
    socket.on('error', () => socket.terminate())
  })
  return server
}

function portOf(server: Server): Promise<number> {
  return new Promise(resolve => {
    server.listen(0, 'localhost', () => resolve((server.address() as net.AddressInfo).port))
  })
}

const ports = {
  http: await portOf(net.createServer({ noDelay: true }, answer)),
  https: await portOf(tls.createServer({ ...identity, noDelay: true }, answer)),
  ws: await portOf(echo(createHttpServer())),
  wss: await portOf(echo(createHttpsServer(identity))),
  proxy: await portOf(net.createServer({ noDelay: true }, lead)),
}
console.log(JSON.stringify(ports))

// The process must not outlive a benchmark that was interrupted.
process.stdin.resume().on('end', () => process.exit())
