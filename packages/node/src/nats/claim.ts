/**
 * A name is claimed by asking on its subject before and after subscribing to it: of nodes that start at the same time all have subscribed
 * before the last of them asks for the second time, so that each hears of the others or they of it, and the eldest gets the name.
 */

import type { Answer, Client } from './client.js'
import { outranks, type Presence, readPresence, writePresence } from './presence.js'
import type { Subjects } from './subjects.js'

/** How often is asked before silence counts as an answer: whoever was asked may have been about to leave. */
const TRIES = 2

/** Claims the name of `own`. Rejects with an Error if it is taken. `presence` gives what others are answered. */
export async function claim(
  client: Client,
  subjects: Subjects,
  own: Presence,
  presence: () => Presence,
): Promise<void> {
  const question = writePresence(own)
  const ask = async (isFinal: (answer: Uint8Array) => boolean) => {
    let answer: Answer = 'silence'
    for (let left = TRIES; left > 0 && answer === 'silence'; left--) {
      answer = await client.ask(subjects.name, question, isFinal)
    }
    return answer
  }
  const holder = await ask(() => true)
  if (holder !== 'nobody') throw taken(own.name, holder === 'silence')
  client.subscribe(subjects.name, ({ reply }) => {
    if (reply !== undefined && subjects.isReply(reply)) client.publish(reply, writePresence(presence()))
  })
  const rival = await ask(answer => !isOutranked(answer, own))
  if (rival === 'nobody') return
  if (rival === 'silence' || !isOutranked(rival, own)) throw taken(own.name, rival === 'silence')
}

function isOutranked(answer: Uint8Array, own: Presence): boolean {
  const other = readPresence(answer)
  return other !== undefined && outranks(own, other)
}

/** Gives the error that says a name is taken. */
export function taken(name: string, isSilent: boolean): Error {
  const who = isSilent
    ? 'a client of the NATS server holds it and does not answer; if its machine is gone, the server finds out by its ping_interval'
    : 'another node has answered by it'
  return new Error(`the name '${name}' is taken: ${who}`)
}
