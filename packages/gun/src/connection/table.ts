/**
 * The machine as a table: each innermost state knows, for each event, what is done and which state follows. A transition of
 * xstate's costs about ten microseconds, because it finds out each time what the machine alone decides; a look into the table
 * costs less than one.
 */

import type { AnyStateNode, AnyTransitionDefinition } from 'xstate'
import { type Guard, guards, type Note, notes } from './decisions.js'
import type { Effect } from './events.js'

/** An innermost state of the machine. */
export interface State {
  /** The id that xstate has for the state. */
  readonly id: string
  /** The name that Gun has for the state: the outermost one, and within `connected` the one below. */
  readonly name: string
  /** The paths of the state and of those around it, the outermost first. */
  readonly paths: readonly string[]
  /** Whether commands with which streams begin go to the protocol. */
  readonly isAccepting: boolean
  /** The branches of each event; the first that is open is taken. */
  readonly on: ReadonlyMap<string, readonly Branch[]>
  /** The branches that are taken by themselves, as soon as one is open. */
  readonly always: readonly Branch[]
}

/** A transition that is taken where its guard holds. */
export interface Branch {
  readonly guard: Guard | undefined
  /** The notes that change the context, in order. */
  readonly notes: readonly Note[]
  /** The effects that the connection carries out once the transition is over, in order. */
  readonly effects: readonly Effect[]
  readonly next: State
}

/**
 * Makes the table of a machine, and gives the state before the first, which leads to that by itself. Throws for a machine that uses
 * more of xstate than the machine of a connection does.
 */
export function tableOf(root: AnyStateNode): State {
  const states = new Map<AnyStateNode, State>()

  function stateOf(leaf: AnyStateNode): State {
    const known = states.get(leaf)
    if (known !== undefined) return known
    const around = lineOf(leaf)
    const on = new Map<string, readonly Branch[]>()
    const always: Branch[] = []
    const { id } = leaf
    const isAny = around.some(isAccepting)
    const state: State = { id, name: nameOf(leaf), paths: pathsOf(leaf), isAccepting: isAny, on, always }
    states.set(leaf, state)
    // The innermost state is asked first.
    for (const node of around) {
      refuseUnknown(node)
      for (const [type, transitions] of node.transitions) {
        on.set(type, [...(on.get(type) ?? []), ...transitions.map(each => branchOf(leaf, each))])
      }
      always.push(...(node.always ?? []).map(each => branchOf(leaf, each)))
    }
    return state
  }

  function branchOf(leaf: AnyStateNode, transition: AnyTransitionDefinition): Branch {
    const { actions, guard, source, target: [target] = [] } = transition
    const entered = target === undefined ? [] : entering(target, source)
    const names = [actions, ...entered.map(({ entry }) => entry)].flat().map(nameOfAction)
    return { guard: guardOf(guard), ...actsOf(names), next: stateOf(entered.at(-1) ?? leaf) }
  }

  const entered = [root, ...below(root)]
  const first = entered.at(-1) ?? root
  const names = entered.flatMap(({ entry }) => entry).map(nameOfAction)
  const always = [{ guard: undefined, ...actsOf(names), next: stateOf(first) }]
  return {
    id: root.id,
    name: nameOf(first),
    paths: pathsOf(first),
    isAccepting: false,
    on: new Map(),
    always,
  }
}

/** The states that a transition enters, the outermost first: those that it leads into, and what they begin with. */
function entering(target: AnyStateNode, source: AnyStateNode): readonly AnyStateNode[] {
  const into = lineOf(target)
  const kept = new Set(lineOf(source))
  // A transition that leads out of its state leaves it, and enters its target even from within.
  if (!into.includes(source)) for (const left of [source, target]) kept.delete(left)
  return [...into.filter(node => !kept.has(node)).reverse(), ...below(target)]
}

/** The states with which a state begins. */
function below(node: AnyStateNode): readonly AnyStateNode[] {
  if (node.type !== 'compound') return []
  const [first] = node.initial.target
  return first === undefined ? [] : [first, ...below(first)]
}

/** A state and those around it, the innermost first. */
function lineOf(node: AnyStateNode): readonly AnyStateNode[] {
  return node.parent === undefined ? [node] : [node, ...lineOf(node.parent)]
}

function nameOf({ path: [outermost = '', second] }: AnyStateNode): string {
  return outermost === 'connected' && second !== undefined ? second : outermost
}

function pathsOf({ path }: AnyStateNode): readonly string[] {
  return path.map((_, at) => path.slice(0, at + 1).join('.'))
}

function isAccepting({ tags }: AnyStateNode): boolean {
  return tags.includes('accepting')
}

function guardOf(guard: unknown): Guard | undefined {
  if (guard === undefined) return undefined
  if (typeof guard === 'string' && guard in guards) return guards[guard as keyof typeof guards]
  throw new TypeError(`the machine has a guard without a name: ${guard}`)
}

function nameOfAction(action: unknown): string {
  if (typeof action === 'string') return action
  throw new TypeError(`the machine has an action without a name: ${action}`)
}

function actsOf(names: readonly string[]): Pick<Branch, 'notes' | 'effects'> {
  return {
    notes: names.filter(isNote).map(name => notes[name]),
    effects: names.filter(name => !isNote(name)) as Effect[],
  }
}

function isNote(name: string): name is keyof typeof notes {
  return name in notes
}

function refuseUnknown({ exit, id, invoke, type }: AnyStateNode): void {
  if (exit.length === 0 && invoke.length === 0 && type !== 'parallel' && type !== 'history') return
  throw new TypeError(`the table has no exit actions, no invoked actors, and no ${type} state: ${id}`)
}
