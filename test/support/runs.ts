// How often a random test runs, and with which seed. Runs are counted and seconds are not, so that a busy machine tests as much
// as an idle one. The environment may say otherwise: FUZZ_RUNS runs longer; FUZZ_SEED and FUZZ_PATH, which a failure prints,
// repeat it; FUZZ_SHRINK makes it smaller, which over sockets takes long.

export interface Runs {
  readonly numRuns: number
  readonly seed: number
  readonly path?: string
  readonly endOnFailure: boolean
}

/** The parameters of fast-check for a property that is tried `usual` times unless FUZZ_RUNS is given. */
export function runs(usual: number): Runs {
  const { FUZZ_RUNS, FUZZ_SEED, FUZZ_PATH, FUZZ_SHRINK } = process.env
  return {
    numRuns: FUZZ_RUNS === undefined ? usual : wholeNumber('FUZZ_RUNS', FUZZ_RUNS),
    seed: FUZZ_SEED === undefined ? Date.now() % 2 ** 31 : wholeNumber('FUZZ_SEED', FUZZ_SEED),
    ...(FUZZ_PATH === undefined ? {} : { path: FUZZ_PATH }),
    endOnFailure: FUZZ_SHRINK === undefined,
  }
}

function wholeNumber(name: string, text: string): number {
  const number = Number(text)
  if (!Number.isSafeInteger(number)) throw new Error(`${name} must be a whole number, not ${text}`)
  return number
}
