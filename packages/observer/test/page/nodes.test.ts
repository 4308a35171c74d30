// The page shows all nodes: their load, the links between them, and the processes of each.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { spawnAt, startNode, stopNode, type Workers, workers } from '@holster/node'
import { type Observer, startObserver } from '@holster/observer'
import { createProcess, type Process } from '@holster/process'
import type { Browser } from 'playwright-core'
import { launch, open, overflow, skip, violations } from '../../../../test/support/browser.ts'

const bodies = new URL('../support/waiter.mjs', import.meta.url)

describe('the page of several nodes', { skip }, () => {
  let browser: Browser
  let threads: Workers
  let observer: Observer
  let self: Process<unknown>

  before(async () => {
    browser = await launch()
    await startNode({ name: 'main' })
    threads = await workers(2)
    observer = await startObserver({ log: false })
    self = createProcess()
    await spawnAt('main.1', bodies, 'waiter', 'guest', self)
    await self.receive([{ type: 'waits' }])
  })

  after(async () => {
    await observer.stop()
    self.exit()
    await threads.stop()
    await stopNode()
    await browser.close()
  })

  test('nodes and links are listed and drawn, and axe finds nothing wrong', async () => {
    await using opened = await open(browser, observer.url)
    const { page, go } = opened
    await go('/nodes')
    for (const name of ['main', 'main.1', 'main.2']) {
      await page.locator('.node-box', { has: page.getByText(name, { exact: true }) }).waitFor()
    }
    await page.getByRole('region', { name: 'Links' }).getByText('threads').first().waitFor()
    assert.equal(await page.locator('.node-link').count(), 3)
    assert.deepEqual(await violations(page), [])
    assert.ok((await overflow(page)) <= 0)
  })

  test('the table of processes is that of all nodes, or of the one that is chosen', async () => {
    await using opened = await open(browser, observer.url)
    const { page, go } = opened
    await go('/processes')
    await page.getByRole('row', { name: /guest/ }).getByText('main.1').waitFor()
    await page.getByLabel('Node').selectOption('main.2')
    await page.getByRole('row', { name: /guest/ }).waitFor({ state: 'detached' })
    await page.getByLabel('Node').selectOption('main.1')
    await page.getByRole('row', { name: /guest/ }).click()
    await page.getByRole('heading', { name: 'guest' }).waitFor()
    await page.locator('.facts').getByText('main.1').waitFor()
  })
})
