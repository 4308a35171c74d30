/** Text that comes from elsewhere is made harmless for a terminal, and cut to a width in columns. */

import stringWidth from 'string-width'

/**
 * Matches what a terminal would obey or what would reorder the text around it: controls (C0, DEL, C1), separators of lines, marks of
 * direction, and halves of characters.
 */
const HARMFUL =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is looked for.
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g
/** Matches text whose characters are all one column wide. */
const PLAIN = /^[\u0020-\u007e]*$/
const SHORT_NAMES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

const segmenter = new Intl.Segmenter()

/** Shows each harmful character as an escape such as `\x1b`. */
export function harmless(text: string): string {
  return text.replace(HARMFUL, character => SHORT_NAMES[character] ?? escaped(character))
}

function escaped(character: string): string {
  const code = character.charCodeAt(0).toString(16)
  return code.length <= 2 ? `\\x${code.padStart(2, '0')}` : `\\u${code.padStart(4, '0')}`
}

/** Makes all texts within a value harmless; the value is one of JSON. */
export function harmlessValue<T>(value: T): T {
  if (typeof value === 'string') return harmless(value) as T
  if (Array.isArray(value)) return value.map(harmlessValue) as T
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, harmlessValue(each)])) as T
}

/** How many columns a text takes. */
export function widthOf(text: string): number {
  return PLAIN.test(text) ? text.length : stringWidth(text)
}

/** Cuts a text to a width; an ellipsis says that something is left out. */
export function cut(text: string, width: number): string {
  if (width <= 0) return ''
  if (PLAIN.test(text)) return text.length <= width ? text : `${text.slice(0, width - 1)}…`
  if (stringWidth(text) <= width) return text
  let kept = ''
  let used = 0
  for (const { segment } of segmenter.segment(text)) {
    const columns = stringWidth(segment)
    if (used + columns > width - 1) break
    kept += segment
    used += columns
  }
  return `${kept}…`
}

/** Cuts or pads a text to exactly a width. */
export function fit(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const shown = cut(text, width)
  const blanks = ' '.repeat(Math.max(0, width - widthOf(shown)))
  return align === 'left' ? shown + blanks : blanks + shown
}
