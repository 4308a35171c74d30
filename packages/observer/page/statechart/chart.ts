/** A drawing of a statechart: boxes and arrows, with places in pixels. */

/** A state, the dot where a life begins, or a frame around states that end alike. */
export interface ChartState {
  /** The path of its keys: `connected.connected.accepting`. */
  readonly path: string
  readonly text: string
  readonly kind: 'state' | 'initial' | 'any' | 'final' | 'group'
  readonly isParent: boolean
  readonly depth: number
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** An arrow between two states. */
export interface ChartArrow {
  readonly from: string
  readonly to: string
  /** The corners of its line. */
  readonly points: readonly (readonly [x: number, y: number])[]
  readonly labels: readonly { readonly text: string; readonly x: number; readonly y: number }[]
}

export interface Chart {
  readonly width: number
  readonly height: number
  /** The states, each behind the one around it. */
  readonly states: readonly ChartState[]
  readonly arrows: readonly ChartArrow[]
}
