/** Codecs say how the instances of a class travel between nodes. */

import { inspect } from 'node:util'

/** A class, abstract or not. */
export type ClassOf<T extends object> = abstract new (...args: never[]) => T

/** How the instances of one class travel. Both nodes must have registered it. */
export interface Codec<T extends object = object, D = unknown> {
  /** Names the codec on both nodes, as the names of classes do not survive bundlers. */
  readonly name: string
  /** The class. Instances of subclasses travel so too, unless these have codecs of their own. */
  readonly class: ClassOf<T>
  /** Gives what stands for `value` on the way: anything that can be sent. */
  readonly encode: (value: T) => D
  /** Makes an equal of the value out of what `encode` gave. */
  readonly decode: (data: D) => T
}

const byName = new Map<string, Codec>()
const byPrototype = new Map<object, Codec>()

/**
 * Has the instances of a class travel between nodes; each node that sends or gets them must call this. Throws a TypeError that names
 * what is wrong with the codec, and an Error if its name or its class has one already.
 *
 * ```ts
 * registerCodec({
 *   name: 'money',
 *   class: Money,
 *   encode: money => [money.amount, money.currency] as const,
 *   decode: ([amount, currency]) => new Money(amount, currency),
 * })
 * ```
 */
export function registerCodec<T extends object, D>(codec: Codec<T, D>): void {
  check(codec)
  if (byName.has(codec.name))
    throw new Error(`codec.name '${codec.name}' is taken: give the codec another one`)
  if (byPrototype.has(codec.class.prototype))
    throw new Error(`codec.class ${codec.class.name} has a codec already`)
  byName.set(codec.name, codec as unknown as Codec)
  byPrototype.set(codec.class.prototype, codec as unknown as Codec)
}

function check(codec: unknown): asserts codec is Codec {
  if (typeof codec !== 'object' || codec === null) throw new TypeError('codec must be an object')
  const { name, class: ofClass, encode, decode } = codec as Partial<Codec>
  if (typeof name !== 'string' || name === '') throw new TypeError('codec.name must be a non-empty string')
  for (const [field, value] of Object.entries({ class: ofClass, encode, decode })) {
    if (typeof value !== 'function') {
      throw new TypeError(
        `codec.${field} must be a ${field === 'class' ? 'class' : 'function'}, not ${inspect(value)}`,
      )
    }
  }
}

/** Gives the codec of an instance; `undefined` if its class has none, nor the classes above. */
export function codecOf(value: object): Codec | undefined {
  if (byPrototype.size === 0) return undefined
  let prototype: object | null = Object.getPrototypeOf(value)
  while (prototype !== null) {
    const codec = byPrototype.get(prototype)
    if (codec !== undefined) return codec
    prototype = Object.getPrototypeOf(prototype)
  }
  return undefined
}

/** Gives the codec of that name. */
export function codecNamed(name: string): Codec | undefined {
  return byName.get(name)
}
