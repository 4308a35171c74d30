/**
 * A name is claimed by asking on its subject before and after subscribing to it, so that of two nodes that start at the same time one has
 * subscribed before the other asks for the second time; it decides then which of both gets the name, by the same rule as the other.
 *
 * | the asked one    | the one that asks                | gets the name                |
 * | ---------------- | -------------------------------- | ---------------------------- |
 * | holds the name   | asks or claims                   | the asked one                |
 * | claims the name  | asks                             | the asked one, or who claims |
 * | claims the name  | claims it, and has begun later   | the asked one                |
 * | claims the name  | claims it, and has begun earlier | the one that asks            |
 */

import type { Answer, Client } from './client.js'
import { outranks, type Presence, readPresence, type Stage, writePresence } from './presence.js'
import type { Subjects } from './subjects.js'

/** How often is asked before silence counts as an answer: whoever was asked may have been about to leave. */
const TRIES = 2

/** Claims the name of the node. Rejects with an Error if it is taken. `presence` gives what the node says of itself at the time. */
export async function claim(client: Client, subjects: Subjects, presence: () => Presence): Promise<void> {
  const own = presence()
  let stage: Stage = 'asks'
  let refusal: Error | undefined

  /** Asks all who subscribe to the name, and gives way to the first whom this one cannot have it from. */
  const ask = async (isFree: (answer: Uint8Array) => boolean): Promise<void> => {
    const question = writePresence({ ...own, stage })
    let isSilent = true
    for (let left = TRIES; left > 0 && isSilent && refusal === undefined; left--) {
      await client.ask(subjects.name, question, subjects.reply, (answer: Answer) => {
        isSilent = answer === 'silence'
        if (isSilent) return true
        if (answer !== 'nobody' && !isFree(answer as Uint8Array)) refusal ??= taken(own.name, false)
        // Nobody else can claim the name from here on without asking this one.
        if (answer === 'nobody' && stage === 'claims' && refusal === undefined) stage = 'holds'
        return answer === 'nobody' || refusal !== undefined
      })
    }
    if (isSilent) refusal ??= taken(own.name, true)
    if (refusal !== undefined) throw refusal
  }

  await ask(() => false)
  stage = 'claims'
  client.subscribe(subjects.name, ({ data, reply }) => {
    if (reply === undefined || !subjects.isReply(reply)) return
    client.publish(reply, writePresence({ ...presence(), stage }))
    const rival = readPresence(data)
    const isAhead = rival?.stage === 'claims' && outranks(rival, own)
    if (stage === 'claims' && isAhead) refusal ??= taken(own.name, false)
  })
  await ask(answer => {
    const rival = readPresence(answer)
    return rival?.stage === 'claims' && outranks(own, rival)
  })
  stage = 'holds'
}

/** Gives the error that says a name is taken. */
export function taken(name: string, isSilent: boolean): Error {
  const who = isSilent
    ? 'a client of the NATS server holds it and does not answer; if its machine is gone, the server finds out by its ping_interval'
    : 'another node has answered by it'
  return new Error(`the name '${name}' is taken: ${who}`)
}
