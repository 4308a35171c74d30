/** The patterns of a receive are compiled once, and not again while later receives ask for the same. */

import { Clause, type Handle } from './pattern.js'

/** A pattern with its handler, as `on` makes it. It is known by its class, so that no pattern can be mistaken for one. */
export class Handler {
  readonly pattern: unknown
  readonly handle: Handle

  constructor(pattern: unknown, handle: Handle) {
    this.pattern = pattern
    this.handle = handle
  }
}

/** The clauses kept last that name only primitives, for all processes: many processes with one body ask for the same. */
let sharedClauses: readonly Clause[] | undefined

export function compileClause(element: unknown): Clause {
  return element instanceof Handler ? new Clause(element.pattern, element.handle) : new Clause(element)
}

/** Compiles `patterns`, unless they are those of `kept` or of the clauses that all processes share. */
export function compileClauses(
  patterns: readonly unknown[],
  kept: readonly Clause[] | undefined,
): readonly Clause[] {
  if (kept !== undefined && areMadeFrom(kept, patterns)) return kept
  if (sharedClauses !== undefined && areMadeFrom(sharedClauses, patterns)) return sharedClauses
  // All lists grow in this way, as V8 has code for one kind of array only: `map` gives two kinds.
  const clauses: Clause[] = []
  for (const pattern of patterns) clauses.push(compileClause(pattern))
  return clauses
}

/** Gives the clauses back if they only compare fields by identity, so that they can be used again. */
export function keep(clauses: readonly Clause[]): readonly Clause[] | undefined {
  if (clauses === sharedClauses) return clauses
  if (!clauses.every(isFixed)) return undefined
  if (areLiteral(clauses)) sharedClauses = clauses
  return clauses
}

/** Whether the clauses would be compiled from `patterns` again, which may be equal, or the same object with other fields. */
function areMadeFrom(clauses: readonly Clause[], patterns: readonly unknown[]): boolean {
  if (patterns.length !== clauses.length) return false
  for (let i = 0; i < clauses.length; i++) if (!clauses[i]?.isMadeFrom(patterns[i])) return false
  return true
}

/** Whether the clauses, which were kept, name only primitives, so that they keep no object alive. */
export function areLiteral(clauses: readonly Clause[]): boolean {
  return clauses.every(isLiteral)
}

function isFixed(clause: Clause): boolean {
  return clause.isFixed
}

function isLiteral(clause: Clause): boolean {
  return clause.isLiteral
}
