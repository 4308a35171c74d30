/** Draws the life of a connection into docs/statechart.md, from the machine itself: npm run statechart */

import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate'
import { connectionMachine } from '../src/connection/machine.ts'

/** The page that is drawn. */
export const PAGE = fileURLToPath(new URL('../../../docs/statechart.md', import.meta.url))

/** So many arrows with the same label to the same state are drawn as one. */
const MANY = 4

/** Gives the page's text. */
export function pageOf(machine: AnyStateMachine): string {
  const { root } = machine
  const inner = Object.values(root.states).filter(isDeep)
  return `<!-- Drawn by npm run statechart. Change packages/gun/src/connection/machine.ts instead. -->

# The life of a connection

Each connection is one state machine, [\`connection/machine.ts\`](../packages/gun/src/connection/machine.ts), from which
\`npm run statechart\` draws this page. An arrow says \`event [guard] / effects\`: the effects are what the connection does once the
transition is over, in that order; [\`connection/events.ts\`](../packages/gun/src/connection/events.ts) says what each event brings
and what each effect does. The page of a connection in [the observer](guide/observer.md) shows the same states as a picture, the present
one lit.

${fenced(diagramOf(machine, root))}

${inner.map(node => sectionOf(machine, node)).join('\n\n')}

## The states

${tableOf(machine)}
`
}

function sectionOf(machine: AnyStateMachine, node: AnyStateNode): string {
  return `## Within \`${node.key}\`

An arrow from _any_ holds in each state that does not have one of its own for the event.

${fenced(diagramOf(machine, node))}`
}

function fenced(diagram: string): string {
  return `\`\`\`mermaid\n${diagram}\n\`\`\``
}

// The diagrams:

interface Arrow {
  readonly from: string
  readonly to: string
  readonly label: string
  /** The state within which the arrow is drawn: Mermaid takes a state to be where it is mentioned. */
  readonly within: AnyStateNode
}

function diagramOf(machine: AnyStateMachine, top: AnyStateNode): string {
  const arrows = [top, ...shownIn(top)].flatMap(node => arrowsOf(machine, node, top))
  return ['stateDiagram-v2', ...indent(insideOf(machine, top, arrows))].join('\n')
}

/** The states that a diagram shows; those within a deep one have a diagram of their own. */
function shownIn(node: AnyStateNode): readonly AnyStateNode[] {
  return Object.values(node.states).flatMap(child => [child, ...(isDeep(child) ? [] : shownIn(child))])
}

function insideOf(
  machine: AnyStateMachine,
  parent: AnyStateNode,
  arrows: readonly Arrow[],
): readonly string[] {
  const initial = initialOf(parent)
  const begins =
    parent === machine.root ? [...actsOf(machine, parent.entry), ...entered(machine, initial, parent)] : []
  const children = Object.values(parent.states)
  const states = children.flatMap(child => {
    const named = `state "${child.key}" as ${idOf(child)}`
    if (isLeaf(child) || isDeep(child)) return child.key === idOf(child) ? [] : [named]
    return [`${named} {`, ...indent(insideOf(machine, child, arrows)), '}']
  })
  const own = arrows.filter(({ within }) => within === parent)
  const hasAny = own.some(({ from }) => from === anyOf(parent))
  return [
    `[*] --> ${idOf(initial)}${begins.length === 0 ? '' : ` : ${begins.join(', ')}`}`,
    ...(hasAny ? [`state "any" as ${anyOf(parent)}`] : []),
    ...states,
    ...linesOf(own),
    ...children.filter(({ type }) => type === 'final').map(child => `${idOf(child)} --> [*]`),
  ]
}

function arrowsOf(machine: AnyStateMachine, node: AnyStateNode, top: AnyStateNode): readonly Arrow[] {
  return transitionsOf(node).flatMap(transition => {
    const { target: [target] = [] } = transition
    const label = labelOf(machine, transition)
    const isInner = target !== undefined && target !== node && isWithin(target, node)
    // A deep state's own arrows are drawn around it, those between the states within it in its diagram.
    if (isDeep(node) && isInner !== (node === top)) return []
    if (isInner) return [{ from: anyOf(node), to: idOf(target), label, within: node }]
    return [{ from: idOf(node), to: idOf(target ?? node), label, within: around(node, target ?? node) }]
  })
}

/** Draws arrows: one for all between two states, and one for many that say the same and lead to the same state. */
function linesOf(arrows: readonly Arrow[]): readonly string[] {
  const between = Object.values(groupBy(arrows, ({ from, to }) => `${from} ${to}`)).map(same => {
    const [{ from, to }] = same as [Arrow]
    return { from, to, label: joined(same.map(({ label }) => label)) }
  })
  return Object.values(groupBy(between, ({ to, label }) => `${to} ${label}`)).flatMap(same => {
    const [{ to, label }] = same as [Arrow]
    if (same.length < MANY) return same.map(arrow => `${arrow.from} --> ${to} : ${label}`)
    const many = `many_${to}`
    return [
      `state "${same.map(({ from }) => from).join('<br/>')}" as ${many}`,
      `${many} --> ${to} : ${label}`,
    ]
  })
}

