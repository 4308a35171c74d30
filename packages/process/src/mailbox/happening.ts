/** The events of a process, which are told to its tracer, if it has one. */

/** A message was sent to the traced process, or one of its receives took the message. No message knows its sender. */
export interface TracedMessage {
  /** `'send'` when the message comes, `'receive'` when it is taken. */
  readonly event: 'send' | 'receive'
  /** The message itself. */
  readonly message: unknown
}

/** The traced process dropped messages by `flush`. */
export interface TracedFlush {
  /** `'flush'`. */
  readonly event: 'flush'
  /** How many were dropped. */
  readonly messages: number
}

/** The traced process calls another one, and waits for the reply. */
export interface TracedCall {
  /** `'call'`. */
  readonly event: 'call'
  /** Names the call, as the `from` that the callee gets does. */
  readonly ref: object
  /** The process, or the name, that is called. */
  readonly target: unknown
  /** The request of the call. */
  readonly request: unknown
}

/** The reply to a call of the traced process has come. */
export interface TracedReply {
  /** `'reply'`. */
  readonly event: 'reply'
  /** Names the call. */
  readonly ref: object
  /** The reply. */
  readonly value: unknown
}

/** The traced process monitors something, or does not any more. The end of a target comes as a `'send'` of its `DOWN`. */
export interface TracedMonitor<Target = unknown> {
  /** Which of the two. */
  readonly event: 'monitor' | 'demonitor'
  /** The reference that `monitor` gave. */
  readonly ref: object
  /** The target that is monitored, or its name. */
  readonly target: Target | string
}

/** A link of the traced process was made or undone, by either side. */
export interface TracedLink<Target = unknown> {
  /** Which of the two. */
  readonly event: 'link' | 'unlink'
  /** The other side. */
  readonly target: Target
}

/** The traced process has ended; nothing follows. */
export interface TracedExit {
  /** `'exit'`. */
  readonly event: 'exit'
  /** The reason of the end. */
  readonly reason: unknown
}

/** An event of a process. */
export type Happening<Target = unknown> =
  | TracedMessage
  | TracedFlush
  | TracedCall
  | TracedReply
  | TracedMonitor<Target>
  | TracedLink<Target>
  | TracedExit
