/** What a program of the benchmark is asked to do, observed or not. */

/** Whether a program is observed. */
export const WAYS = ['alone', 'observed', 'looked at'] as const
export type Way = (typeof WAYS)[number]

/** One piece of work. */
export type Job =
  | { readonly type: 'echo'; readonly inFlight: number; readonly count: number }
  | { readonly type: 'receive'; readonly count: number }
  | { readonly type: 'send'; readonly count: number }

/** What a program says first. */
export interface Begun {
  /** The observer; `null`: there is none. */
  readonly url: string | null
  /** The ids of the connection and of its owner. */
  readonly connection: string
  readonly owner: string
}
