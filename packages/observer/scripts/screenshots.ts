/** Takes the pictures of docs/guide/observer from a program that lives: npm run screenshots */

import { mkdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { startNode, stopNode, workers } from '@holster/node'
import { startObserver } from '@holster/observer'
import type { Page } from 'playwright-core'
import { type Look, launch, type Opened, open, skip } from '../../../test/support/browser.ts'
import { type LiveSystem, liveSystem } from '../test/page/live-system.ts'

/** The folder of the pictures. */
const FOLDER = fileURLToPath(new URL('../../../docs/guide/observer/', import.meta.url))
/** The name of its node. */
const NODE = 'shop'
/** How long the program lives before it is shown, so that the plots have something to show, in milliseconds. */
const LIFE = 150_000
/** How long a page is looked at before its picture is taken, in milliseconds. */
const SETTLE = 3500

interface Picture {
  readonly name: string
  readonly route: string
  readonly look?: Look
  readonly prepare?: (page: Page) => Promise<void>
}

function picturesOf({ ledger, quotes, live }: LiveSystem): readonly Picture[] {
  const of = (kind: string, id: unknown) =>
    `/${kind}/${encodeURIComponent(NODE)}/${encodeURIComponent(String(id))}`
  return [
    { name: 'overview', route: '/' },
    { name: 'overview-dark', route: '/', look: { colorScheme: 'dark' } },
    { name: 'overview-narrow', route: '/', look: { viewport: { width: 390, height: 844 } } },
    { name: 'processes', route: '/processes' },
    { name: 'process', route: of('process', ledger.id) },
    { name: 'tree', route: '/tree' },
    { name: 'connections', route: '/connections' },
    { name: 'connection', route: of('connection', live), look: { viewport: { width: 1200, height: 1300 } } },
    { name: 'nodes', route: '/nodes' },
    {
      name: 'trace',
      route: of('trace/process', quotes.id),
      look: { viewport: { width: 1200, height: 700 } },
      prepare: async page => {
        await page.getByRole('button', { name: 'Start' }).click()
        await page.locator('.grid-body .grid-row').nth(2).click()
      },
    },
  ]
}

/** Lets things happen, until the function that is returned is called. */
function stir(system: LiveSystem): () => void {
  let price = 100
  let orders = 0
  const quoting = setInterval(() => {
    price += Math.round((Math.random() - 0.5) * 10)
    system.quote(price)
  }, 150)
  const ordering = setInterval(() => {
    orders += 1
    system.order(orders)
  }, 400)
  const crashing = setInterval(() => void system.crash(), 9000)
  return () => {
    for (const timer of [quoting, ordering, crashing]) clearInterval(timer)
  }
}

async function take({ page, go }: Opened, { name, route, prepare }: Picture): Promise<void> {
  await go(route)
  await prepare?.(page)
  await page.waitForTimeout(SETTLE)
  await page.screenshot({ path: `${FOLDER}${name}.png` })
}

async function main(): Promise<void> {
  if (skip !== false) throw new Error(skip)
  await mkdir(FOLDER, { recursive: true })
  const browser = await launch()
  await startNode({ name: NODE })
  const threads = await workers(2)
  const system = await liveSystem()
  const observer = await startObserver({ log: false })
  const rest = stir(system)
  const onlooker = await open(browser, observer.url)
  await new Promise(resolve => setTimeout(resolve, LIFE))
  for (const picture of picturesOf(system)) {
    await using opened = await open(browser, observer.url, picture.look)
    await take(opened, picture)
  }
  await onlooker[Symbol.asyncDispose]()
  rest()
  await observer.stop()
  await system[Symbol.asyncDispose]()
  await threads.stop()
  await stopNode()
  await browser.close()
}

await main()
