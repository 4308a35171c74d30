/** Two of each kind of handle: no two of them are equal, whatever compares them. */

import * as gun from '@holster/gun'
import {
  createProcess,
  type MonitorRef,
  makeRef,
  type Process,
  type Ref,
  type TimerRef,
} from '@holster/process'

export type Handle = Ref | MonitorRef | TimerRef | Process | gun.ConnPid | gun.StreamRef

/** Their connections have ended, and so have their processes. */
export function handles(): readonly Handle[] {
  const [one, two] = [createProcess(), createProcess()]
  const [connPid, otherConnPid] = [gun.open('localhost', 1), gun.open('localhost', 1)]
  const made = [
    makeRef(),
    makeRef(),
    one.monitor(two),
    one.monitor(two),
    one.sendAfter(10_000, 'late'),
    one.sendAfter(10_000, 'late'),
    one,
    two,
    connPid,
    otherConnPid,
    gun.get(connPid, '/', {}, { replyTo: () => {} }),
    gun.get(connPid, '/', {}, { replyTo: () => {} }),
  ]
  gun.close(connPid)
  gun.close(otherConnPid)
  one.exit()
  two.exit()
  return made
}

/** Calls `check` with each two of them, as they are and within messages, and says whether both are the same one. */
export function pairs(check: (left: unknown, right: unknown, isSame: boolean) => void): void {
  const all = handles()
  for (const left of all) {
    for (const right of all) {
      check(left, right, left === right)
      check({ type: 'gun_up', from: [left] }, { type: 'gun_up', from: [right] }, left === right)
    }
  }
}
