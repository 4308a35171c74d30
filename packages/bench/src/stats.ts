/** Measures candidates in interleaved rounds, so that a noisy moment of the machine hits all of them alike. */

/** Something to measure: does its work so many times. */
export interface Candidate<Name extends string = string> {
  readonly name: Name
  readonly run: (times: number) => Promise<void> | void
}

/** What one candidate achieved. */
export interface Result<Name extends string = string> {
  readonly name: Name
  /** The median over the rounds, in repetitions per second. */
  readonly perSecond: number
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle]
  if (upper === undefined) throw new RangeError('values must not be empty')
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2
}

/** Seconds that `work` takes. */
export async function seconds(work: () => Promise<void> | void): Promise<number> {
  const start = process.hrtime.bigint()
  await work()
  return Number(process.hrtime.bigint() - start) / 1e9
}

/** Runs every candidate once to warm up, then all of them in turn, so many rounds. */
export async function race<Name extends string>(
  candidates: readonly Candidate<Name>[],
  { times, rounds }: { readonly times: number; readonly rounds: number },
): Promise<Result<Name>[]> {
  const samples = candidates.map((): number[] => [])
  for (let round = -1; round < rounds; round++) {
    for (const [i, candidate] of candidates.entries()) {
      globalThis.gc?.()
      const taken = await seconds(() => candidate.run(times))
      if (round >= 0) samples[i]?.push(times / taken)
    }
  }
  return candidates.map(({ name }, i) => ({ name, perSecond: median(samples[i] ?? []) }))
}
