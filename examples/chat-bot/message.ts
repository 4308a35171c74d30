/** A message is a line of JSON between the chat's server and a client; text from the other side is parsed here, and trusted nowhere. */

export interface Said {
  readonly type: 'said'
  readonly room: string
  /** Counts what is said in a room, from 1 on. */
  readonly id: number
  readonly from: string
  readonly text: string
}

/** All that had been said in the room before is told now. */
export interface Joined {
  readonly type: 'joined'
  readonly room: string
}

/** The server has no time: the client is to ask again so many milliseconds later. */
export interface Later {
  readonly type: 'later'
  readonly ms: number
}

/** The messages of the server. */
export type Heard = Said | Joined | Later | { readonly type: 'welcome' } | { readonly type: 'denied' }

export interface Say {
  readonly type: 'say'
  readonly room: string
  readonly text: string
}

/** The messages of a client. After `join` the room tells whatever was said in it behind the number `after`. */
export type Told =
  | Say
  | { readonly type: 'login'; readonly name: string; readonly secret: string }
  | { readonly type: 'join'; readonly room: string; readonly after: number }

/** Throws an Error that shows the beginning of a text which is no message of the server. */
export function parse(text: string): Heard {
  const { type, room, id, from, text: said, ms } = fieldsOf(text)
  if (type === 'welcome' || type === 'denied') return { type }
  if (type === 'later' && isCount(ms)) return { type, ms }
  if (type === 'joined' && typeof room === 'string') return { type, room }
  if (type === 'said' && typeof room === 'string' && typeof from === 'string' && typeof said === 'string') {
    if (isCount(id)) return { type, room, id, from, text: said }
  }
  throw new Error(`garbage from the chat: ${text.slice(0, 40)}`)
}

function fieldsOf(text: string): Record<string, unknown> {
  try {
    return { ...JSON.parse(text) }
  } catch {
    return {}
  }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
