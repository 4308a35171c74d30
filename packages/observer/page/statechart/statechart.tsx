/** The statechart of connections, with the states lit in which one is now. */

import chart from 'holster:statechart'
import { useEffect, useRef } from 'preact/hooks'
import type { ChartArrow, ChartState } from './chart.ts'

interface StatechartProps {
  readonly states: readonly string[]
  /** Whether all of it is shown, rather than what is around the present state. */
  readonly isWhole: boolean
}

export function Statechart({ states, isWhole }: StatechartProps) {
  const box = useRef<HTMLElement>(null)
  const innermost = states.reduce((longest, path) => (path.length > longest.length ? path : longest), '')

  useEffect(() => {
    const element = box.current
    const state = chart.states.find(({ path }) => path === innermost)
    if (element === null || state === undefined) return
    const scale = element.scrollHeight / chart.height
    element.scrollTop = (state.y + state.height / 2) * scale - element.clientHeight / 2
    element.scrollLeft = (state.x + state.width / 2) * scale - element.clientWidth / 2
  }, [innermost, isWhole])

  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reached by the keyboard.
    <section class={isWhole ? 'chart whole' : 'chart'} aria-label="Statechart" ref={box} tabIndex={0}>
      <svg
        viewBox={`0 0 ${chart.width} ${chart.height}`}
        role="img"
        aria-label={`In the states ${states.join(', ')}`}
      >
        <defs>
          <marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">
            <path d="M0 1 7 4 0 7z" />
          </marker>
        </defs>
        {chart.states.map(state => (
          <State key={state.path} state={state} isLit={states.includes(state.path)} />
        ))}
        {chart.arrows.map(arrow => (
          <Arrow key={`${arrow.from} ${arrow.to}`} arrow={arrow} isNext={isNext(arrow, states)} />
        ))}
      </svg>
    </section>
  )
}

/** Whether an arrow leads out of a state that is lit. */
function isNext({ from }: ChartArrow, states: readonly string[]): boolean {
  const [path = '', part] = from.split(':')
  if (part === 'initial') return false
  if (part === 'group') return states.length > 0 && !states.some(state => GROUPED_OUT.test(state))
  return states.includes(path)
}

/** The states around which there is no frame. */
const GROUPED_OUT = /^(connected|closing|not_connected|terminated)/

function State({ state, isLit }: { readonly state: ChartState; readonly isLit: boolean }) {
  const { kind, x, y, width, height, text, isParent } = state
  if (kind === 'initial') return <circle class="chart-dot" cx={x + width / 2} cy={y + height / 2} r={4} />
  return (
    <g class={`chart-state ${kind}${isParent ? ' parent' : ''}${isLit ? ' lit' : ''}`}>
      <rect x={x} y={y} width={width} height={height} rx={kind === 'any' ? height / 2 : 7} />
      {kind === 'final' && <rect x={x + 3} y={y + 3} width={width - 6} height={height - 6} rx={5} />}
      <text
        x={isParent ? x + 12 : x + width / 2}
        y={isParent ? y + 19 : y + height / 2 + 4}
        text-anchor={isParent ? 'start' : 'middle'}
      >
        {text}
      </text>
    </g>
  )
}

function Arrow({
  arrow: { points, labels },
  isNext,
}: {
  readonly arrow: ChartArrow
  readonly isNext: boolean
}) {
  return (
    <g class={isNext ? 'chart-arrow next' : 'chart-arrow'}>
      <path d={`M${points.map(([x, y]) => `${x} ${y}`).join('L')}`} marker-end="url(#tip)" />
      {labels.map(({ text, x, y }) => (
        <text key={text} x={x} y={y} text-anchor="middle">
          {text}
        </text>
      ))}
    </g>
  )
}
