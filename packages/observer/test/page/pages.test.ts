// Each page shows the facts of a program that lives, and what is shown follows it.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Observer, startObserver } from '@holster/observer'
import type { Browser } from 'playwright-core'
import { launch, open, skip } from '../../../../test/support/browser.ts'
import { IMAGE, type LiveSystem, liveSystem, ORDERS, SCRIPT } from './live-system.ts'

const node = 'nonode@nohost'

describe('the page', { skip }, () => {
  let browser: Browser
  let system: LiveSystem
  let observer: Observer

  before(async () => {
    browser = await launch()
    system = await liveSystem()
    observer = await startObserver({ log: false })
  })

  after(async () => {
    await observer.stop()
    await system[Symbol.asyncDispose]()
    await browser.close()
  })

  const routeOf = (kind: string, id: string) =>
    `/${kind}/${encodeURIComponent(node)}/${encodeURIComponent(id)}`

  test('the overview counts, plots, and says what stands out', async () => {
    await using opened = await open(browser, observer.url)
    const { page } = opened
    await page.getByRole('heading', { name: 'Overview' }).waitFor()
    await page.getByRole('link', { name: /\d+ processes/ }).waitFor()
    await page.locator('.findings li', { hasText: 'is over its mark' }).first().waitFor()
    assert.equal(await page.locator('.plot canvas').count(), 8)
    await page.getByText('Counted only while somebody looks.').waitFor()
    await page.getByText('Measured only while somebody looks.').waitFor()
  })

  test('a finding leads to the process that it is about, and back', async () => {
    await using opened = await open(browser, observer.url)
    const { page } = opened
    const finding = page.locator('.findings li', { hasText: 'is over its mark' }).first()
    await finding.getByRole('link').click()
    await page.getByRole('heading', { name: 'ledger' }).waitFor()
    await page.goBack()
    await page.getByRole('heading', { name: 'Overview' }).waitFor()
    await page.goForward()
    await page.getByRole('heading', { name: 'ledger' }).waitFor()
  })

  test('the table of processes is sorted and filtered by the program', async () => {
    await using opened = await open(browser, observer.url)
    const { page, go } = opened
    await go('/processes')
    const rows = page.getByRole('grid', { name: 'Processes' }).getByRole('row')
    await rows.nth(1).getByText('ledger').waitFor()
    await rows.nth(1).getByText(String(ORDERS)).waitFor()
    await page.getByRole('button', { name: 'Name' }).click()
    await page
      .getByRole('columnheader', { name: 'Name' })
      .and(page.locator('[aria-sort=ascending]'))
      .waitFor()
    await page.getByRole('searchbox').fill('FEED')
    await page.getByRole('grid').and(page.locator('[aria-rowcount="5"]')).waitFor()
    await rows.nth(1).getByText('feed').first().waitFor()
  })

  test('the table of processes is sorted by the age of the oldest message, and by how long messages waited', async () => {
    await using opened = await open(browser, observer.url)
    const { page, go } = opened
    await go('/processes')
    const rows = page.getByRole('grid', { name: 'Processes' }).getByRole('row')
    const header = (name: string) => page.getByRole('columnheader', { name })
    await page.getByRole('button', { name: 'Oldest' }).click()
    await header('Oldest').and(page.locator('[aria-sort=ascending]')).waitFor()
    // The orders came before anybody looked.
    await rows.nth(1).getByText('ledger').waitFor()
    await rows
      .nth(1)
      .getByText(/^> \d+ s$/)
      .first()
      .waitFor()
    await page.getByRole('button', { name: 'Waited' }).click()
    await header('Waited').and(page.locator('[aria-sort=descending]')).waitFor()
    system.quote(1)
    await page
      .getByRole('row', { name: /quotes/ })
      .getByText(/^[\d.]+ ms$/)
      .waitFor()
  })

  test('what the table was sorted and filtered by is there again after going back', async () => {
    await using opened = await open(browser, observer.url)
    const { page, go } = opened
    await go('/processes')
    await page.getByRole('searchbox').fill('session of')
    await page.getByText('2 of ').waitFor()
    await page.getByRole('row', { name: /session of Ada/ }).click()
    await page.getByRole('heading', { name: 'session of Ada' }).waitFor()
    await page.goBack()
    assert.equal(await page.getByRole('searchbox').inputValue(), 'session of')
    await page.getByText('2 of ').waitFor()
  })

  test('a process is shown with its mailbox, its waits and its ties, and no secret', async () => {
    await using opened = await open(browser, observer.url)
    const { page, go } = opened
    await go(routeOf('process', system.ledger.id))
    await page.getByText('{ type: "audit" }').first().waitFor()
    await page.locator('.mailbox li').first().getByText('type: "order"').waitFor()
    await page.getByText('100 messages').first().waitFor()
    const fact = (name: string) => page.locator('.facts div', { hasText: name })
    await fact('Oldest message')
      .getByText(/^> \d+ s$/)
      .waitFor()
    await fact('Messages waited').getByText('none taken yet').waitFor()
    assert.doesNotMatch(String(await page.textContent('main')), /hunter2/)
    await page.locator('.ties').getByRole('link', { name: /clerk/ }).first().click()
    await page.getByRole('heading', { name: 'clerk' }).waitFor()
    await page
      .locator('.ties')
      .getByRole('link', { name: /ledger/ })
      .waitFor()
    await page.locator('.ties').getByText('onerror').waitFor()
  })

  test('markup in names and labels is text, in tables, pages, titles and drawings', async () => {
    await using opened = await open(browser, observer.url)
    const { page, go } = opened
    await go('/processes')
    await page.getByRole('searchbox').fill('alert(')
    await page.getByRole('row', { name: IMAGE }).waitFor()
    await page.getByRole('row', { name: SCRIPT }).click()
    await page.getByRole('heading', { name: SCRIPT }).waitFor()
    assert.match(await page.title(), /^<script>alert\(1\)<\/script>/)
    assert.equal(await page.locator('main script, main img').count(), 0)
  })

  test('the tree shows supervisors and their children, and a restart as it happens', async () => {
    await using opened = await open(browser, observer.url)
    const { page, go } = opened
    await go('/tree')
    const child = page.getByRole('treeitem', { name: /feed 2/ })
    await child.waitFor()
    await page.getByRole('treeitem', { name: /shop/ }).getByText('one_for_all').waitFor()
    await system.crash()
    await child.getByText(/\d restart/).waitFor()
    await page.locator('.tree-box.fresh', { hasText: 'feed 2' }).waitFor()
    await page.locator('.reports').getByText('feed 2').first().waitFor()
  })

  test('a branch of the tree is folded with the keyboard, and Enter opens a process', async () => {
    await using opened = await open(browser, observer.url)
    const { page, go } = opened
    await go('/tree')
    await page.getByRole('treeitem', { name: /^\W*feeds/ }).focus()
    await page.keyboard.press('ArrowLeft')
    await page.getByRole('treeitem', { name: /feed 2/ }).waitFor({ state: 'detached' })
    await page.keyboard.press('ArrowRight')
    await page.keyboard.press('ArrowRight')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'feed 1' }).waitFor()
  })

  test('the tables of connections and pools show who fails and who waits', async () => {
    await using opened = await open(browser, observer.url)
    const { page, go } = opened
    await go('/connections')
    await page
      .getByRole('row', { name: new RegExp(String(system.live)) })
      .getByText('connected')
      .waitFor()
    const failing = page.getByRole('row', { name: new RegExp(String(system.failing)) })
    await failing.getByText('not_connected').waitFor()
    await page
      .getByRole('row', { name: /2 of 2/ })
      .getByRole('cell', { name: '3', exact: true })
      .waitFor()
  })

  test('a connection is shown in its statechart, with its streams and what happens to them', async () => {
    await using opened = await open(browser, observer.url)
    const { page, go } = opened
    await go(routeOf('connection', String(system.live)))
    await page.locator('.chart-state.lit', { hasText: 'connected_ws_only' }).first().waitFor()
    await page.getByRole('cell', { name: 'websocket', exact: true }).waitFor()
    system.quote(17)
    await page.locator('.spans').getByText('frame in').first().waitFor()
    await page.locator('.lane .point, .lane .bar').first().waitFor({ state: 'attached' })
    await page
      .getByRole('link', { name: /quotes/ })
      .first()
      .click()
    await page.getByRole('heading', { name: 'quotes' }).waitFor()
    await page
      .locator('.ties')
      .getByRole('link', { name: new RegExp(String(system.live)) })
      .first()
      .waitFor()
  })

  test('a connection that fails has its attempts in the timeline', async () => {
    await using opened = await open(browser, observer.url)
    const { page, go } = opened
    await go(routeOf('connection', String(system.failing)))
    await page.locator('.chart-state.lit').first().waitFor()
    await page.locator('.lane .failed').first().waitFor({ state: 'attached' })
    await page.getByText('ECONNREFUSED').first().waitFor()
  })

  test('this node is listed with its load', async () => {
    await using opened = await open(browser, observer.url)
    const { page, go } = opened
    await go('/nodes')
    await page.getByRole('row', { name: new RegExp(`pid ${process.pid}`) }).waitFor()
  })

  test('a live change is seen without a reload, and the last state of what has ended stays', async () => {
    await using opened = await open(browser, observer.url)
    const { page, go } = opened
    const { spawn, exit } = await import('@holster/process')
    const other = spawn<unknown>(async self => void (await self.receive([{ type: 'go' }])), { name: 'brief' })
    await go(routeOf('process', other.id))
    await page.getByRole('heading', { name: 'brief' }).waitFor()
    other.send({ type: 'unwanted' })
    await page.locator('.mailbox').getByText('type: "unwanted"').waitFor()
    exit(other, 'shutdown')
    await page.locator('.notice.ended').getByText('shutdown').waitFor()
    await page.getByRole('heading', { name: 'brief' }).waitFor()
  })

  test('no action is offered where none is allowed', async () => {
    await using opened = await open(browser, observer.url)
    const { page, go } = opened
    await go(routeOf('process', system.ledger.id))
    await page.getByRole('heading', { name: 'ledger' }).waitFor()
    assert.equal(await page.getByRole('button', { name: 'End process' }).count(), 0)
    assert.equal(await page.getByRole('button', { name: 'Send' }).count(), 0)
    await go('/')
    await page.getByRole('heading', { name: 'Overview' }).waitFor()
    assert.equal(await page.getByRole('button', { name: 'Heap snapshot' }).count(), 0)
  })
})
