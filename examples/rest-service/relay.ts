/** A relay passes bodies of any size on, in both directions, and never has more of them than its marks allow. */

import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import * as gun from '@holster/gun'

/** How many bytes of an upload may wait to be sent to the backend. */
export const SEND_MARK = 256 * 1024
/** How many messages of a download may wait to be sent to the client. */
export const FLOW = 4

type Head = Extract<gun.StreamMessage, { readonly type: 'gun_response' }>

/**
 * Passes a body on to the backend, and resolves to the head of the response, which may come before the body has ended. Rejects with the
 * error of the stream, of the body, or with the reason of the signal.
 */
export async function relayUp(
  body: AsyncIterator<Uint8Array>,
  streamRef: gun.PoolStreamRef,
  signal: AbortSignal,
): Promise<Head> {
  let hasRoom: () => void = () => undefined
  let isAnswered = false

  const hear = async (): Promise<Head> => {
    for (;;) {
      const message = await gun.pool.await(streamRef, { timeout: Number.POSITIVE_INFINITY, signal })
      if (message.type === 'gun_response') return message
      if (message.type === 'gun_notify') hasRoom()
    }
  }
  const send = async (): Promise<void> => {
    while (!isAnswered) {
      const { done, value } = await body.next()
      if (isAnswered) return
      if (done === true) return void gun.pool.data(streamRef, 'fin', '')
      const room = new Promise<void>(resolve => {
        hasRoom = resolve
      })
      // No further part is taken from the client until the backend has taken enough.
      if (!gun.pool.data(streamRef, 'nofin', value)) await room
    }
  }
  const head = hear()
  try {
    // A client that stops sending does not keep the backend's answer from it.
    return await Promise.race([head, send().then(() => head)])
  } finally {
    isAnswered = true
  }
}

/** Passes the body of a response on to the client, behind its head. */
export async function relayDown(
  streamRef: gun.PoolStreamRef,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    const message = await gun.pool.await(streamRef, { timeout: Number.POSITIVE_INFINITY, signal })
    if (message.type !== 'gun_data') break
    if (!response.write(message.data)) await once(response, 'drain', { signal })
    if (message.isFin === 'fin') break
    gun.pool.updateFlow(streamRef, 1)
  }
  response.end()
}
