/** The choice among nodes, where there are several. */

import { useView } from './use-connection.ts'

/** Gives the names of all nodes, and follows them. */
export function useNodes(): readonly string[] {
  const { value } = useView('nodes', {})
  return (value?.nodes ?? []).map(({ node }) => node)
}

interface NodeChoiceProps {
  readonly nodes: readonly string[]
  /** The node that is chosen; empty for none. */
  readonly node: string
  readonly onChoose: (node: string) => void
  /** The words for no choice. */
  readonly none?: string
}

/** Chooses the node that is looked at. */
export function NodeChoice({ nodes, node, onChoose, none = 'All nodes' }: NodeChoiceProps) {
  if (nodes.length < 2) return null
  return (
    <select aria-label="Node" value={node} onChange={event => onChoose(event.currentTarget.value)}>
      <option value="">{none}</option>
      {nodes.map(name => (
        <option key={name} value={name}>
          {name}
        </option>
      ))}
    </select>
  )
}
