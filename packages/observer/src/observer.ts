/** An observer runs from `startObserver` until it is stopped, and keeps no program running. */

import { recordSpawns } from '@holster/process'
import { checkOptions, type ObserverOptions } from './options.js'
import { addressOf, ObserverServer } from './server/server.js'

/** An observer that runs. */
export interface Observer extends AsyncDisposable {
  /** The address of the page; the token, if there is one, is behind `#`. */
  readonly url: string
  /** The port on which it listens. */
  readonly port: number
  /** The secret that viewers must know; `undefined`: none. */
  readonly token: string | undefined
  /** Ends all views, and resolves once the port is free. Does nothing the second time. */
  stop(): Promise<void>
}

/**
 * Starts an observer of this program: a page, and a terminal view by `npx @holster/observer URL`, show its processes, supervisors,
 * connections, pools and, where it is a node, those of all nodes that are connected. It listens on a loopback address unless told otherwise,
 * prints where, and does not keep the program running. While nobody looks, no message costs more than without it; while somebody does, looking
 * takes at most a twenty-fifth of the time. Messages are shown shortened, without values whose names mark them as secret.
 *
 * Throws a TypeError or RangeError if an option is wrong, and rejects with the system's error if it cannot listen, or with what `log` throws.
 * Source: `observer:start/0`.
 *
 * ```ts
 * import { startObserver } from '@holster/observer'
 *
 * const observer = await startObserver({ port: 4010 })
 * console.log(observer.url)
 * await observer.stop()
 * ```
 */
export function startObserver(options: ObserverOptions = {}): Promise<Observer> {
  return start(checkOptions(options))
}

async function start(options: ReturnType<typeof checkOptions>): Promise<Observer> {
  const server = new ObserverServer(options)
  const port = await server.listen()
  if (options.recordSpawns) recordSpawns(true)
  const url = addressOf(options, port)
  let stopped: Promise<void> | undefined
  const stop = () => {
    stopped ??= server.stop()
    return stopped
  }
  try {
    if (options.log !== false) options.log(`Holster observer: ${url}`)
  } catch (error) {
    // Nobody would have the observer to stop it.
    await stop()
    throw error
  }
  return { url, port, token: options.token, stop, [Symbol.asyncDispose]: stop }
}
