/** The terms of a session: which states it has, how it is kept, and why it has ended. */

/** The state of a session. */
export type SessionState = 'greeting' | 'proving' | 'up' | 'over'

/** How a session is kept. */
export interface SessionOptions {
  /** The secret that both nodes must know. */
  readonly cookie: string
  /** The longest silence in milliseconds after which a node counts as gone. */
  readonly tickTime: number
  /** The most bytes that may be under way to one node. */
  readonly window: number
}

/** Why a session has ended. */
export interface SessionEnd {
  /** In a few words, such as `'stopped'` or `'silent'`. */
  readonly reason: string
  /** Whether no further session can succeed, since the nodes do not fit together. */
  readonly isRefused: boolean
  /** Whether the peer has left, so that no further session is begun before it comes again. */
  readonly isGoodbye: boolean
}
