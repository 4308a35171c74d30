// A pseudo-terminal with the program in it, whose screen a test reads as a person does. It needs `script` and `stty`.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import headless, { type Terminal } from '@xterm/headless'

/** Why tests with a terminal are skipped; `false`: they are not. */
export const isMissing =
  ['/usr/bin/script', '/usr/bin/stty', '/bin/stty'].filter(existsSync).length >= 2
    ? false
    : 'script or stty is not installed'

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url))
/** Only what hangs takes longer. */
const PATIENCE = 60_000

/** Names of keys, as a terminal sends them. */
export const KEYS = {
  up: '\x1b[A',
  down: '\x1b[B',
  pageDown: '\x1b[6~',
  home: '\x1b[H',
  end: '\x1b[F',
  enter: '\r',
  escape: '\x1b',
  tab: '\t',
  backspace: '\x7f',
  interrupt: '\x03',
} as const

export interface Size {
  readonly cols: number
  readonly rows: number
}

export interface Session extends AsyncDisposable {
  readonly terminal: Terminal
  /** All bytes that have come. */
  readonly bytes: string
  /** The lines of the screen, without the blanks at their ends. */
  lines(): string[]
  /** Resolves to the lines once they hold what is waited for. */
  until(holds: (lines: readonly string[]) => boolean, what: string): Promise<string[]>
  /** Resolves once a line matches, and gives it. */
  line(pattern: RegExp): Promise<string>
  press(...keys: string[]): void
  resize(size: Size): void
  /** Resolves once the shell around the program has ended. */
  readonly ended: Promise<void>
}

/** Starts the program with these arguments. The shell says `before` first, and then `after` with the exit code. */
export async function session(
  args: readonly string[],
  size: Size = { cols: 100, rows: 30 },
  env: Record<string, string> = {},
): Promise<Session> {
  const { cols, rows } = size
  const program = [process.execPath, CLI, ...args].map(arg => `'${arg}'`).join(' ')
  const script = `stty cols ${cols} rows ${rows}; tty; echo before; ${program}; echo after $?; stty -a`
  const terminal = new headless.Terminal({ ...size, allowProposedApi: true })
  const { NO_COLOR: _, ...inherited } = process.env
  const child: ChildProcess = spawn('script', ['-qfec', script, '/dev/null'], {
    env: { ...inherited, TERM: 'xterm-256color', SHELL: '/bin/sh', ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const waiting = new Set<() => void>()
  let bytes = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    bytes += text
    terminal.write(text, () => {
      for (const look of waiting) look()
    })
  })
  const ended = new Promise<void>(resolve => child.on('close', () => terminal.write('', resolve)))
  const lines = () => {
    const { active } = terminal.buffer
    return Array.from(
      { length: terminal.rows },
      (_, row) => active.getLine(active.viewportY + row)?.translateToString(true) ?? '',
    )
  }
  const until: Session['until'] = (holds, what) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        waiting.delete(look)
        reject(new Error(`the screen has never shown ${what}:\n${lines().join('\n')}`))
      }, PATIENCE)
      const look = () => {
        const shown = lines()
        if (!holds(shown)) return
        waiting.delete(look)
        clearTimeout(timer)
        resolve(shown)
      }
      waiting.add(look)
      look()
    })
  const found = (pattern: RegExp) => lines().find(each => pattern.test(each)) as string
  const line: Session['line'] = async pattern => {
    await until(shown => shown.some(each => pattern.test(each)), String(pattern))
    return found(pattern)
  }
  return {
    terminal,
    get bytes() {
      return bytes
    },
    lines,
    until,
    line,
    press(...keys) {
      for (const key of keys) child.stdin?.write(key)
    },
    resize({ cols, rows }) {
      const device = /\/dev\/pts\/\d+/.exec(bytes)?.[0] as string
      terminal.resize(cols, rows)
      execFileSync('stty', ['-F', device, 'cols', String(cols), 'rows', String(rows)])
    },
    ended,
    async [Symbol.asyncDispose]() {
      // The shell goes on behind the program, and ends.
      if (child.exitCode === null) child.stdin?.write(KEYS.interrupt)
      await ended
      terminal.dispose()
    },
  }
}
