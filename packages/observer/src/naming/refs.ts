/** A ref names what can be clicked on: a process or a connection, here or on another node. */

import { type Process, processes } from '@holster/process'
import { homeOf, isActorRef, NO_NODE, printShort } from '@holster/process/internal'
import type { Ref, Subject } from '../words.js'

const PROCESS = /^#Process<(\d+)/
const CONNECTION = /^#Conn<(\d+)/
/** The longest text of a ref. */
const LONGEST = 120

/** Gives the name of this program's node. */
export function nodeHere(): string {
  return homeOf()?.name ?? NO_NODE
}

/** Names something: what a process is linked to, a reply's recipient, the child of a supervisor. */
export function refOf(target: unknown): Ref {
  const node = nodeOf(target)
  if (typeof target === 'string') {
    const name = shortened(target)
    return { kind: 'name', node, id: name, text: name }
  }
  if (isActorRef(target)) return { kind: 'actor', node, id: target.id, text: `actor ${target.id}` }
  const shown = shortened(textOf(target))
  const [, process] = PROCESS.exec(shown) ?? []
  if (process !== undefined) {
    const { label } = target as Partial<Process>
    const text = typeof label === 'string' ? `${shown} (${shortened(label)})` : shown
    return { kind: 'process', node, id: `#Process<${process}>`, text }
  }
  const [, connection] = CONNECTION.exec(shown) ?? []
  if (connection !== undefined) return { kind: 'connection', node, id: `#Conn<${connection}>`, text: shown }
  return { kind: 'other', node, id: shown, text: shown }
}

/** Finds a process of this program by its id. Throws an Error if none lives by that id. */
export function processOf({ id }: Pick<Subject, 'id'>): Process<never> {
  const found = processes().find(process => process.id === id)
  if (found === undefined) throw new Error(`there is no ${id} any more`)
  return found
}

function nodeOf(target: unknown): string {
  const { node } = (typeof target === 'object' && target !== null ? target : {}) as {
    readonly node?: unknown
  }
  return typeof node === 'string' ? node : nodeHere()
}

/** Prints a handle as it prints itself, anything else as a value. Never throws. */
function textOf(target: unknown): string {
  try {
    if (isPrintable(target)) return String(target)
  } catch {
    // An object of the program stands in for a process and cannot be printed.
  }
  return printShort(target)
}

function isPrintable(target: unknown): boolean {
  return typeof target === 'object' && target !== null && target.toString !== Object.prototype.toString
}

/** Cuts a text of the program, which may be of any length. */
export function shortened(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text
}
