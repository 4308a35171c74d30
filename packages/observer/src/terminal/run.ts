/** The program `holster-observer`: its arguments, its terminal, and its exit code. */

import { versionOfPackage } from '../version.js'
import { App } from './app.js'
import { type Arguments, readArguments } from './arguments.js'
import { Keys } from './keys.js'
import { type Line, type Paint, paint } from './line.js'
import { explain, Link } from './link.js'
import { lookOnce, overviewOnce } from './once.js'
import { Screen } from './screen.js'

/** How wide a table is that is printed to no terminal. */
const PRINTED_WIDTH = 160
/** Times go on while nothing else changes. */
const TICK = 1000
const NAME = 'holster-observer'

/** Runs the program, and resolves to its exit code. */
export async function run(args: readonly string[]): Promise<number> {
  let read: ReturnType<typeof readArguments>
  try {
    read = readArguments(args, process.env, versionOfPackage())
  } catch (error) {
    return fail(`${(error as Error).message}\nTry: ${NAME} --help`)
  }
  if ('text' in read) {
    process.stdout.write(read.text)
    return 0
  }
  const hasTerminal = process.stdin.isTTY === true && process.stdout.isTTY === true
  try {
    if (read.print === 'json') return await printJson(read)
    if (read.print === 'table' || !hasTerminal) return await printTable(read)
    return await live(read)
  } catch (error) {
    return fail(explain(read.url, error as Error))
  }
}

function fail(text: string): number {
  process.stderr.write(`${NAME}: ${text}\n`)
  return 1
}

async function printJson(args: Arguments): Promise<number> {
  process.stdout.write(`${JSON.stringify(await overviewOnce(args), undefined, 2)}\n`)
  return 0
}

async function printTable(args: Arguments): Promise<number> {
  const { isTTY, columns } = process.stdout
  const width = isTTY ? columns : PRINTED_WIDTH
  const lines = await lookOnce(args, width)
  const text = lines.map(line => paint(line, width, paintOf(isTTY === true)).trimEnd())
  process.stdout.write(`${text.join('\n')}\n`)
  return 0
}

/** How to paint; https://no-color.org. */
function paintOf(hasLooks: boolean): Paint {
  const { NO_COLOR } = process.env
  return { hasLooks, hasColours: hasLooks && (NO_COLOR === undefined || NO_COLOR === '') }
}

/** Shows the view that lives, until the user quits. Rejects if there is no use in trying again. */
async function live({ url, token, view }: Arguments): Promise<number> {
  const screen = new Screen(process.stdin, process.stdout)
  const painting = paintOf(true)
  let end: (error?: Error) => void = () => {}
  const ended = new Promise<void>((resolve, reject) => {
    end = error => (error === undefined ? resolve() : reject(error))
  })
  let isDue = false
  const draw = () => {
    isDue = false
    const { width, height } = screen
    screen.show(app.lines(width, height).map((line: Line) => paint(line, width, painting)))
  }
  const soon = () => {
    if (isDue) return
    isDue = true
    setImmediate(draw)
  }
  const after =
    <Args extends unknown[]>(act: (...args: Args) => void) =>
    (...args: Args) => {
      act(...args)
      soon()
    }
  const link = new Link(url, token, {
    onHello: after(hello => app.onHello(hello)),
    onTold: after(told => app.onTold(told)),
    onLost: after(why => app.onLost(why)),
    onFailed: error => end(error),
  })
  const app = new App(link, view, () => end())
  const keys = new Keys(after(key => (key === 'ctrl-l' ? screen.forget() : app.press(key))))
  const listeners = {
    data: (bytes: Buffer) => keys.push(bytes),
    resize: after(() => screen.forget()),
    stop: () => end(),
    exit: () => screen.close(),
  }
  const tick = setInterval(soon, TICK)
  process.stdin.on('data', listeners.data).on('end', listeners.stop)
  process.stdout.on('resize', listeners.resize)
  for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT'] as const) process.on(signal, listeners.stop)
  // Whatever ends the program, the terminal is given back.
  process.on('exit', listeners.exit)
  screen.open()
  soon()
  try {
    await ended
  } finally {
    screen.close()
    link.stop()
    clearInterval(tick)
    keys.close()
    process.stdin.off('data', listeners.data).pause()
  }
  return 0
}
