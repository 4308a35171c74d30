/** All that happens to one connection is heard by its transcript and by those who tap it, who know nothing of each other. */

import type { GunMessage } from '../messages.js'
import type { EventMap, EventName } from '../options/events.js'

/** Hears all that happens to one connection. Never throws. */
export interface Hearing {
  event<Name extends EventName>(name: Name, event: EventMap[Name]): void
  /** A message is about to be posted. */
  message(message: GunMessage): void
  /** The machine is in that state, newly or still. */
  state(name: string): void
}

/** Several who hear the same connection. */
class Audience implements Hearing {
  readonly members: readonly Hearing[]

  constructor(members: readonly Hearing[]) {
    this.members = members
  }

  event<Name extends EventName>(name: Name, event: EventMap[Name]): void {
    for (const member of this.members) member.event(name, event)
  }

  message(message: GunMessage): void {
    for (const member of this.members) member.message(message)
  }

  state(name: string): void {
    for (const member of this.members) member.state(name)
  }
}

function membersOf(hearing: Hearing | undefined): readonly Hearing[] {
  if (hearing === undefined) return []
  return hearing instanceof Audience ? hearing.members : [hearing]
}

/** Gives one that stands for all these; nobody is `undefined`, so that silence costs a look at a field. */
function together(members: readonly Hearing[]): Hearing | undefined {
  return members.length > 1 ? new Audience(members) : members[0]
}

/** Gives those who hear already with one more. */
export function joined(hearing: Hearing | undefined, newcomer: Hearing): Hearing | undefined {
  return together([...membersOf(hearing), newcomer])
}

/** Gives those who hear without one of them. */
export function parted(hearing: Hearing | undefined, leaver: Hearing): Hearing | undefined {
  return together(membersOf(hearing).filter(member => member !== leaver))
}
