/** A tree of supervisors as boxes with places, laid out from left to right. */

import { hierarchy, tree } from 'd3-hierarchy'
import type { TreeNode } from '../../src/words.ts'

/** The size of a box, and the distances between boxes, in pixels. */
export const BOX = { width: 196, height: 42 }
const BESIDE = 54
const BEHIND = 250
const EDGE = 12

/** A node of the tree as it is listed: with those above it in its key. */
export interface Item {
  readonly key: string
  readonly node: TreeNode
  readonly level: number
  readonly position: number
  readonly siblings: number
  readonly isOpen: boolean
  readonly items: readonly Item[]
}

/** A box and its place. */
export interface Placed {
  readonly item: Item
  readonly x: number
  readonly y: number
}

/** A whole drawing. */
export interface PlacedTree {
  readonly width: number
  readonly height: number
  readonly boxes: readonly Placed[]
  /** The lines from boxes to their children. */
  readonly lines: readonly { readonly key: string; readonly path: string }[]
}

/** Gives the nodes that are shown, without what is under those that are closed. */
export function itemsOf(
  nodes: readonly TreeNode[],
  closed: ReadonlySet<string>,
  above = '',
  level = 1,
): readonly Item[] {
  return nodes.map((node, at) => {
    const key = `${above}/${at} ${node.id}`
    const isOpen = !closed.has(key)
    const items = isOpen ? itemsOf(node.children, closed, key, level + 1) : []
    return { key, node, level, position: at + 1, siblings: nodes.length, isOpen, items }
  })
}

/** Gives the items from top to bottom. */
export function listed(items: readonly Item[]): readonly Item[] {
  return items.flatMap(item => [item, ...listed(item.items)])
}

/** Gives each shown item its place. */
export function place(items: readonly Item[]): PlacedTree {
  const root = hierarchy<{ item?: Item; items: readonly Item[] }>({ items }, ({ items }) =>
    items.map(item => ({ item, items: item.items })),
  )
  const laid = tree<{ item?: Item; items: readonly Item[] }>()
    .nodeSize([BESIDE, BEHIND])
    .separation((a, b) => (a.parent === b.parent ? 1 : 1.25))(root)
  const nodes = laid.descendants().filter(({ data }) => data.item !== undefined)
  const top = Math.min(...nodes.map(({ x }) => x)) - EDGE
  const xOf = (depth: number) => (depth - 1) * BEHIND + EDGE
  const boxes = nodes.flatMap(({ data: { item }, x, depth }) =>
    item === undefined ? [] : [{ item, x: xOf(depth), y: x - top }],
  )
  const lines = nodes.flatMap(({ data: { item }, x, depth, parent }) => {
    if (item === undefined || parent?.data.item === undefined) return []
    const [fromX, fromY] = [xOf(depth - 1) + BOX.width, parent.x - top + BOX.height / 2]
    const [toX, toY] = [xOf(depth), x - top + BOX.height / 2]
    const middle = (fromX + toX) / 2
    return [{ key: item.key, path: `M${fromX} ${fromY}C${middle} ${fromY} ${middle} ${toY} ${toX} ${toY}` }]
  })
  const width = Math.max(0, ...boxes.map(({ x }) => x)) + BOX.width + EDGE
  const height = Math.max(0, ...boxes.map(({ y }) => y)) + BOX.height + EDGE
  return { width, height, boxes, lines }
}
