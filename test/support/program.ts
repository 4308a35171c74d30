// Runs a program to its end.

import { spawn } from 'node:child_process'

export interface Run {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly cwd?: string
  /** Added to the environment of the tests. */
  readonly env?: NodeJS.ProcessEnv
}

/** Resolves when `command` has ended and all it wrote was read, whatever its exit code. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Run> {
  const { cwd, env = {} } = options
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      ...(cwd !== undefined && { cwd }),
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
    child.on('close', code => resolve({ code, stdout, stderr }))
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
