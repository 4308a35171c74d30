/** An exit signal comes through a link, or from a call. */

/**
 * The way of an exit signal: through a link, where `'kill'` is a reason like any other; through a link whose other side had ended before, or
 * cannot be reached, so that nobody has reported the reason; or from a call of `exit`.
 */
export type ExitRoute = 'link' | 'lost' | 'exit'
