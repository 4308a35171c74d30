// Debian's Chromium, and pages of an observer in it that tell what went wrong in them.

import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { type Browser, chromium, type Page } from 'playwright-core'

/** Where Chromium is. */
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium'
const ARGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]
/** How long something may take to be shown, in milliseconds; only what hangs takes as long. */
export const PATIENCE = 60_000

/** Why tests with a browser are skipped; `false` if they are not. */
export const skip = existsSync(CHROMIUM)
  ? false
  : `there is no Chromium at ${CHROMIUM}: apt-get install chromium`

/** Starts Chromium. */
export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: ARGS, timeout: PATIENCE })
}

/** How a page is looked at. */
export interface Look {
  readonly colorScheme?: 'light' | 'dark'
  readonly viewport?: { readonly width: number; readonly height: number }
  readonly reducedMotion?: 'reduce' | 'no-preference'
  /** Whether the observer may be out of reach, which the browser notes as an error. */
  readonly mayLose?: boolean
}

/** A page in a window of its own. */
export interface Opened extends AsyncDisposable {
  readonly page: Page
  /** Goes to a route of the page, such as `/processes`. */
  go(route: string): Promise<void>
}

/** Opens a page. Once disposed of, it fails if there were errors in it, or if it asked anybody else for anything. */
export async function open(browser: Browser, url: string, look: Look = {}): Promise<Opened> {
  const { colorScheme = 'light', viewport = { width: 1200, height: 800 }, reducedMotion = 'reduce' } = look
  const context = await browser.newContext({ colorScheme, viewport, reducedMotion, acceptDownloads: true })
  context.setDefaultTimeout(PATIENCE)
  const page = await context.newPage()
  const wrong: string[] = []
  const expected = look.mayLose === true ? /401|ERR_CONNECTION|WebSocket/ : /status of 401/
  page.on('console', message => {
    if (message.type() === 'error' && !expected.test(message.text())) wrong.push(`console: ${message.text()}`)
  })
  page.on('pageerror', error => wrong.push(`error: ${error.message}`))
  page.on('dialog', dialog => {
    wrong.push(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  const { host } = new URL(url)
  page.on('request', request => {
    const asked = new URL(request.url())
    if (asked.host !== host && !['data:', 'blob:'].includes(asked.protocol))
      wrong.push(`asks ${request.url()}`)
  })
  await page.goto(url)
  return {
    page,
    go: async route => {
      await page.evaluate(`location.hash = ${JSON.stringify(`#${route}`)}`)
    },
    async [Symbol.asyncDispose]() {
      await context.close()
      assert.deepEqual(wrong, [])
    },
  }
}

const axe = readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** Gives what axe finds wrong, in words. */
export async function violations(page: Page): Promise<readonly string[]> {
  // The policy of the page forbids the script of axe as a tag, and not where the debugger evaluates it.
  await page.evaluate(await axe)
  const found = (await page.evaluate(`axe.run(document, { resultTypes: ['violations'] })`)) as {
    readonly violations: readonly {
      readonly id: string
      readonly nodes: readonly { readonly html: string }[]
    }[]
  }
  return found.violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`))
}

/** Gives how many pixels the page is wider than its window. */
export function overflow(page: Page): Promise<number> {
  return page.evaluate(`document.documentElement.scrollWidth - innerWidth`)
}
