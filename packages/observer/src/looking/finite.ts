/** A number that JSON does not know goes as `null`. */

/** Gives the number, or `null` for infinity. */
export function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null
}
