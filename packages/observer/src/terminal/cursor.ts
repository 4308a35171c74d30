/** The marked place of a list that is longer than the screen, and the part of the list that is seen. */

/** Moves by keys; `undefined` for a key that does not move. */
export function moved(place: number, key: string, page: number, total: number): number | undefined {
  const last = Math.max(0, total - 1)
  const to = (next: number) => Math.max(0, Math.min(last, next))
  switch (key) {
    case 'up':
      return to(place - 1)
    case 'down':
      return to(place + 1)
    case 'page-up':
      return to(place - page)
    case 'page-down':
      return to(place + page)
    case 'home':
      return 0
    case 'end':
      return last
    default:
      return undefined
  }
}

/** Gives the first place that is seen, so that the marked one is among `size`; the view moves only where it has to. */
export function scrolled(first: number, place: number, size: number, total: number): number {
  if (place < first) return place
  if (place >= first + size) return place - size + 1
  return Math.max(0, Math.min(first, total - size))
}
