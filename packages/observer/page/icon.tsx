/** The small drawings beside words; they say nothing that the words do not. */

const PATHS = {
  overview: 'M2 13h12M4 10l3-4 2.5 2.5L13 4',
  processes: 'M3 4h10M3 8h10M3 12h6',
  tree: 'M8 2.5v3M3.5 13v-2.5h9V13M8 5.5v5M6.5 2.5h3M2.5 13.5h2M7 13.5h2M11.5 13.5h2M8 10.5v3',
  connections: 'M2.5 8h3M10.5 8h3M5.5 5.5v5M10.5 5.5v5M7 8h2',
  nodes: 'M8 3.5 3.5 12h9zM8 3.5v.01M3.5 12v.01M12.5 12v.01',
  trace: 'M2 8h3l2-5 2.5 10L11.5 8H14',
  up: 'M4 10l4-4 4 4',
  down: 'M4 6l4 4 4-4',
} as const

export type IconName = keyof typeof PATHS

export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  )
}
