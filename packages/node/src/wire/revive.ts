/** Puts a message together that another node has taken apart. */

import { type ErrorFields, errorFormNamed } from '@holster/process/internal'
import { codecNamed } from './codec.js'
import { rememberForm } from './error-form.js'
import { ERRORS, Kind, type Special, VIEWS } from './special.js'

/** How a message of one peer is put together. */
export interface Arrival {
  /** Gives the handle that `wire` stands for. */
  handleOf(wire: unknown): unknown
  /** The buffers that were moved here. */
  readonly moved: readonly ArrayBuffer[]
}

/** Puts a message together. Throws an Error for what no node of this version sends, or for a codec that is not known here. */
export function revive(tree: unknown, specials: readonly Special[], arrival: Arrival): unknown {
  let root = tree
  for (const [kind, ...path] of specials) {
    const last = path.pop()
    if (last === undefined) {
      root = make(kind, root, arrival)
      continue
    }
    let parent = root as Record<string | number, unknown>
    for (const key of path) parent = placeIn(parent, key) as Record<string | number, unknown>
    placeIn(parent, last)
    parent[last] = make(kind, parent[last], arrival)
  }
  return root
}

/** Gives what stands at `key`. Throws an Error if nothing does: what is inherited belongs to all objects of this program. */
function placeIn(parent: Record<string | number, unknown>, key: string | number): unknown {
  if (Object.hasOwn(parent, key)) return parent[key]
  throw new Error('a message names a place that it does not have')
}

function make(kind: number, part: unknown, arrival: Arrival): unknown {
  switch (kind) {
    case Kind.handle:
      return arrival.handleOf(part)
    case Kind.bytes:
      return new Uint8Array(part as Buffer)
    case Kind.moved:
      return makeMoved(part as SentMoved, arrival.moved)
    case Kind.typedArray:
      return makeView(part as [keyof typeof VIEWS, Buffer])
    case Kind.arrayBuffer:
      return new Uint8Array(part as Buffer).buffer
    case Kind.map:
      return new Map(part as [unknown, unknown][])
    case Kind.set:
      return new Set(part as unknown[])
    case Kind.error:
      return makeError(part as SentError)
    case Kind.regExp:
      return makeRegExp(part as [string, string, number])
    case Kind.negativeZero:
      return -0
    case Kind.bigInt:
      return BigInt(part as string)
    case Kind.brokenText:
      return (part as Buffer).toString('utf16le')
    case Kind.symbol:
      return Symbol.for(part as string)
    case Kind.url:
      return new URL(part as string)
    case Kind.coded:
      return decode(part as [string, unknown])
    case Kind.object:
      return makeObject(part as [string, unknown][])
    default:
      throw new Error(`a message holds a value of kind ${kind}, which this version does not know`)
  }
}

/** The class of a view; that of DataView has no elements. */
type ViewClass = (new (
  buffer: ArrayBuffer,
  offset?: number,
  length?: number,
) => unknown) & {
  readonly BYTES_PER_ELEMENT?: number
}

/** A view of a buffer that was moved, or the buffer itself. Lengths are in bytes. */
type SentMoved = [
  index: number,
  offset: number,
  length: number,
  name: keyof typeof VIEWS | 'Buffer' | 'Uint8Array' | 'ArrayBuffer',
]

function makeMoved([index, offset, length, name]: SentMoved, moved: readonly ArrayBuffer[]): unknown {
  const buffer = moved[index]
  if (buffer === undefined) throw new Error('a buffer that was moved has not arrived')
  if (name === 'ArrayBuffer') return buffer
  if (name === 'Buffer') return Buffer.from(buffer, offset, length)
  if (name === 'Uint8Array') return new Uint8Array(buffer, offset, length)
  const View = VIEWS[name] as ViewClass
  return new View(buffer, offset, length / (View.BYTES_PER_ELEMENT ?? 1))
}

function makeView([name, bytes]: [keyof typeof VIEWS, Buffer]): unknown {
  const View = VIEWS[name] as new (buffer: ArrayBuffer) => unknown
  return new View(new Uint8Array(bytes).buffer)
}

type SentError = [
  name: string | undefined,
  message: string | undefined,
  stack: string | undefined,
  fields: readonly [string, unknown][],
  form?: string,
  extra?: unknown,
]

function makeError([name = 'Error', message = '', stack, pairs, formName, extra]: SentError): Error {
  const fields = makeObject(pairs) as ErrorFields
  const form = errorFormNamed(formName)
  const error = withoutStack(() => form?.make(message, fields, extra) ?? new (classNamed(name))(message))
  if (formName !== undefined && form === undefined) rememberForm(error, { name: formName, extra })
  if (error.name !== name) (form === undefined ? hide : show)(error, 'name', name)
  // An error without a stack was made so, and its stack here would tell of this file.
  hide(error, 'stack', stack)
  for (const [key, value] of Object.entries(fields)) {
    if (key === 'cause' || key === 'errors') hide(error, key, value)
    else show(error, key, value)
  }
  return error
}

/** Gives the class of an error by its name, which may be anything. */
function classNamed(name: string): new (message?: string) => Error {
  return (Object.hasOwn(ERRORS, name) ? ERRORS[name] : undefined) ?? Error
}

/** Makes an error whose stack is set afterwards: to take one here costs more than the rest. */
function withoutStack(make: () => Error): Error {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  try {
    return make()
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}

function show(target: object, key: string, value: unknown): void {
  // An assignment to __proto__ would set the prototype.
  Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true })
}

function hide(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, writable: true, enumerable: false, configurable: true })
}

function makeRegExp([source, flags, lastIndex]: [string, string, number]): RegExp {
  const expression = new RegExp(source, flags)
  expression.lastIndex = lastIndex
  return expression
}

function makeObject(fields: readonly [string, unknown][]): object {
  const object = {}
  for (const [key, value] of fields) show(object, key, value)
  return object
}

function decode([name, data]: [string, unknown]): unknown {
  const codec = codecNamed(name)
  if (codec === undefined)
    throw new Error(`no codec is named '${name}' here: call registerCodec on this node too`)
  return codec.decode(data)
}
