/** The sizes of what is published, compared with those recorded in `sizes.json`. Sizes are bytes. */

import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Tarball } from './tarball.ts'

/** The file in the workspace that has the recorded sizes. */
export const SIZES = 'packages/release/sizes.json'

/** How much more than recorded is told, as a part of what is recorded. */
export const TOLERANCE = 0.03

/** The size of each thing, by its name. */
export type Sizes = Readonly<Record<string, number>>

/** Gives the sizes of tarballs, packed and unpacked. */
export function sizesOf(tarballs: readonly Tarball[]): Sizes {
  return Object.fromEntries(
    tarballs.flatMap(({ name, size, unpackedSize }) => [
      [`${name}, tarball`, size],
      [`${name}, unpacked`, unpackedSize],
    ]),
  )
}

/** Gives the sizes recorded in the workspace at `root`. */
export async function recordedSizes(root: string): Promise<Sizes> {
  return JSON.parse(await readFile(join(root, SIZES), 'utf8'))
}

/** Records sizes in the workspace at `root`. */
export async function recordSizes(root: string, sizes: Sizes): Promise<void> {
  await writeFile(join(root, SIZES), `${JSON.stringify(sizes, null, 2)}\n`)
}

/** Says what has grown by more than the tolerance, and what is measured for the first time or no more. */
export function growthOf(recorded: Sizes, now: Sizes): readonly string[] {
  const grown = Object.entries(now).flatMap(([name, size]) => {
    const before = recorded[name]
    if (before === undefined) return [`${name}: ${bytes(size)}, not recorded before`]
    if (size <= before * (1 + TOLERANCE)) return []
    return [`${name} has grown by ${percent(before, size)}: from ${bytes(before)} to ${bytes(size)}`]
  })
  const gone = Object.keys(recorded).filter(name => !(name in now))
  return [...grown, ...gone.map(name => `${name}: recorded, but there is no such thing any more`)]
}

/** Gives a line for each size, with its change. */
export function tableOf(recorded: Sizes, now: Sizes): readonly string[] {
  const width = Math.max(...Object.keys(now).map(name => name.length))
  return Object.entries(now).map(([name, size]) => {
    const before = recorded[name]
    const change = before === undefined ? 'new' : percent(before, size)
    return `${name.padEnd(width)}  ${bytes(size).padStart(11)}  ${change.padStart(7)}`
  })
}

const bytes = (size: number): string => `${size.toLocaleString('en-GB')} B`

function percent(before: number, now: number): string {
  const change = (now / before - 1) * 100
  return `${change >= 0 ? '+' : ''}${change.toFixed(1)} %`
}
