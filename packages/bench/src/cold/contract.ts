/** The work that a fresh process can be given, and its answer. */

export type Job =
  | { readonly type: 'receive'; readonly size: number; readonly counts: readonly number[] }
  | {
      readonly type: 'echo'
      readonly size: number
      readonly inFlight: number
      readonly counts: readonly number[]
    }
  | { readonly type: 'get'; readonly inFlight: number; readonly counts: readonly number[] }
  /** Sends a frame, and waits until the server has echoed it. */
  | { readonly type: 'first' }

/** Microseconds of CPU from the first message or request asked for to each of the counts; of the whole process for `first`. */
export type Answer = readonly number[]

/** The cost of importing packages. */
export interface ImportCost {
  readonly milliseconds: number
  readonly cpuMilliseconds: number
}

/** The files that an import reads. */
export interface ImportSize {
  readonly modules: number
  readonly kilobytes: number
}

/** How many bytes the body of a response has. */
export const BODY = 100
