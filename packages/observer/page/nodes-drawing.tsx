/** A drawing of nodes around a circle, and the links between them. The tables beside it say the same. */

import type { LinkRow, NodeRow } from '../src/words.ts'
import { percent } from './units.ts'

const BOX = { width: 168, height: 44 }
const EDGE = 10
const HEIGHT = 340
const WIDTH = 720
/** The thickness of a line for each factor of ten of packets, in pixels. */
const THICK = 0.7

export function NodesDrawing({
  nodes,
  links,
}: {
  readonly nodes: readonly NodeRow[]
  readonly links: readonly LinkRow[]
}) {
  const places = new Map(nodes.map(({ node }, at) => [node, placeOf(at, nodes.length)]))
  const lowest = Math.max(...[...places.values()].map(({ y }) => y)) + BOX.height / 2 + EDGE
  return (
    <div class="drawing">
      <svg class="fitting" viewBox={`0 0 ${WIDTH} ${lowest}`} aria-hidden="true">
        {pairsOf(links).map(({ key, from, to, packets, isWaiting }) => {
          const [a, b] = [places.get(from), places.get(to)]
          if (a === undefined || b === undefined) return null
          return (
            <line
              key={key}
              class={isWaiting ? 'node-link waiting' : 'node-link'}
              x1={a.x}
              y1={a.y}
              x2={b.x}
              y2={b.y}
              stroke-width={1 + THICK * Math.log10(1 + packets)}
            />
          )
        })}
        {nodes.map(row => (
          <Node key={row.node} row={row} {...(places.get(row.node) ?? { x: 0, y: 0 })} />
        ))}
      </svg>
    </div>
  )
}

function Node({ row, x, y }: { readonly row: NodeRow; readonly x: number; readonly y: number }) {
  const { node, isHere, problem, sample } = row
  const name = node.length > 22 ? `${node.slice(0, 21)}…` : node
  return (
    <g
      class={`node-box${isHere ? ' here' : ''}${problem === undefined ? '' : ' unknown'}`}
      transform={`translate(${x - BOX.width / 2} ${y - BOX.height / 2})`}
    >
      <rect width={BOX.width} height={BOX.height} rx={9} />
      <text class="tree-id" x={BOX.width / 2} y={19} text-anchor="middle">
        {name}
      </text>
      <text class="tree-more" x={BOX.width / 2} y={34} text-anchor="middle">
        {sample === undefined ? 'not seen into' : `CPU ${percent(sample.cpu)}`}
      </text>
    </g>
  )
}

function placeOf(at: number, all: number): { x: number; y: number } {
  const angle = (2 * Math.PI * at) / all - Math.PI / 2
  return {
    x: WIDTH / 2 + Math.cos(angle) * (WIDTH / 2 - BOX.width / 2 - EDGE),
    y: HEIGHT / 2 + Math.sin(angle) * (HEIGHT / 2 - BOX.height / 2 - EDGE),
  }
}

/** Gives one line for the two directions between two nodes. */
function pairsOf(links: readonly LinkRow[]) {
  const pairs = new Map<
    string,
    { key: string; from: string; to: string; packets: number; isWaiting: boolean }
  >()
  for (const { from, to, sent, waiting } of links) {
    const key = [from, to].sort().join(' ')
    const { packets = 0, isWaiting = false } = pairs.get(key) ?? {}
    pairs.set(key, { key, from, to, packets: packets + sent, isWaiting: isWaiting || waiting > 0 })
  }
  return [...pairs.values()]
}
