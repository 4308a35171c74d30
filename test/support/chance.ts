// Nothing is left to chance: in a program that imports this the first retry comes at once, and the others after half of
// `retryTimeout`, unless a test says otherwise.

let value = 0

Math.random = () => value

/** From now on `Math.random` gives this, 0 to less than 1; with 0.5 each retry comes after `retryTimeout`, but for the first. */
export function chance(given: number): void {
  value = given
}
