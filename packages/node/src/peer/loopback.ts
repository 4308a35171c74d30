/** Names on this node are reached as those on other nodes are, so that a program need not ask where it runs. */

import type { ExitReason, MonitorTarget, Pid } from '@holster/process'
import { reportThrown, type Source, sendExit, watch } from '@holster/process/internal'
import { findLocal } from '../handles/local.js'
import type { Post, RemoteTarget } from '../handles/remote.js'

type Named = Pid<unknown> & MonitorTarget

/** Carries out here what is meant for a name here. */
export class Loopback implements Post {
  readonly isUp = true
  readonly #watching = new Map<RemoteTarget, () => void>()

  send(target: RemoteTarget, message: unknown): void {
    const pid = found(target)
    try {
      pid?.send(message)
    } catch (error) {
      reportThrown(pid, error)
    }
  }

  deliver(target: RemoteTarget, _source: Source, message: unknown): void {
    this.send(target, message)
  }

  attach(): void {}

  watch(target: RemoteTarget): void {
    const pid = found(target)
    const tell = (reason: ExitReason) => {
      this.#watching.delete(target)
      target.end(reason)
    }
    const stop = pid === undefined ? undefined : watch(pid, tell)
    if (stop !== undefined) this.#watching.set(target, stop)
    // Later, as whoever watches is about to note how to stop.
    else queueMicrotask(() => target.end('noproc'))
  }

  unwatch(target: RemoteTarget): void {
    this.#watching.get(target)?.()
    this.#watching.delete(target)
  }

  exit(target: RemoteTarget, from: unknown, reason: ExitReason): void {
    const pid = found(target)
    if (pid !== undefined) sendExit(pid, from as MonitorTarget | undefined, reason, 'exit')
  }

  ended(): void {}

  link(): void {}
}

function found({ kind, number }: RemoteTarget): Named | undefined {
  return findLocal(kind, number) as Named | undefined
}
