/** Numbers, sizes, durations and plots, as short as a table wants them. */

const STEPS = ['', 'k', 'M', 'G', 'T']
const BARS = '▁▂▃▄▅▆▇█'

/** Shows a number in at most five characters: `999`, `1.2k`, `34k`, `5.6M`. */
export function short(value: number, base = 1000): string {
  let rest = value
  let step = 0
  while (rest >= base && step < STEPS.length - 1) {
    rest /= base
    step++
  }
  const text = step === 0 || rest >= 10 ? String(Math.round(rest)) : rest.toFixed(1)
  return `${text}${STEPS[step]}`
}

/** Shows a size: `12 B`, `3.4 kB`, `56 MB`. */
export function size(bytes: number): string {
  const text = short(bytes)
  const digits = text.replace(/[a-zA-Z]+$/, '')
  return `${digits} ${text.slice(digits.length)}B`
}

/** Shows a duration of milliseconds by its two largest units: `850ms`, `12s`, `3m04s`, `2h05m`, `4d03h`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))}ms`
  const seconds = Math.floor(ms / 1000)
  if (seconds < 60) return `${seconds}s`
  if (seconds < 3600) return pair(seconds, 60, 'm', 's')
  if (seconds < 86_400) return pair(Math.floor(seconds / 60), 60, 'h', 'm')
  return pair(Math.floor(seconds / 3600), 24, 'd', 'h')
}

function pair(value: number, base: number, large: string, small: string): string {
  return `${Math.floor(value / base)}${large}${String(value % base).padStart(2, '0')}${small}`
}

/** Draws values as bars, the newest at the right; what is not known is a blank. */
export function sparkline(values: readonly (number | null)[], width: number): string {
  const shown = values.slice(-width)
  const most = Math.max(...shown.map(value => value ?? 0), 0)
  const bars = shown.map(value => {
    if (value === null) return ' '
    return BARS[most === 0 ? 0 : Math.min(BARS.length - 1, Math.floor((value / most) * BARS.length))] ?? ' '
  })
  return bars.join('').padStart(width)
}
