/**
 * The handles of one other node. While anybody here holds a handle, whatever comes from there by the same name is the same object, so
 * that patterns may pin it; once nobody does, it is forgotten.
 */

import { kindNamed, kindOf } from '@holster/process/internal'
import type { Identity } from '../identity.js'
import { type Key, keyOf } from '../signal.js'
import { type Origin, setOrigin } from './origin.js'
import { type Post, RemotePid, RemoteTarget } from './remote.js'
import { OpaqueHandle, RemoteAlias, RemoteRef } from './remote-ref.js'

/** The handles of one life of a node. */
export class Foreign {
  readonly #identity: Identity
  readonly #post: () => Post | undefined
  readonly #handles = new Map<string, WeakRef<object>>()
  readonly #collected: FinalizationRegistry<string>

  /** `post` gives the node while it can be reached. */
  constructor(identity: Identity, post: () => Post | undefined) {
    this.#identity = identity
    this.#post = post
    this.#collected = new FinalizationRegistry(key => {
      if (this.#handles.get(key)?.deref() === undefined) this.#handles.delete(key)
    })
  }

  /** Whether nobody holds a handle. */
  get isEmpty(): boolean {
    return this.#handles.size === 0
  }

  /** Gives the handle of that name. */
  handle(kind: string, number: Key, details: unknown): object {
    const key = keyOf(kind, number)
    const known = this.#handles.get(key)?.deref()
    // The package of the handle may have been imported since that came first.
    const isKnown = known !== undefined && !(known instanceof OpaqueHandle && knows(kind))
    if (isKnown) {
      if (details !== undefined) kindOf(known)?.renew?.(known as never, details)
      return known
    }
    const { name, incarnation } = this.#identity
    const handle = this.#make(kind, number, details)
    setOrigin(handle, { node: name, incarnation, kind, number, details })
    this.#handles.set(key, new WeakRef(handle))
    this.#collected.register(handle, key)
    return handle
  }

  #make(kind: string, number: Key, details: unknown): object {
    const { name } = this.#identity
    switch (kind) {
      case 'Process':
      case 'Actor':
        return new RemotePid(name, kind, number, this.#post)
      case 'Ref':
        return new RemoteRef(`#Ref<${number}@${name}>`)
      case 'Alias':
        return new RemoteAlias(`#Alias<${number}@${name}>`, new RemoteTarget(name, kind, number, this.#post))
    }
    const standIn = kindNamed(kind)?.standIn
    if (standIn === undefined) return new OpaqueHandle(`#${kind}<${number}@${name}>`)
    return standIn(new RemoteTarget(name, kind, number, this.#post), details, number as number)
  }
}

/** Gives a handle for one of this program that nobody holds any more: it is equal to nothing, and what it stood for has ended. */
export function lostHandle(origin: Origin): object {
  const handle = makeLost(origin)
  setOrigin(handle, origin)
  return handle
}

function makeLost({ kind, number, node, details }: Origin): object {
  switch (kind) {
    case 'Process':
    case 'Actor': {
      const pid = new RemotePid(node, kind, number, () => undefined)
      pid.end('noproc')
      return pid
    }
    case 'Ref':
      return new RemoteRef(`#Ref<${number}@${node}>`)
    case 'Alias':
      return new RemoteAlias(`#Alias<${number}@${node}>`, undefined)
  }
  const standIn = kindNamed(kind)?.standIn
  return standIn?.(undefined, details, number as number) ?? new OpaqueHandle(`#${kind}<${number}@${node}>`)
}

function knows(kind: string): boolean {
  return kindNamed(kind)?.standIn !== undefined
}
