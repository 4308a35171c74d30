/** A plot of the last ten minutes of one measure. */

import { useEffect, useRef } from 'preact/hooks'
import UPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { useMedia } from './use-media.ts'

/** How much of the past is plotted, in milliseconds. */
export const PAST = 600_000
/** How much of it is plotted at least, in milliseconds. */
const LEAST = 60_000
const HEIGHT = 96

interface PlotProps {
  readonly title: string
  /** The moments, in milliseconds since 1970. */
  readonly times: readonly number[]
  /** The measure at each; `null` leaves a gap. */
  readonly values: readonly (number | null)[]
  readonly print: (value: number) => string
  /** Names the colour, as the style sheet has it: `--plot-1`. */
  readonly colour: string
  readonly note?: string | undefined
}

export function Plot({ title, times, values, print, colour, note }: PlotProps) {
  const box = useRef<HTMLDivElement>(null)
  const plot = useRef<UPlot | undefined>(undefined)
  const latest = useRef({ times, values, print })
  latest.current = { times, values, print }
  const isDark = useMedia('(prefers-color-scheme: dark)')
  const now = values.at(-1)
  const known = values.filter(value => value !== null)

  useEffect(() => {
    const element = box.current
    if (element === null) return
    const made = new UPlot(
      optionsOf(element, colour, value => latest.current.print(value)),
      dataOf(latest.current),
      element,
    )
    plot.current = made
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT }))
    observer.observe(element)
    return () => {
      observer.disconnect()
      made.destroy()
    }
  }, [colour, isDark])

  useEffect(() => plot.current?.setData(dataOf({ times, values })), [times, values])

  return (
    <figure class="plot">
      <figcaption>
        <span class="plot-title">{title}</span>
        <span class="plot-now">{now === undefined || now === null ? '–' : print(now)}</span>
        <span class="plot-most">
          {known.length > 0 && `most ${print(known.reduce((most, value) => Math.max(most, value)))}`}
        </span>
      </figcaption>
      <div class="plot-box" ref={box} aria-hidden="true" />
      {note !== undefined && <p class="plot-note quiet">{note}</p>}
    </figure>
  )
}

function dataOf({ times, values }: Pick<PlotProps, 'times' | 'values'>): UPlot.AlignedData {
  return [times.map(at => at / 1000), [...values]]
}

function optionsOf(element: HTMLElement, colour: string, print: (value: number) => string): UPlot.Options {
  const style = getComputedStyle(element)
  const colourOf = (name: string) => style.getPropertyValue(name).trim()
  const line = colourOf(colour)
  const axis = {
    stroke: colourOf('--quiet'),
    font: `11px ${style.fontFamily}`,
    grid: { stroke: colourOf('--line-faint'), width: 1 },
    ticks: { show: false },
  }
  return {
    width: element.clientWidth,
    height: HEIGHT,
    padding: [6, 4, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { size: 6 }, drag: { x: false, y: false, setScale: false } },
    scales: {
      x: { time: true, range: (_, first, last) => rangeOf(first ?? 0, last ?? 0) },
      y: { range: (_, __, most) => [0, most > 0 ? most * 1.15 : 1] },
    },
    axes: [
      { ...axis, size: 20, gap: 2, space: 70, values: (_, splits) => splits.map(minuteOf) },
      { ...axis, size: 52, gap: 4, space: 30, values: (_, splits) => splits.map(print) },
    ],
    series: [
      {},
      {
        stroke: line,
        width: 1.5,
        fill: `${line}1f`,
        points: { show: false },
        spanGaps: false,
      },
    ],
    hooks: { setCursor: [plot => readOut(plot, element, print)] },
  }
}

/** Gives the time that is shown, in seconds: what there is, at least a minute, and ten at most. */
function rangeOf(first: number, last: number): [number, number] {
  return [Math.max(last - PAST / 1000, Math.min(first, last - LEAST / 1000)), last]
}

/** Shows the value under the pointer. */
function readOut(plot: UPlot, element: HTMLElement, print: (value: number) => string): void {
  const at = plot.cursor.idx
  const value = at === null || at === undefined ? undefined : plot.data[1]?.[at]
  const time = at === null || at === undefined ? undefined : plot.data[0][at]
  if (value === undefined || value === null || time === undefined) delete element.dataset.read
  else element.dataset.read = `${print(value)} at ${minuteOf(time)}`
}

function minuteOf(seconds: number): string {
  const date = new Date(seconds * 1000)
  const [hours, minutes, rest] = [date.getHours(), date.getMinutes(), date.getSeconds()].map(part =>
    String(part).padStart(2, '0'),
  )
  return rest === '00' ? `${hours}:${minutes}` : `${hours}:${minutes}:${rest}`
}
