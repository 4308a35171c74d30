/** Objects that tell of others' and print shortly: what they hold of others' is only named, whatever it holds itself. */

import { isActorRef, kindOf } from '@holster/process/internal'

/** Prints as the name of what it stands for. */
class Name {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  toJSON(): string {
    return this.#text
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.#text
  }
}

function nameOf(value: unknown): unknown {
  if (typeof value === 'function') return new Name('<function>')
  if (typeof value !== 'object' || value === null || kindOf(value) !== undefined) return value
  const kind = value.constructor?.name ?? 'object'
  return new Name(isActorRef(value) ? `<${kind} ${value.id}>` : `<${kind}>`)
}

/**
 * Has an object print, in the console and as JSON, with nothing but a name for these fields: a socket would show the buffer
 * that connections share, a cookie store its cookies, an actor all of its system.
 */
export function briefly<T extends object>(value: T, fields: readonly (keyof T)[]): T {
  const short = () => {
    const named = fields.filter(field => field in value).map(field => [field, nameOf(value[field])])
    return { ...value, ...Object.fromEntries(named) }
  }
  const print = (_: number, options: object, inspect: (value: unknown, options: object) => string) =>
    inspect(short(), options)
  return Object.defineProperties(value, {
    [Symbol.for('nodejs.util.inspect.custom')]: { value: print },
    toJSON: { value: short },
  })
}
