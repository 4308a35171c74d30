/** Takes a message apart for its way to another node, or says which part of it cannot go there. */

import { types } from 'node:util'
import { isActorRef, kindOf } from '@holster/process/internal'
import { codecOf } from './codec.js'
import { formOf } from './error-form.js'
import { Kind, type Prepared, type Special, VIEWS } from './special.js'

/** How deep a message may be nested, which also ends the way through one that contains itself. */
const DEEPEST = 256
/** The integers that MessagePack holds. */
const [LEAST, MOST] = [-(2n ** 63n), 2n ** 63n - 1n]
/** The names of fields for which the library does not take an object for data. */
const UNSAFE: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'toJSON'])

/** The parts of an error that are no fields. */
const BESIDE: ReadonlySet<string> = new Set(['name', 'message', 'stack'])
/** So many parts of the errors in a message may stay behind before all further ones do. */
const MOST_DROPPED = 1000

const NOTHING_MOVED: readonly ArrayBuffer[] = []

/** How a message is taken apart for one peer. */
export interface Way {
  /** Gives what stands for a handle on the way to the peer. */
  wireOf(handle: object): unknown
  /** The buffers that are moved there, and are empty here afterwards. */
  readonly transfer?: ReadonlySet<ArrayBufferLike> | undefined
}

/**
 * Takes `message` apart. Throws a TypeError that names the place of a value which cannot be sent, such as `message.body.socket`, and what
 * to do about it. Fields under symbols and what classes hide are left out; a getter
 * is sent as the value that it gives.
 */
export function prepare(message: unknown, way: Way, root = 'message'): Prepared {
  const preparation = new Preparation(way, root)
  const tree = preparation.visit(message)
  return { tree, specials: preparation.specials, moved: preparation.moved }
}

class Preparation {
  specials: Special[] | undefined = undefined
  moved: readonly ArrayBuffer[] = NOTHING_MOVED
  private readonly path: (string | number)[] = []
  /** The errors that the way from the root leads through. */
  private readonly errors: Error[] = []
  /** How many parts of errors could not be sent. */
  private dropped = 0
  private readonly way: Way
  private readonly root: string

  constructor(way: Way, root: string) {
    this.way = way
    this.root = root
  }

  /** Gives what stands in the tree for `value`, which is the value itself if MessagePack knows it. */
  visit(value: unknown): unknown {
    switch (typeof value) {
      case 'string':
        return isWellFormed(value) ? value : this.put(Kind.brokenText, Buffer.from(value, 'utf16le'))
      case 'number':
        return Object.is(value, -0) ? this.put(Kind.negativeZero, 0) : value
      case 'bigint':
        return value < LEAST || value > MOST ? this.put(Kind.bigInt, value.toString()) : value
      case 'symbol':
        return this.visitSymbol(value)
      case 'function':
        return this.refuse(
          `a function cannot be sent to another node: send data, or a pid that does the work`,
        )
      case 'object':
        return value === null ? null : this.visitObject(value)
      default:
        return value
    }
  }

  private visitObject(value: object): unknown {
    const prototype: unknown = Object.getPrototypeOf(value)
    if (prototype === Object.prototype || prototype === null) return this.visitFields(value as Fields)
    if (prototype === Array.prototype && Array.isArray(value)) return this.visitElements(value)
    if (kindOf(value) !== undefined) return this.put(Kind.handle, this.visit(this.way.wireOf(value)))
    const codec = codecOf(value)
    if (codec !== undefined) return this.put(Kind.coded, [codec.name, this.visitAt(1, codec.encode(value))])
    if (Array.isArray(value)) return this.visitElements(value)
    if (value instanceof Uint8Array) return this.visitBytes(value)
    if (value instanceof Date) return value
    if (value instanceof Map)
      return this.put(Kind.map, this.visitElements([...value].map(entry => [...entry])))
    if (value instanceof Set) return this.put(Kind.set, this.visitElements([...value]))
    if (value instanceof Error || types.isNativeError(value)) return this.visitError(value)
    return this.visitOther(value)
  }

  private visitFields(value: Fields): unknown {
    this.deepen()
    const keys = Object.keys(value)
    if (keys.some(key => UNSAFE.has(key) || !isWellFormed(key))) {
      return this.put(Kind.object, this.visitElements(keys.map(key => [key, value[key]])))
    }
    let copy: Fields | undefined
    for (const key of keys) {
      this.path.push(key)
      const field = value[key]
      const prepared = this.visit(field)
      if (!Object.is(prepared, field)) {
        copy ??= { ...value }
        copy[key] = prepared
      }
      this.path.pop()
    }
    return copy ?? value
  }

  private visitElements(value: readonly unknown[]): readonly unknown[] {
    this.deepen()
    let copy: unknown[] | undefined
    for (let index = 0; index < value.length; index++) {
      const element = value[index]
      const prepared = this.visitAt(index, element)
      if (!Object.is(prepared, element)) {
        copy ??= [...value]
        copy[index] = prepared
      }
    }
    return copy ?? value
  }

  private visitAt(key: string | number, value: unknown): unknown {
    this.path.push(key)
    const prepared = this.visit(value)
    this.path.pop()
    return prepared
  }

  private visitBytes(bytes: Uint8Array): unknown {
    const isBuffer = Buffer.isBuffer(bytes)
    if (this.isGiven(bytes.buffer)) return this.visitGiven(bytes, isBuffer ? 'Buffer' : 'Uint8Array')
    return isBuffer ? bytes : this.put(Kind.bytes, bytes)
  }

  private isGiven(buffer: ArrayBufferLike): boolean {
    return this.way.transfer?.has(buffer) === true
  }

