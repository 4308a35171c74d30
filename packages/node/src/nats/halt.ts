/**
 * A NATS client that is closed while it tries to connect again goes on with that attempt, by a timer that it has cancelled itself: the
 * socket would keep the program alive, for good if the server accepts and then is silent. So its attempt is ended here.
 */

/** The parts of the client that are not in its types. Where another version has other ones, nothing is done. */
interface Inside {
  readonly protocol?: {
    dial?(): Promise<void>
    readonly transport?: { discard?(): void }
  }
}

/** Ends what a closed client does. */
export function halt(client: object): void {
  const { protocol } = client as Inside
  if (protocol === undefined) return
  protocol.dial = () => Promise.reject(new Error('the client is closed'))
  protocol.transport?.discard?.()
}
