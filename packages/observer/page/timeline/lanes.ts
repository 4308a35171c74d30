/** The lanes of a timeline: spans as parts of its width. */

import type { Span } from '../../src/words.ts'

/** The time that a timeline shows, in milliseconds since 1970. */
export interface TimeRange {
  readonly from: number
  readonly to: number
}

/** A lane; places and widths are percentages, and the width of a point is zero. */
export interface Lane {
  readonly lane: string
  readonly bars: readonly { readonly span: Span; readonly left: number; readonly width: number }[]
}

const STEPS = [1, 2, 5]
/** How many marks the axis has at most. */
const MARKS = 6

/** Gives the lanes, that of the connection first, each with what lies in the range. */
export function lanesOf(spans: readonly Span[], range: TimeRange): readonly Lane[] {
  const whole = range.to - range.from
  const lanes = new Map<string, Span[]>([['connection', []]])
  for (const span of spans) {
    const end = span.to ?? range.to
    if (end < range.from) continue
    lanes.set(span.lane, [...(lanes.get(span.lane) ?? []), span])
  }
  return [...lanes].map(([lane, spans]) => ({
    lane,
    bars: spans.map(span => {
      const from = Math.max(span.from, range.from)
      const to = span.to ?? range.to
      return { span, left: ((from - range.from) / whole) * 100, width: ((to - from) / whole) * 100 }
    }),
  }))
}

/** Gives the marks of the axis: how long before the end they are, and which part of the width lies before them. */
export function ticksOf({
  from,
  to,
}: TimeRange): readonly { readonly part: number; readonly text: string }[] {
  const whole = to - from
  const step = stepOf(whole / MARKS)
  const ticks = []
  for (let before = 0; before < whole; before += step) {
    ticks.push({ part: 1 - before / whole, text: before === 0 ? 'now' : `−${textOf(before)}` })
  }
  return ticks.reverse()
}

/** Gives the round number next above a number. */
function stepOf(least: number): number {
  for (let power = 1; ; power *= 10) {
    const step = STEPS.find(step => step * power >= least)
    if (step !== undefined) return step * power
  }
}

function textOf(ms: number): string {
  return ms < 1000 ? `${ms} ms` : `${ms / 1000} s`
}
