/**
 * MessagePack has no notion of handles, maps or errors. A message that holds such values travels as a tree without them and a list of
 * the places where they belong: what stands in the tree at a place becomes the value, in the order of the list, inner values first.
 */

/** The kinds of values that MessagePack has no notion of, by their numbers on the wire. */
export const Kind = {
  handle: 0,
  bytes: 1,
  moved: 2,
  typedArray: 3,
  arrayBuffer: 4,
  map: 5,
  set: 6,
  error: 7,
  regExp: 8,
  negativeZero: 9,
  bigInt: 10,
  brokenText: 11,
  symbol: 12,
  url: 13,
  coded: 14,
  object: 15,
} as const

/** The kind of the value, and the keys that lead from the root of the tree to its place. */
export type Special = readonly [kind: number, ...path: (string | number)[]]

/** A message that was taken apart. */
export interface Prepared {
  readonly tree: unknown
  readonly specials: readonly Special[] | undefined
  readonly moved: readonly ArrayBuffer[]
}

/** The views of bytes whose kind MessagePack does not keep. */
export const VIEWS = {
  Int8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
  DataView,
} as const

/** The classes of errors that every program has. */
export const ERRORS: Readonly<Record<string, new (message?: string) => Error>> = {
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
}
