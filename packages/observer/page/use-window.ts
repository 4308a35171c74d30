/** The window onto many rows: which of them are seen, where each is laid, and how one is brought into sight. */

import type { RefObject } from 'preact'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'

/** The height of a row and of the head, in pixels, as the style sheet has it. */
const ROW = 34
/** How many rows are kept on either side of those that are seen. */
const SPARE = 8
/** How high an element may be in all browsers, in pixels; more rows are scrolled through in longer steps. */
const HIGHEST = 12_000_000

/** A window, as it is now. */
export interface RowWindow {
  /** The element that scrolls. */
  readonly box: RefObject<HTMLDivElement | null>
  /** How high all rows are together, in pixels. */
  readonly height: number
  /** How many rows are seen. */
  readonly page: number
  /** The first row in the page, and the one behind the last. */
  readonly from: number
  readonly to: number
  /** Whether the last row was in sight when the rows were scrolled last. */
  readonly isAtEnd: () => boolean
  readonly onScroll: () => void
  /** Gives how far below the top a row is laid, in pixels. */
  readonly placeOf: (index: number) => number
  /** Puts a row on top. */
  readonly showFrom: (index: number) => void
  /** Scrolls as far as is needed to see a row. */
  readonly reveal: (index: number) => void
}

/** Gives the window onto so many rows. */
export function useWindow(total: number): RowWindow {
  const box = useRef<HTMLDivElement>(null)
  const atEnd = useRef(true)
  const [size, setSize] = useState(600)
  const [top, setTop] = useState(0)
  const full = total * ROW
  const height = Math.min(full, HIGHEST)
  const page = Math.max(1, Math.floor((size - ROW) / ROW))
  // Of a million rows each pixel of the scroll bar stands for several.
  const ratio = full > height ? (full - page * ROW) / (height - page * ROW) : 1
  const first = Math.max(0, Math.min(Math.floor((top * ratio) / ROW), total - 1))

  useLayoutEffect(() => {
    const element = box.current
    if (element === null) return
    const observer = new ResizeObserver(() => setSize(element.clientHeight))
    observer.observe(element)
    return () => observer.disconnect()
  }, [])

  const showFrom = (index: number) => {
    if (box.current !== null) box.current.scrollTop = (index * ROW) / ratio
  }
  return {
    box,
    height,
    page,
    from: Math.max(0, first - SPARE),
    to: Math.min(total, first + page + SPARE + 2),
    isAtEnd: () => atEnd.current,
    onScroll: () => {
      if (box.current === null) return
      const { scrollTop, clientHeight, scrollHeight } = box.current
      atEnd.current = scrollTop + clientHeight >= scrollHeight - ROW
      setTop(scrollTop)
    },
    // Where a pixel stands for several rows, those that are seen are laid around the place of the scroll bar.
    placeOf: index => (ratio === 1 ? index * ROW : top + (index - (top * ratio) / ROW) * ROW),
    showFrom,
    reveal: index => {
      if (index < first + 1) showFrom(index)
      else if (index >= first + page - 1) showFrom(index - page + 1)
    },
  }
}
