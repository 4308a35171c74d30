/** The other side of the bare client: counts what comes, or sends it back. */

import { parentPort, workerData } from 'node:worker_threads'
import { connect } from '@nats-io/transport-node'
import type { Order } from './bodies.ts'
import { read, write } from './contract.ts'

const { servers } = (workerData ?? {}) as { readonly servers?: string }
const [encoder, decoder] = [new TextEncoder(), new TextDecoder()]
const port = parentPort
let isEcho = true
let left = 0

function take(message: Order, send: (message: unknown) => void): void {
  if (message.type === 'count') {
    isEcho = false
    left = message.count
  } else if (message.type === 'parcel' && isEcho) send(message)
  else if (message.type === 'parcel' && --left === 0) {
    isEcho = true
    send({ type: 'arrived' })
  }
}

if (servers === undefined) {
  port?.on('message', (message: Order) => take(message, answer => port?.postMessage(answer)))
} else {
  const connection = await connect({ servers })
  const send = (message: unknown) => connection.publish('main', encoder.encode(write(message as Order)))
  connection.subscribe('other', {
    callback: (_error, { data }) => take(read(decoder.decode(data)) as Order, send),
  })
  await connection.flush()
}
port?.postMessage('ready')
