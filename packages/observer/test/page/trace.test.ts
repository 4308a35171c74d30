// A trace shows the messages of one process as they come, those that match, and no more than were asked for.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, describe, test } from 'node:test'
import { type Observer, startObserver } from '@holster/observer'
import { createProcess } from '@holster/process'
import type { Browser } from 'playwright-core'
import { launch, type Opened, open, skip } from '../../../../test/support/browser.ts'

describe('the trace', { skip }, () => {
  let browser: Browser
  let observer: Observer

  before(async () => {
    browser = await launch()
    observer = await startObserver({ log: false })
  })

  after(async () => {
    await observer.stop()
    await browser.close()
  })

  async function tracing(id: string): Promise<Opened> {
    const opened = await open(browser, observer.url)
    await opened.go(`/process/${encodeURIComponent('nonode@nohost')}/${encodeURIComponent(id)}`)
    await opened.page.getByRole('link', { name: 'Trace', exact: true }).last().click()
    await opened.page.getByRole('heading', { name: `Trace of ${id}` }).waitFor()
    return opened
  }

  test('shows what matches a pattern, and saves it as lines of JSON', async () => {
    const self = createProcess<unknown>()
    await using opened = await tracing(self.id)
    const { page } = opened
    await page.getByLabel('Pattern').fill("{ type: 'tick' }")
    await page.getByRole('button', { name: 'Start' }).click()
    await page.getByText('Tracing').waitFor()
    for (let n = 1; n <= 3; n += 1) {
      self.send({ type: 'tick', n })
      self.send({ type: 'tock', n })
    }
    const events = page.getByRole('grid', { name: 'Events' })
    await events.getByText('n: 3').waitFor()
    assert.equal(await events.getByText('tock').count(), 0)
    const downloading = page.waitForEvent('download')
    await page.getByRole('button', { name: 'Export' }).click()
    const download = await downloading
    assert.match(download.suggestedFilename(), /^trace-Process-\d+\.jsonl$/)
    const lines = (await readFile(await download.path(), 'utf8')).trimEnd().split('\n')
    assert.equal(lines.length, 3)
    for (const line of lines) assert.match((JSON.parse(line) as { text: string }).text, /type: "tick"/)
    self.exit()
  })

  test('ends at its limit, and says so', async () => {
    const self = createProcess<unknown>()
    await using opened = await tracing(self.id)
    const { page } = opened
    await page.getByLabel('At most').fill('5')
    await page.getByRole('button', { name: 'Start' }).click()
    await page.getByText('Tracing').waitFor()
    for (let n = 1; n <= 20; n += 1) self.send({ n })
    await page.getByText('The trace has ended').waitFor()
    assert.equal(await page.getByRole('grid', { name: 'Events' }).getAttribute('aria-rowcount'), '6')
    self.exit()
  })

  test('a pattern that cannot be read is said to be so', async () => {
    const self = createProcess<unknown>()
    await using opened = await tracing(self.id)
    const { page } = opened
    await page.getByLabel('Pattern').fill('{ type: ')
    await page.getByRole('button', { name: 'Start' }).click()
    await page.locator('.notice.bad').waitFor()
    self.exit()
  })

  test('pausing holds the list, and going on shows what has come meanwhile', async () => {
    const self = createProcess<unknown>()
    await using opened = await tracing(self.id)
    const { page } = opened
    await page.getByRole('button', { name: 'Start' }).click()
    await page.getByText('Tracing').waitFor()
    self.send({ n: 'first' })
    const events = page.getByRole('grid', { name: 'Events' })
    await events.getByText('first').waitFor()
    await page.getByRole('button', { name: 'Pause' }).click()
    self.send({ n: 'second' })
    await page.getByText('2 events so far').waitFor()
    assert.equal(await events.getByText('second').count(), 0)
    await page.getByRole('button', { name: 'Pause' }).click()
    await events.getByText('second').waitFor()
    await page.getByRole('button', { name: 'Stop' }).click()
    await page.getByText('Tracing').waitFor({ state: 'detached' })
    self.exit()
  })
})
