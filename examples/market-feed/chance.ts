/** Chance that comes out the same again for the same seed, however the events of a run interleave. */

/** Gives a number of at least 0 and less than 1 for whatever is to be left to chance. */
export function chance(seed: number, ...about: readonly (string | number)[]): number {
  // FNV-1a, and the last steps of MurmurHash3, which have every bit of the text matter.
  let hash = 0x811c9dc5 ^ seed
  for (const char of about.join('/')) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32
}
