/** An error about an unknown option suggests the names that are near. */

/** Maps names that other libraries give an option, in lower case, to its names here; the first that exists is suggested. */
export type Synonyms = Readonly<Record<string, readonly string[]>>

/** The most names that are suggested. */
const MOST = 3
/** The fewest letters of a part of a name that is looked for in other names. */
const SHORTEST_PART = 5

/**
 * Gives `: did you mean 'retry'?`, or an empty string if no name among `known` is near. A known name may begin with the
 * object to which it belongs: `wsOpts.compress` is suggested for `compress`.
 */
export function didYouMean(given: string, known: readonly string[], synonyms: Synonyms = {}): string {
  const names = suggestions(given, known, synonyms)
    .slice(0, MOST)
    .map(name => `'${name}'`)
  if (names.length === 0) return ''
  const last = names.pop()
  return `: did you mean ${names.length === 0 ? last : `${names.join(', ')} or ${last}`}?`
}

function suggestions(given: string, known: readonly string[], synonyms: Synonyms): readonly string[] {
  const word = plain(given)
  const exact = known.filter(name => plain(name.slice(name.lastIndexOf('.') + 1)) === word)
  if (exact.length > 0) return exact
  const translated = Object.hasOwn(synonyms, word) ? (synonyms[word] ?? []) : []
  // `tlsOpts.ca` exists where `tlsOpts` does, whose own options are Node's.
  const meant = translated.find(name => known.includes(name) || known.includes(placeOf(name)))
  if (meant !== undefined) return [meant]
  const here = known.filter(name => !name.includes('.'))
  const bag = here.filter(name => plain(name) === `${word}opts`)
  if (bag.length > 0) return bag
  const near = nearest(word, here)
  if (near.length > 0) return near
  return word.length < SHORTEST_PART ? [] : here.filter(name => plain(name).includes(word))
}

/** Gives a name in lower case and without separators: `ws_opts` and `WSOpts` both become `wsopts`. */
function plain(name: string): string {
  return name.replaceAll(/[_-]/g, '').toLowerCase()
}

function placeOf(name: string): string {
  const at = name.indexOf('.')
  return at === -1 ? name : name.slice(0, at)
}

/** Gives the nearest names, of which at most a third of the letters may be wrong. */
function nearest(word: string, known: readonly string[]): readonly string[] {
  let least = Number.POSITIVE_INFINITY
  let near: string[] = []
  for (const name of known) {
    const most = Math.min(least, Math.max(word.length, name.length) / 3)
    // The distance is at least the difference of the lengths, which is known at once.
    if (Math.abs(word.length - name.length) > most) continue
    const distance = distanceOf(word, plain(name))
    if (distance > most) continue
    if (distance < least) near = []
    least = distance
    near.push(name)
  }
  return near
}

/** Counts the letters to be added, left out, replaced or swapped with a neighbour to make one word of the other. */
function distanceOf(one: string, other: string): number {
  let before: number[] = []
  let above = Array.from({ length: other.length + 1 }, (_, i) => i)
  for (let i = 1; i <= one.length; i++) {
    const row = [i]
    for (let j = 1; j <= other.length; j++) {
      const replaced = (above[j - 1] ?? 0) + (one[i - 1] === other[j - 1] ? 0 : 1)
      let least = Math.min((above[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, replaced)
      const isSwapped = j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1]
      if (isSwapped) least = Math.min(least, (before[j - 2] ?? 0) + 1)
      row[j] = least
    }
    before = above
    above = row
  }
  return above[other.length] ?? 0
}