/** One label of several, in which events that do the same stand together. */
function joined(labels: readonly string[]): string {
  const split = labels
    .map(label => label.split(/(?= [/[])/))
    .map(([event = '', ...rest]) => ({ event, rest: rest.join('') }))
  return Object.entries(groupBy(split, ({ rest }) => rest))
    .map(([rest, same]) => `${same.map(({ event }) => event).join(', ')}${rest}`.trim())
    .join('<br/>')
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Record<string, T[]> {
  const groups: Record<string, T[]> = {}
  for (const item of items) {
    const key = keyOf(item)
    groups[key] = [...(groups[key] ?? []), item]
  }
  return groups
}

function labelOf(machine: AnyStateMachine, transition: AnyTransitionDefinition): string {
  const { source, target } = transition
  const acts = [
    ...actsOf(machine, transition.actions),
    ...(target ?? []).flatMap(node => entered(machine, node, source)),
  ]
  return `${eventOf(transition)}${guardOf(transition)}${acts.length === 0 ? '' : ` / ${acts.join(', ')}`}`
}

function eventOf({ eventType }: AnyTransitionDefinition): string {
  const [, delay] = /^xstate[.]after[.](\w+)/.exec(eventType) ?? []
  return delay === undefined ? eventType : `after ${delay}`
}

function guardOf({ guard, source, eventType }: AnyTransitionDefinition): string {
  const name = nameOf(guard)
  if (name !== undefined) return ` [${name}]`
  const others = transitionsOf(source).filter(other => other.eventType === eventType)
  return others.length > 1 ? ' [else]' : ''
}

/** The effects of entering a state from another, and of what it begins with. */
function entered(machine: AnyStateMachine, target: AnyStateNode, source: AnyStateNode): readonly string[] {
  const above: AnyStateNode[] = []
  for (let node = target.parent; node !== undefined && !isWithin(source, node); node = node.parent) {
    above.unshift(node)
  }
  const below: AnyStateNode[] = []
  for (let node = target; !isLeaf(node); ) {
    node = initialOf(node)
    below.push(node)
  }
  return [...above, target, ...below].flatMap(node => actsOf(machine, node.entry))
}

function indent(lines: readonly string[]): readonly string[] {
  return lines.flatMap(line => line.split('\n')).map(line => `  ${line}`)
}

// The table:

function tableOf(machine: AnyStateMachine): string {
  const rows = [['state', 'tags', 'what is done in it']]
  const add = (node: AnyStateNode): void => {
    const entry = actsOf(machine, node.entry)
    const answered = transitionsOf(node)
      .filter(({ target }) => target === undefined)
      .map(
        transition =>
          [`${eventOf(transition)}${guardOf(transition)}`, actsOf(machine, transition.actions)] as const,
      )
    const done = [...(entry.length > 0 ? [['entry', entry] as const] : []), ...answered]
    rows.push([
      `\`${node.path.join('.')}\``,
      tagsOf(node).map(code).join(', '),
      done
        .map(([when, acts]) => `${when === 'entry' ? when : code(when)}: ${acts.map(code).join(', ')}`)
        .join('; '),
    ])
    for (const child of Object.values(node.states)) add(child)
  }
  for (const node of Object.values(machine.root.states)) add(node)
  const widths = [0, 1, 2].map(column => Math.max(...rows.map(row => row[column]?.length ?? 0)))
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(' | ')} |`
  const [head = [], ...body] = rows
  return [line(head), line(widths.map(width => '-'.repeat(width))), ...body.map(line)].join('\n')
}

function tagsOf(node: AnyStateNode): readonly string[] {
  return [...new Set([...(node.parent === undefined ? [] : tagsOf(node.parent)), ...node.tags])]
}

function code(text: string): string {
  return `\`${text}\``
}

// The machine:

/** The transitions of a state itself, in the order in which they are written. */
function transitionsOf(node: AnyStateNode): readonly AnyTransitionDefinition[] {
  return [...(node.always ?? []), ...[...node.transitions.values()].flat()]
}

/** The names of those actions that the connection does: the others note something in the context. */
function actsOf(machine: AnyStateMachine, actions: readonly unknown[]): readonly string[] {
  return actions
    .map(nameOf)
    .filter(name => name !== undefined)
    .filter(name => !name.startsWith('xstate.'))
    .filter(name => !('assignment' in Object(machine.implementations.actions[name])))
}

function nameOf(named: unknown): string | undefined {
  if (typeof named === 'string') return named
  const { type } = Object(named)
  return typeof type === 'string' ? type : undefined
}

function idOf(node: AnyStateNode): string {
  return node.path.join('_')
}

function initialOf(node: AnyStateNode): AnyStateNode {
  const [first] = node.initial.target
  if (first === undefined) throw new Error(`${node.id} has no state to begin with`)
  return first
}

function isLeaf(node: AnyStateNode): boolean {
  return Object.keys(node.states).length === 0
}

function isWithin(node: AnyStateNode, ancestor: AnyStateNode): boolean {
  return node === ancestor || (node.parent !== undefined && isWithin(node.parent, ancestor))
}

/** Whether a state has states with others in them. */
function isDeep(node: AnyStateNode): boolean {
  return Object.values(node.states).some(child => !isLeaf(child))
}

/** The innermost state around two. */
function around(node: AnyStateNode, other: AnyStateNode): AnyStateNode {
  let outer = node.parent ?? node
  while (outer.parent !== undefined && (!isWithin(other, outer) || other === outer)) outer = outer.parent
  return outer
}

function anyOf(node: AnyStateNode): string {
  return `any_${idOf(node)}`
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  await writeFile(PAGE, pageOf(connectionMachine))
}
