/** A line of the screen: pieces of text with their looks, which become the codes of a terminal only at the end. */

import { cut, widthOf } from './text.js'

/** How a piece looks. The colours are those of the terminal's own palette, which suit its background. */
export type Look = 'plain' | 'bold' | 'dim' | 'inverse' | 'key' | 'warning' | 'accent'

export interface Piece {
  readonly text: string
  readonly look?: Look
}

export type Line = readonly Piece[]

const CODES: Readonly<Record<Exclude<Look, 'plain'>, { readonly code: string; readonly isColour: boolean }>> =
  {
    bold: { code: '1', isColour: false },
    dim: { code: '2', isColour: false },
    inverse: { code: '7', isColour: false },
    key: { code: '1;4', isColour: false },
    warning: { code: '31', isColour: true },
    accent: { code: '36', isColour: true },
  }

/** How lines are painted. */
export interface Paint {
  /** Whether there may be bold, dim and inverse text. */
  readonly hasLooks: boolean
  /** Whether there may be colours. */
  readonly hasColours: boolean
}

/** Makes a piece. */
export function piece(text: string, look?: Look): Piece {
  return look === undefined ? { text } : { text, look }
}

/** Gives the text of a line for a terminal of that width. */
export function paint(line: Line, width: number, { hasLooks, hasColours }: Paint): string {
  let painted = ''
  let left = width
  for (const { text, look = 'plain' } of line) {
    if (left <= 0) break
    const shown = cut(text, left)
    left -= widthOf(shown)
    const style = look === 'plain' ? undefined : CODES[look]
    const isShown = style !== undefined && shown !== '' && (style.isColour ? hasColours : hasLooks)
    painted += isShown ? `\x1b[${style.code}m${shown}\x1b[0m` : shown
  }
  return painted
}
