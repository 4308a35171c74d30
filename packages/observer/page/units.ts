/** Numbers, sizes and times as people read them. */

import type { ProcessRow } from '../src/words.ts'

const counts = new Intl.NumberFormat('en')
const SIZES = ['B', 'kB', 'MB', 'GB', 'TB']

/** Gives a count: `12,345`. */
export function count(number: number): string {
  return counts.format(Math.round(number))
}

/** Gives a count with its noun: `1 process`, `12 processes`. */
export function counted(number: number, one: string, many = `${one}s`): string {
  return `${count(number)} ${number === 1 ? one : many}`
}

/** Gives a rate: `0.4`, `12`, `1,234`. */
export function rate(number: number): string {
  return number !== 0 && number < 10 ? number.toFixed(1) : count(number)
}

/** Gives a size: `640 B`, `1.2 MB`. */
export function bytes(number: number): string {
  let size = number
  let at = 0
  while (size >= 999.5 && at < SIZES.length - 1) {
    size /= 1000
    at += 1
  }
  return `${at === 0 || size >= 100 ? Math.round(size) : size.toFixed(1)} ${SIZES[at]}`
}

/** Gives a part of one as a percentage. */
export function percent(part: number): string {
  return `${part < 0.1 && part > 0 ? (part * 100).toFixed(1) : Math.round(part * 100)} %`
}

/** Gives the file of a path. */
export function fileOf(path: string): string {
  return path.split(/[\\/]/).at(-1) ?? path
}

/** Gives a duration: `3.2 ms`, `12 s`, `2 min 5 s`, `3 h 12 min`, `4 d 2 h`. */
export function duration(ms: number): string {
  if (ms < 10 && ms > 0) return `${ms.toFixed(1)} ms`
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`
  return span(ms)
}

/** Gives a duration to the second, for what is counted on the page while it passes. */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  const minutes = Math.floor(seconds / 60)
  const hours = Math.floor(minutes / 60)
  const days = Math.floor(hours / 24)
  if (minutes === 0) return `${seconds} s`
  if (hours === 0) return `${minutes} min ${seconds % 60} s`
  if (days === 0) return `${hours} h ${minutes % 60} min`
  return `${days} d ${hours % 24} h`
}

/** Gives how old the oldest message of a mailbox is, and says so if it may be older; empty: there is none. */
export function oldestOf(
  { oldestSince, isOlder }: Pick<ProcessRow, 'oldestSince' | 'isOlder'>,
  now: number,
): string {
  return oldestSince === undefined ? '' : `${isOlder ? '> ' : ''}${span(now - oldestSince)}`
}

/** Gives the time of day: `14:05:09`. */
export function clock(at: number): string {
  const date = new Date(at)
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')
}

/** Gives the time of day to the millisecond: `14:05:09.120`. */
export function exactClock(at: number): string {
  return `${clock(at)}.${String(Math.floor(at % 1000)).padStart(3, '0')}`
}

function two(number: number): string {
  return String(number).padStart(2, '0')
}
