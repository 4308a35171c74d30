/** The merging of default options with the caller's. */

/**
 * Returns the options of both objects; those of `upper` win. An option that is `undefined` counts as absent.
 */
export function merge<T extends object>(lower: T, upper: Partial<T> | undefined): T {
  if (upper === undefined) return lower
  const present = Object.entries(upper).filter(([, value]) => value !== undefined)
  return { ...lower, ...Object.fromEntries(present) }
}
