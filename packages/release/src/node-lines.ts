/** Programs of other release lines of Node, which `npx` fetches: node --import tsx packages/release/src/node-lines.ts newest-lts */

import { fileURLToPath } from 'node:url'
import { run } from '../../../test/support/program.ts'
import { NODES } from './options.ts'

/** A program of Node. */
export interface NodeProgram {
  readonly version: string
  readonly path: string
  /** Whether its release line is in its long-term support. */
  readonly isLts: boolean
}

/** Milliseconds for one program to be fetched. */
const PATIENCE = 120_000

const FACTS =
  'JSON.stringify({ version: process.version, path: process.execPath, isLts: typeof process.release.lts === "string" })'

/** Fetches the newest Node of a release line; resolves to a sentence that says why it cannot be had. */
export async function fetchNode(line: string): Promise<NodeProgram | string> {
  try {
    const args = ['--yes', '--package', `node@${line}`, 'node', '--print', FACTS]
    const { code, stdout, stderr } = await run('npx', args, { signal: AbortSignal.timeout(PATIENCE) })
    if (code === 0) return JSON.parse(stdout)
    return `Node ${line} cannot be fetched: ${stderr.trim().split('\n').at(-1)}`
  } catch (error) {
    return `Node ${line} cannot be fetched: ${error}`
  }
}

/** Finds the newest of these release lines that is in its long-term support, as its program says of itself. */
export async function newestLts(
  lines: readonly string[],
  fetch: (line: string) => Promise<NodeProgram | string> = fetchNode,
): Promise<NodeProgram | string> {
  const reasons: string[] = []
  for (const line of [...lines].sort((a, b) => Number(b) - Number(a))) {
    const node = await fetch(line)
    if (typeof node !== 'string' && node.isLts) return node
    reasons.push(typeof node === 'string' ? node : `Node ${node.version} is not in its long-term support.`)
  }
  return reasons.join(' ')
}

if (process.argv[1] === fileURLToPath(import.meta.url) && process.argv[2] === 'newest-lts') {
  const node = await newestLts(NODES)
  if (typeof node === 'string') {
    console.error(node)
    process.exitCode = 1
  } else console.log(node.path)
}