  /** Takes a view of bytes that are moved. */
  private visitGiven({ buffer, byteOffset, byteLength }: ArrayBufferView, name: string): unknown {
    return this.put(Kind.moved, [this.move(buffer as ArrayBuffer), byteOffset, byteLength, name])
  }

  private move(buffer: ArrayBuffer): number {
    const known = this.moved.indexOf(buffer)
    if (known >= 0) return known
    this.moved = [...this.moved, buffer]
    return this.moved.length - 1
  }

  private visitError(error: Error): unknown {
    if (this.errors.includes(error))
      this.refuse('an error that is a part of itself cannot be sent to another node')
    this.deepen()
    this.errors.push(error)
    const fields: [string, unknown][] = []
    this.path.push(3)
    for (const key of keysOf(error)) {
      this.path.push(fields.length)
      this.visitPart(
        1,
        () => error[key as keyof Error],
        part => fields.push([this.visitAt(0, key) as string, part]),
      )
      this.path.pop()
    }
    this.path.pop()
    const whole: unknown[] = [
      this.visitAt(
        0,
        textOf(() => error.name),
      ),
      this.visitAt(
        1,
        textOf(() => error.message),
      ),
      this.visitAt(
        2,
        textOf(() => error.stack),
      ),
      fields,
    ]
    this.visitForm(error, whole)
    this.errors.pop()
    return this.put(Kind.error, whole)
  }

  private visitForm(error: Error, whole: unknown[]): void {
    const form = formOf(error)
    if (form === undefined) return
    whole.push(form.name, undefined)
    this.visitPart(
      5,
      () => form.extraOf(error),
      extra => {
        whole[5] = extra
      },
    )
  }

  /** Takes a part of an error, if it can be sent: an error tells what went wrong, and what it drags along, such as a socket, stays behind. */
  private visitPart(key: string | number, part: () => unknown, take: (prepared: unknown) => void): void {
    // Errors that know each other in a circle have more ways through them than can be gone.
    if (this.dropped === MOST_DROPPED) return
    const before = {
      specials: this.specials?.length ?? 0,
      depth: this.path.length,
      moved: this.moved,
      errors: this.errors.length,
    }
    try {
      take(this.visitAt(key, part()))
    } catch {
      this.dropped++
      this.path.length = before.depth
      this.errors.length = before.errors
      this.moved = before.moved
      if (this.specials !== undefined) this.specials.length = before.specials
    }
  }

  private visitOther(value: object): unknown {
    if (value instanceof RegExp) return this.put(Kind.regExp, [value.source, value.flags, value.lastIndex])
    if (value instanceof URL) return this.put(Kind.url, value.href)
    if (value instanceof ArrayBuffer) {
      if (!this.isGiven(value)) return this.put(Kind.arrayBuffer, Buffer.from(value))
      return this.visitGiven({ buffer: value, byteOffset: 0, byteLength: value.byteLength }, 'ArrayBuffer')
    }
    if (ArrayBuffer.isView(value)) {
      const name = String((value as { readonly [Symbol.toStringTag]?: string })[Symbol.toStringTag])
      const isKnown = Object.hasOwn(VIEWS, name)
      if (isKnown && this.isGiven(value.buffer)) return this.visitGiven(value, name)
      const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
      if (isKnown) return this.put(Kind.typedArray, [name, bytes])
    }
    if (isActorRef(value)) return this.put(Kind.handle, this.visit(this.way.wireOf(value)))
    const { name } = value.constructor ?? {}
    const what = typeof name === 'string' && name !== '' ? `an instance of ${name}` : 'this object'
    return this.refuse(
      `${what} cannot be sent to another node: send plain data, or give the class a codec by registerCodec`,
    )
  }

  private visitSymbol(symbol: symbol): unknown {
    const key = Symbol.keyFor(symbol)
    if (key !== undefined) return this.put(Kind.symbol, key)
    return this.refuse(
      `${String(symbol)} cannot be sent to another node: use Symbol.for, which is known everywhere`,
    )
  }

  /** Notes that the value at this place is a special one, and gives what stands for it. */
  private put(kind: number, standIn: unknown): unknown {
    this.specials ??= []
    this.specials.push([kind, ...this.path])
    return standIn
  }

  private deepen(): void {
    if (this.path.length > DEEPEST) {
      this.refuse(
        `it is nested more than ${DEEPEST} deep, or contains itself, and cannot be sent to another node`,
      )
    }
  }

  private refuse(why: string): never {
    const shown = this.path.length > DEEPEST ? this.path.slice(0, 8) : this.path
    const place = shown.map(key => (typeof key === 'number' ? `[${key}]` : dotted(key))).join('')
    throw new TypeError(`${this.root}${place}${this.path.length > DEEPEST ? '…' : ''}: ${why}`)
  }
}

type Fields = Record<string, unknown>

/** Gives the error for which something could not be sent; where code of the value has thrown something else, an Error with `message`. */
export function asError(thrown: unknown, message: string): Error {
  return types.isNativeError(thrown) ? thrown : new Error(message)
}

/** Gives the names of the fields that are sent beside the name, the message and the stack of an error. */
function keysOf(error: Error): readonly string[] {
  const keys = Object.keys(error).filter(key => !BESIDE.has(key))
  return 'cause' in error && !keys.includes('cause') ? [...keys, 'cause'] : keys
}

/** Gives a part of an error as a text; none if the error does not let itself be looked at. */
function textOf(part: () => unknown): string | undefined {
  try {
    const value = part()
    return value === undefined ? undefined : String(value)
  } catch {
    return undefined
  }
}

function dotted(key: string): string {
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`
}

function isWellFormed(text: string): boolean {
  return (text as string & { isWellFormed(): boolean }).isWellFormed()
}
