/** The drawing of a tree of supervisors. Those who cannot see it have the outline, which says the same. */

import { useLayoutEffect, useRef } from 'preact/hooks'
import { hrefOfRef } from '../route.ts'
import { BOX, type Item, type Placed, place } from './placed-tree.ts'

interface TreeDrawingProps {
  readonly items: readonly Item[]
  readonly now: number
  readonly onToggle: (key: string) => void
}

/** How long a restart is shown, in milliseconds. */
const FRESH = 5000
/** How many letters a box has room for: in its first line, there beside the restarts, and in its second. */
const ROOM = { id: 21, besideRestarts: 15, more: 26 }

export function TreeDrawing({ items, now, onToggle }: TreeDrawingProps) {
  const { width, height, boxes, lines } = place(items)
  const drawing = useRef<HTMLDivElement>(null)
  const top = Math.min(...boxes.filter(({ item }) => item.level === 1).map(({ y }) => y))
  // A root stands in the middle of its children, which may be far below the top.
  useLayoutEffect(() => {
    const { current } = drawing
    if (current !== null) current.scrollTop = Math.max(0, top - current.clientHeight / 2)
  }, [])
  return (
    <div class="drawing" ref={drawing}>
      <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
        {lines.map(({ key, path }) => (
          <path key={key} class="tree-line" d={path} />
        ))}
        {boxes.map(box => (
          <Box key={box.item.key} {...box} now={now} onToggle={onToggle} />
        ))}
      </svg>
    </div>
  )
}

function Box({
  item,
  x,
  y,
  now,
  onToggle,
}: Placed & { readonly now: number; readonly onToggle: (key: string) => void }) {
  const { node, key, isOpen } = item
  const href = node.ref === undefined ? undefined : hrefOfRef(node.ref)
  const isFresh = node.restartedAt !== undefined && now - node.restartedAt < FRESH
  const inside = (
    <>
      <rect width={BOX.width} height={BOX.height} rx={node.type === 'supervisor' ? 8 : 21} />
      <text class="tree-id" x={14} y={18}>
        {shortened(node.id, node.restarts > 0 ? ROOM.besideRestarts : ROOM.id)}
      </text>
      <text class="tree-more" x={14} y={33}>
        {shortened(wordsOf(item), ROOM.more)}
      </text>
    </>
  )
  return (
    <g
      class={`tree-box ${node.type} ${node.state}${isFresh ? ' fresh' : ''}`}
      transform={`translate(${x} ${y})`}
    >
      {isFresh && <rect key={node.restartedAt} class="pulse" width={BOX.width} height={BOX.height} rx={8} />}
      {href === undefined ? (
        inside
      ) : (
        <a href={href} tabindex={-1}>
          {inside}
        </a>
      )}
      {node.restarts > 0 && (
        <text class="tree-restarts" x={BOX.width - 14} y={18} text-anchor="end">
          {`↻ ${node.restarts}`}
        </text>
      )}
      {node.children.length > 0 && (
        // biome-ignore lint/a11y/noStaticElementInteractions: the outline below does the same with the keyboard.
        <g
          class="tree-toggle"
          transform={`translate(${BOX.width} ${BOX.height / 2})`}
          onClick={() => onToggle(key)}
        >
          <circle r={9} />
          <path d={isOpen ? 'M-4 0h8' : 'M-4 0h8M0 -4v8'} />
        </g>
      )}
    </g>
  )
}

/** Says what stands under the id of a node. */
function wordsOf({ node, isOpen }: Item): string {
  if (node.state !== 'running') return node.state
  const hidden = isOpen ? node.omitted : node.children.length + node.omitted
  const more = hidden > 0 ? `, ${hidden} more` : ''
  return `${node.strategy ?? node.ref?.text ?? node.type}${more}`
}

function shortened(text: string, room: number): string {
  return text.length > room ? `${text.slice(0, room - 1)}…` : text
}
