/** The outline of a tree of supervisors, which the arrow keys walk through. */

import { useRef, useState } from 'preact/hooks'
import { RefLink } from '../ref-link.tsx'
import { hrefOfRef } from '../route.ts'
import { counted, span } from '../units.ts'
import { type Item, listed } from './placed-tree.ts'

interface TreeOutlineProps {
  readonly items: readonly Item[]
  readonly now: number
  readonly onToggle: (key: string) => void
}

export function TreeOutline({ items, now, onToggle }: TreeOutlineProps) {
  const list = useRef<HTMLDivElement>(null)
  const all = listed(items)
  const [chosen, setChosen] = useState('')
  const at = Math.max(
    0,
    all.findIndex(({ key }) => key === chosen),
  )
  const go = (to: number) => {
    const item = all[Math.max(0, Math.min(to, all.length - 1))]
    if (item === undefined) return
    setChosen(item.key)
    list.current?.querySelectorAll<HTMLElement>('[role=treeitem]')[all.indexOf(item)]?.focus()
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const item = all[at]
    if (item === undefined || !act(event.key, item)) return
    event.preventDefault()
  }
  const act = (key: string, item: Item): boolean => {
    const hasChildren = item.node.children.length > 0
    const above = all.findLastIndex(({ level }, index) => index < at && level < item.level)
    if (key === 'ArrowDown') go(at + 1)
    else if (key === 'ArrowUp') go(at - 1)
    else if (key === 'Home') go(0)
    else if (key === 'End') go(all.length - 1)
    else if (key === 'ArrowRight' && hasChildren) item.isOpen ? go(at + 1) : onToggle(item.key)
    else if (key === 'ArrowLeft') hasChildren && item.isOpen ? onToggle(item.key) : above >= 0 && go(above)
    else if (key === 'Enter' || key === ' ') open(item)
    else return false
    return true
  }
  const open = ({ node }: Item) => {
    const href = node.ref === undefined ? undefined : hrefOfRef(node.ref)
    if (href !== undefined) location.hash = href
  }
  return (
    <div
      class="outline"
      role="tree"
      aria-label="Supervisors and their children"
      ref={list}
      onKeyDown={onKeyDown}
    >
      {all.map((item, index) => (
        <OutlineItem
          key={item.key}
          item={item}
          now={now}
          isChosen={index === at}
          onChoose={() => setChosen(item.key)}
          onToggle={() => onToggle(item.key)}
        />
      ))}
    </div>
  )
}

interface OutlineItemProps {
  readonly item: Item
  readonly now: number
  readonly isChosen: boolean
  readonly onChoose: () => void
  readonly onToggle: () => void
}

function OutlineItem({ item, now, isChosen, onChoose, onToggle }: OutlineItemProps) {
  const { node, level, position, siblings, isOpen } = item
  const hasChildren = node.children.length > 0
  return (
    <div
      role="treeitem"
      aria-level={level}
      aria-posinset={position}
      aria-setsize={siblings}
      aria-expanded={hasChildren ? isOpen : undefined}
      aria-selected={isChosen}
      tabIndex={isChosen ? 0 : -1}
      style={{ '--level': String(level - 1) }}
      onFocus={onChoose}
    >
      <span
        class={`twist${hasChildren ? (isOpen ? ' open' : ' closed') : ''}`}
        aria-hidden="true"
        onClick={onToggle}
      />
      <span class={`dot ${node.state === 'running' ? 'good' : node.state === 'restarting' ? 'warn' : ''}`} />
      {node.ref?.text !== node.id && <span class="outline-id">{node.id}</span>}
      {node.ref !== undefined && (
        <span class="outline-ref">
          <RefLink about={node.ref} />
        </span>
      )}
      <span class="quiet">{wordsOf(item, now)}</span>
    </div>
  )
}

function wordsOf({ node }: Item, now: number): string {
  const restarted = node.restartedAt === undefined ? '' : `, ${span(now - node.restartedAt)} ago`
  return [
    node.type === 'supervisor' ? `supervisor ${node.strategy ?? ''}`.trim() : 'worker',
    node.state === 'running' ? undefined : node.state,
    node.restarts === 0 ? undefined : `${counted(node.restarts, 'restart')}${restarted}`,
    node.lastReason === undefined ? undefined : `ended last with ${node.lastReason}`,
    node.omitted === 0 ? undefined : `${counted(node.omitted, 'more child', 'more children')} not shown`,
  ]
    .filter(part => part !== undefined)
    .join(' · ')
}
