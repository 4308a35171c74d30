// Everybody can use the page: with the keyboard alone, in light and dark, in a narrow window, and through a reader of screens.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Observer, startObserver } from '@holster/observer'
import type { Browser, Page } from 'playwright-core'
import { type Look, launch, open, overflow, skip, violations } from '../../../../test/support/browser.ts'
import { crowd, type LiveSystem, liveSystem } from './live-system.ts'

const MANY = 100_000
const LOOKS: readonly (readonly [name: string, look: Look])[] = [
  ['in light', { colorScheme: 'light' }],
  ['in dark', { colorScheme: 'dark' }],
  ['at 360 px', { colorScheme: 'light', viewport: { width: 360, height: 740 } }],
]

describe('the page is for everybody', { skip }, () => {
  let browser: Browser
  let system: LiveSystem
  let observer: Observer

  before(async () => {
    browser = await launch()
    system = await liveSystem()
    observer = await startObserver({ log: false, allowActions: true, token: true })
  })

  after(async () => {
    await observer.stop()
    await system[Symbol.asyncDispose]()
    await browser.close()
  })

  const subject = (kind: string, id: unknown) =>
    `/${kind}/${encodeURIComponent('nonode@nohost')}/${encodeURIComponent(String(id))}`
  /** Each page, and what is there once it is shown. */
  const pages: readonly (readonly [name: string, route: () => string, shown: string])[] = [
    ['overview', () => '/', '.plot canvas'],
    ['processes', () => '/processes', '.grid-body .row-link'],
    ['process', () => subject('process', system.ledger.id), '.mailbox li'],
    ['tree', () => '/tree', '.tree-box'],
    ['connections', () => '/connections', '.grid-body .row-link'],
    ['connection', () => subject('connection', system.live), '.chart-state.lit'],
    ['nodes', () => '/nodes', 'td'],
    ['trace', () => subject('trace/process', system.ledger.id), '.grid'],
  ]

  for (const [look, options] of LOOKS) {
    for (const [name, route, shown] of pages) {
      test(`axe finds nothing wrong on the page ${name} ${look}, which fits into its window`, async () => {
        await using opened = await open(browser, observer.url, options)
        await opened.go(route())
        await opened.page.locator(shown).first().waitFor()
        assert.deepEqual(await violations(opened.page), [])
        assert.ok((await overflow(opened.page)) <= 0)
      })
    }

    test(`axe finds nothing wrong in the form for the token ${look}`, async () => {
      await using opened = await open(browser, new URL('/', observer.url).href, options)
      await opened.page.getByLabel('Token').waitFor()
      assert.deepEqual(await violations(opened.page), [])
    })
  }

  async function focused(page: Page): Promise<string> {
    return String(
      await page.evaluate(
        'document.activeElement.getAttribute("aria-label") ?? document.activeElement.textContent',
      ),
    )
  }

  test('the tabulator leads from the first link to the table, and the arrows to a process', async () => {
    await using opened = await open(browser, observer.url)
    const { page, go } = opened
    await go('/processes')
    await page.locator('.grid-body .row-link').first().waitFor()
    await page.getByRole('button', { name: 'Skip to the page' }).focus()
    await page.keyboard.press('Enter')
    const seen = []
    while (seen.at(-1) !== 'Processes' && seen.length < 20) {
      await page.keyboard.press('Tab')
      seen.push(await focused(page))
    }
    assert.deepEqual(seen, ['Filter processes', 'Hold', 'Processes'])
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('ArrowUp')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'ledger' }).waitFor()
  })

  test('columns are sorted with the keyboard', async () => {
    await using opened = await open(browser, observer.url)
    const { page, go } = opened
    await go('/processes')
    await page.getByRole('button', { name: 'Bytes' }).focus()
    await page.keyboard.press('Enter')
    await page.locator('[aria-sort=descending]', { hasText: 'Bytes' }).waitFor()
    await page.keyboard.press('Enter')
    await page.locator('[aria-sort=ascending]', { hasText: 'Bytes' }).waitFor()
  })

  test('of 100,000 processes fewer than 100 are in the page, and the last one can be reached', async () => {
    const end = crowd(MANY)
    await using opened = await open(browser, observer.url)
    const { page, go } = opened
    await go('/processes')
    await page.getByRole('searchbox').fill('member')
    await page.getByText('100,000 of').waitFor()
    const rows = page.locator('.grid-body .grid-row')
    assert.ok((await rows.count()) < 100)
    await page.getByRole('grid').focus()
    await page.keyboard.press('End')
    const last = page.locator(`.grid-row[aria-rowindex="${MANY + 1}"]`)
    await last.getByText('member').waitFor()
    assert.ok(await last.isVisible())
    assert.ok((await rows.count()) < 100)
    await page.keyboard.press('Home')
    await page.locator('.grid-row[aria-rowindex="2"]').getByText('member').waitFor()
    await end()
  })
})
