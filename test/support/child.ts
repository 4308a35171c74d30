// A part of a test as a process of its own, so that what ends the process fails one test and not the runner.

import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Runs a file below test/ to its end, garbage collection exposed. Rejects with all that it has printed unless it ends with 0. */
export function runAlone(file: string, args: readonly string[] = [], signal?: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--expose-gc', '--import', 'tsx', `test/${file}`, ...args], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(signal === undefined ? {} : { signal, killSignal: 'SIGKILL' }),
    })
    let output = ''
    const hear = (chunk: Buffer): void => {
      output += chunk
    }
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    child.on('error', reject)
    child.on('close', (code, by) => {
      if (code === 0) resolve(output)
      else reject(new Error(`${file} ${args.join(' ')} ended with ${by ?? code}:\n${output.slice(-4000)}`))
    })
  })
}
