/** The words between the benchmark and its programs, observed or not. */

/** Whether a program is observed. */
export const WAYS = ['alone', 'observed', 'looked at'] as const
export type Way = (typeof WAYS)[number]

/** A piece of work for a program. */
export type Job =
  | { readonly type: 'echo'; readonly inFlight: number; readonly count: number }
  | { readonly type: 'receive'; readonly count: number }
  | { readonly type: 'send'; readonly count: number }

/** The first words of a program. */
export interface Begun {
  /** The observer; `null`: there is none. */
  readonly url: string | null
  /** The ids of the connection and of its owner. */
  readonly connection: string
  readonly owner: string
}
