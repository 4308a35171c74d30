/**
 * A name is claimed by asking on its subject before and after subscribing to it. Of two nodes that start at the same time both have
 * subscribed before one of them asks for the second time, so that at least one hears of the other.
 */

import type { Client } from './client.js'
import { outranks, type Presence, readPresence, writePresence } from './presence.js'
import type { Subjects } from './subjects.js'

/** Claims the name of `own`. Rejects with an Error if it is taken. `presence` gives what others are answered. */
export async function claim(
  client: Client,
  subjects: Subjects,
  own: Presence,
  presence: () => Presence,
): Promise<void> {
  const ask = () => client.ask(subjects.name, writePresence(own), subjects.reply)
  const holder = await ask()
  if (holder !== 'nobody') throw taken(own.name, holder === 'silence')
  client.subscribe(subjects.name, ({ reply }) => {
    if (reply !== undefined && subjects.isReply(reply)) client.publish(reply, writePresence(presence()))
  })
  const rival = await ask()
  if (rival === 'nobody') return
  const other = rival === 'silence' ? undefined : readPresence(rival)
  // The rival has heard, or will hear, of this node in the same way.
  if (other === undefined || !outranks(own, other)) throw taken(own.name, other === undefined)
}

/** Gives the error that says a name is taken. */
export function taken(name: string, isSilent: boolean): Error {
  const who = isSilent
    ? 'a client of the NATS server holds it and does not answer; if its machine is gone, the server finds out by its ping_interval'
    : 'another node has answered by it'
  return new Error(`the name '${name}' is taken: ${who}`)
}
