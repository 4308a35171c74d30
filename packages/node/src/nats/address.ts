/**
 * An address is one connection of a node to its NATS server: when that is lost, so may be what was under way, and with the next
 * connection everything begins anew.
 */

/** Where a node is reached. */
export interface Address {
  readonly incarnation: string
  /** How many connections to the server the node has had, this one included. */
  readonly connection: number
}

/** Whatever comes from outside is only taken where it is one word of a subject, and no wildcard. */
const INCARNATION = /^[A-Za-z0-9-]{1,64}$/
const ADDRESS = /^([A-Za-z0-9-]{1,64})_([1-9]\d{0,14})$/

/** Gives the word of a subject that stands for an address. */
export function wordOf({ incarnation, connection }: Address): string {
  return `${incarnation}_${connection}`
}

/** Reads the word of a subject; `undefined` if that is no address. */
export function readAddress(word: string): Address | undefined {
  const [, incarnation, connection] = ADDRESS.exec(word) ?? []
  if (incarnation === undefined) return undefined
  return { incarnation, connection: Number(connection) }
}

/** Whether these values, which have come from outside, make an address. */
export function isAddress(incarnation: unknown, connection: unknown): boolean {
  return (
    typeof incarnation === 'string' &&
    INCARNATION.test(incarnation) &&
    Number.isSafeInteger(connection) &&
    Number(connection) > 0
  )
}
