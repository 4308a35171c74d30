/** An error arrives on other nodes as one of its class, where both nodes know the class; elsewhere as an Error with its name. */

/** The fields of an error that could be sent, its cause among them. */
export type ErrorFields = Readonly<Record<string, unknown>>

/** How the errors of one class travel, beside their message, their stack and their enumerable fields. */
export interface ErrorForm<E extends Error = Error> {
  /** Gives what else belongs to the error, such as what a private field holds. Default: nothing. */
  extraOf?(error: E): unknown
  /**
   * Makes the error, whose fields are set afterwards. `extra` is what `extraOf` gave, if that could be sent. Default: an error of the
   * class whose constructor has not run, which is enough for a class without private fields.
   */
  make?(message: string, fields: ErrorFields, extra: unknown): E
}

/** A form with its class and the name by which nodes know both. */
export interface NamedErrorForm extends Required<ErrorForm> {
  readonly name: string
}

const byName = new Map<string, NamedErrorForm>()
const byPrototype = new Map<object, NamedErrorForm>()

/** Has the errors of a class arrive as such on other nodes, which know the class by `name`: the names of classes do not survive bundlers. */
export function makeErrorPortable<E extends Error>(
  ofClass: abstract new (...args: never[]) => E,
  name: string,
  { extraOf = () => undefined, make }: ErrorForm<E> = {},
): void {
  const bare = (message: string) => Reflect.construct(Error, [message], ofClass)
  const form = { name, extraOf, make: make ?? bare } as unknown as NamedErrorForm
  byName.set(name, form)
  byPrototype.set(ofClass.prototype, form)
}

/** Gives the form of an error; `undefined` if its class has none. An error of a class below one that has a form travels as that. */
export function errorFormOf(error: Error): NamedErrorForm | undefined {
  for (let at: object | null = Object.getPrototypeOf(error); at !== null; at = Object.getPrototypeOf(at)) {
    const form = byPrototype.get(at)
    if (form !== undefined) return form
  }
  return undefined
}

/** Gives the form with that name. */
export function errorFormNamed(name: string | undefined): NamedErrorForm | undefined {
  return name === undefined ? undefined : byName.get(name)
}
