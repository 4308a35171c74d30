/** The options of the command, from its arguments. */

import { parseArgs } from 'node:util'

/** The release lines of Node that the packages run on. */
export const NODES: readonly string[] = ['20', '22', '24', '26']

export interface ReleaseOptions {
  /** Whether nothing is published, and the working tree stays as it is. */
  readonly dryRun: boolean
  /** Whether the sizes are written down, also in a dry run. */
  readonly record: boolean
  /** The release lines of Node on which the tests run. */
  readonly nodes: readonly string[]
  /** Parts of the paths of the test files that run; all, if there are none. */
  readonly tests: readonly string[]
}

/** Reads the arguments; throws an Error that names a wrong one. A release that is no dry run leaves no test out. */
export function optionsOf(args: readonly string[]): ReleaseOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      'dry-run': { type: 'boolean', default: false },
      record: { type: 'boolean', default: false },
      nodes: { type: 'string' },
      tests: { type: 'string' },
    },
  })
  const nodes = values.nodes?.split(',') ?? NODES
  const unknown = nodes.filter(node => !NODES.includes(node))
  if (unknown.length > 0) throw new Error(`--nodes may name ${NODES.join(', ')}, not ${unknown.join(', ')}.`)
  const tests = values.tests?.split(',') ?? []
  if (!values['dry-run'] && (tests.length > 0 || nodes.length < NODES.length)) {
    throw new Error('--nodes and --tests leave tests out, so they need --dry-run.')
  }
  return { dryRun: values['dry-run'], record: values.record, nodes, tests }
}
