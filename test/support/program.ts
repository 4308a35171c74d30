// Runs a program to its end.

import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

export interface Run {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly cwd?: string
  /** Added to the environment of the tests. */
  readonly env?: NodeJS.ProcessEnv
  /** Kills it, as a test's does when its time is up. */
  readonly signal?: AbortSignal
}

/** Resolves when `command` has ended and all it wrote was read, whatever its exit code. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Run> {
  const { cwd, env = {}, signal } = options
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      ...(cwd !== undefined && { cwd }),
      ...(signal !== undefined && { signal, killSignal: 'SIGKILL' as const }),
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', chunk => {
      stdout += chunk
    })
    child.stderr.on('data', chunk => {
      stderr += chunk
    })
    child.on('error', reject)
    child.on('close', (code, by) =>
      resolve({ code, stdout, stderr: by === null ? stderr : `${stderr}${by}` }),
    )
  })
}

/** Runs `command`, and throws an Error with all that it wrote unless it ends with the exit code 0. */
export async function succeed(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const { code, stdout, stderr } = await run(command, args, options)
  if (code !== 0) throw new Error(`${[command, ...args].join(' ')} ended with ${code}:\n${stdout}\n${stderr}`)
  return stdout
}

/** Runs the first of these files, given by their names, as TypeScript of a user beside the tests. */
export async function runFiles(files: Readonly<Record<string, string>>): Promise<Run> {
  const folder = await mkdtemp(join(root, 'test', '.tmp-'))
  try {
    for (const [name, source] of Object.entries(files)) await writeFile(join(folder, name), source)
    const [main = ''] = Object.keys(files)
    return await run(process.execPath, ['--import', 'tsx', join(folder, main)], { cwd: root })
  } finally {
    await rm(folder, { recursive: true })
  }
}
