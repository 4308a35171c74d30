/** The actors of xstate, by their cheapest logic: a function of a state and an event. */

import { type ActorLogic, type AnyActorRef, createActor, fromTransition, type Snapshot } from 'xstate'
import type { Client } from './contract.ts'

type State = Snapshot<undefined>

/** Ends with its first event. */
const waiting: ActorLogic<State, { type: string }> = {
  getInitialSnapshot: () => ({ status: 'active', output: undefined, error: undefined }),
  getPersistedSnapshot: state => state,
  transition: (): State => ({ status: 'done', output: undefined, error: undefined }),
}

function spawnWaiting(units: number) {
  return Array.from({ length: units }, () => createActor(waiting).start())
}

/** Does `act` at each event. */
function reacting(act: (self: AnyActorRef) => void) {
  return createActor(
    fromTransition((state: number, _event: { type: string }, { self }) => {
      act(self)
      return state
    }, 0),
  ).start()
}

const client: Client = {
  jobs: {
    spawn: units => async () => {
      for (const actor of spawnWaiting(units)) actor.send({ type: 'stop' })
    },
    live: units => async () => {
      const actors = spawnWaiting(units)
      await null
      for (const actor of actors) actor.send({ type: 'stop' })
    },
    turns: units => async () => {
      let left = units
      const self: AnyActorRef = reacting(() => {
        if (--left > 0) other.send({ type: 'ask' })
      })
      const other: AnyActorRef = reacting(() => self.send({ type: 'answer' }))
      other.send({ type: 'ask' })
    },
    idle: units => async () => {
      const actors = spawnWaiting(units)
      await null
      return actors
    },
  },
}

export default client
