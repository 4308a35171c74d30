/**
 * Signals are how nodes talk. A signal is an array that begins with one of these numbers; the forms stand behind them. `target` stands
 * for two elements: the kind and the number of a handle of the receiver, or the kind `'Name'` and the name of a process. `value` stands
 * for a tree and, where it holds what MessagePack has no notion of, the places of that. `watch` tells the watches of one name apart, and
 * is 0 for handles.
 *
 * | number     | form                                                    | meaning                                                    |
 * | ---------- | ------------------------------------------------------- | ---------------------------------------------------------- |
 * | `send`     | target, value                                           | a message                                                  |
 * | `deliver`  | target, source, bytes, value                            | a message of a source, such as a connection                |
 * | `source`   | source, isPausable, value of `[whole, part]`            | a source of the sender feeds mailboxes of the receiver      |
 * | `attach`   | target, source                                          | messages of a source will come                             |
 * | `detach`   | source                                                  | no more will                                               |
 * | `pause`    | source, isPaused                                        | the mailboxes that a source feeds press on it, or no longer |
 * | `overflow` | source, messages, bytes                                 | a source must end: it has filled a mailbox                 |
 * | `watch`    | target, watch                                           | asks for the end of a target                               |
 * | `unwatch`  | target, watch                                           | takes that back                                            |
 * | `ended`    | kind, number, watch, value of the reason                | a handle of the sender has ended                           |
 * | `link`     | number of a process of the sender, target               | the process is linked to the target                        |
 * | `unlink`   | number, target, id                                      | the process is no longer linked                            |
 * | `unlinked` | number, target, id                                      | the receiver of `unlink` has heard                         |
 * | `exit`     | target, value of `[from, reason]`                       | an exit signal                                             |
 */

export const Signal = {
  send: 0,
  deliver: 1,
  attach: 2,
  detach: 3,
  pause: 4,
  overflow: 5,
  watch: 6,
  unwatch: 7,
  ended: 8,
  link: 9,
  unlink: 10,
  unlinked: 11,
  exit: 12,
  source: 13,
} as const

/** The number of a handle, or the name of a process. */
export type Key = number | string

/** The kind of a target that is known by its name. */
export const NAME = 'Name'

/** Joins a kind and a number to a key of a map; where a name is watched, with the number of the watch. */
export function keyOf(kind: string, number: Key, watch = 0): string {
  return watch === 0 ? `${kind} ${number}` : `${kind} ${watch} ${number}`
}
