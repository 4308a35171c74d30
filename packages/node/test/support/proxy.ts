// A proxy between a client and its server, which cuts connections in the middle of what goes through them, or holds them off.

import { EventEmitter, once } from 'node:events'
import net, { type AddressInfo } from 'node:net'

/** From the client to the server, or back. */
export type Way = 'up' | 'down'

/** A proxy that is told when to cut. */
export interface CuttingProxy extends AsyncDisposable {
  readonly url: string
  /** Cuts all connections once so many bytes more have gone one way; later connections are whole. */
  cutAfter(way: Way, bytes: number): void
  /** Cuts all connections, and accepts later ones only to say nothing, or to end them, until `release` is called. */
  hold(how: 'silent' | 'ended'): void
  release(): void
  /** Resolves once a client has come while connections are held. */
  held(): Promise<void>
}

/** Starts a proxy in front of a port. Bytes go on once `wait` resolves, and behind those before them. */
export async function cuttingProxy(
  to: number,
  wait?: (bytes: Buffer) => Promise<unknown>,
): Promise<CuttingProxy> {
  const sockets = new Set<net.Socket>()
  const left: Record<Way, number> = { up: Number.POSITIVE_INFINITY, down: Number.POSITIVE_INFINITY }
  let held: 'silent' | 'ended' | undefined
  const comings = new EventEmitter()
  const cut = () => {
    left.up = Number.POSITIVE_INFINITY
    left.down = Number.POSITIVE_INFINITY
    for (const socket of sockets) socket.destroy()
  }
  const join = (from: net.Socket, onto: net.Socket, way: Way) => {
    sockets.add(from)
    let before: Promise<unknown> = Promise.resolve()
    from.on('data', async chunk => {
      if (wait !== undefined) {
        before = before.then(() => wait(chunk))
        await before
      }
      const bytes = chunk.subarray(0, left[way])
      left[way] -= chunk.length
      onto.write(bytes, () => {
        if (left[way] <= 0) cut()
      })
    })
    from.on('error', () => undefined)
    from.on('close', () => {
      sockets.delete(from)
      onto.destroy()
    })
  }
  const server = net.createServer(client => {
    if (held !== undefined) comings.emit('held')
    if (held === 'ended') {
      client.destroy()
      return
    }
    if (held === 'silent') {
      sockets.add(client)
      client.on('error', () => undefined)
      client.on('close', () => sockets.delete(client))
      client.resume()
      return
    }
    const upstream = net.connect(to, '127.0.0.1')
    join(client, upstream, 'up')
    join(upstream, client, 'down')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    cutAfter(way, bytes) {
      left[way] = bytes
    },
    hold(how) {
      held = how
      cut()
    },
    release() {
      held = undefined
      cut()
    },
    async held() {
      await once(comings, 'held')
    },
    async [Symbol.asyncDispose]() {
      server.close()
      for (const socket of sockets) socket.destroy()
      await once(server, 'close')
    },
  }
}
