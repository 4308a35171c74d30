/** A handle, such as a pid or a reference, is known on other nodes by its kind and its number, and stands for the same thing there. */

/** The property of a handle, on its prototype, that gives its kind. */
export const portable: unique symbol = Symbol.for('@holster/process.portable')

/** The method by which a handle that must outlive its sender keeps itself alive once other nodes know it. */
export const kept: unique symbol = Symbol.for('@holster/process.kept')

/** The method by which a target that lives on another node hears that a process here has been linked to it, or is no more. */
export const linked: unique symbol = Symbol.for('@holster/process.linked')

/** The method by which a process takes one half of a link, whose other half is on another node. */
export const linkHalf: unique symbol = Symbol.for('@holster/process.linkHalf')

/** Something on another node, as the handles that stand for it here reach it. It can be watched, and takes exit signals. */
export interface Remote {
  /** The node on which it is. */
  readonly node: string
  /** The id that is printed: `#Process<12@worker.1>`. */
  readonly id: string
  /** Sends a message there. */
  send(message: unknown): void
}

/** A kind of handle. */
export interface PortableKind<T extends object = never> {
  /** Names the kind on the wire and in the print of handles, such as `'Process'`. */
  readonly name: string
  /** Gives the number of a handle of this program, which no other handle of the kind has. */
  numberOf(handle: T): number
  /** Gives what another node must know of the handle besides, also of one that stands for another node's. Default: nothing. */
  detailsOf?(handle: T): unknown
  /**
   * Makes the handle that stands for `remote`, or, if that is `undefined`, for a handle of this program that nobody holds any more.
   * `number` is that of the handle. Default: the package that carries handles knows how.
   */
  standIn?(remote: Remote | undefined, details: unknown, number: number): T
  /** Tells a handle that stands for one of another node what has come with it again. Default: details never change. */
  renew?(handle: T, details: unknown): void
  /** Gives the whole of which the handle is a part, as a stream is of a connection. Default: none. */
  wholeOf?(handle: T): object
  /** Takes a message that was sent to the handle from another node. Default: the handle's `send`. */
  take?(handle: T, message: unknown): void
}

const kinds = new Map<string, PortableKind>()

/** Has the instances of a class cross between nodes as handles. */
export function makePortable<T extends object>(
  { prototype }: { readonly prototype: T },
  kind: PortableKind<T>,
): void {
  kinds.set(kind.name, kind as unknown as PortableKind)
  Object.defineProperty(prototype, portable, { value: kind })
}

/** Gives the kind with that name. */
export function kindNamed(name: string): PortableKind | undefined {
  return kinds.get(name)
}

/** Gives the kind of a value; `undefined` if it is no handle. */
export function kindOf(value: object): PortableKind | undefined {
  return (value as { readonly [portable]?: PortableKind })[portable]
}
