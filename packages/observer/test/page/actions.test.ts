// Actions are asked for twice, and the token is asked for once.

import assert from 'node:assert/strict'
import { type ChildProcess, spawn as spawnChild } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Observer, startObserver } from '@holster/observer'
import { createProcess, spawn } from '@holster/process'
import type { Browser } from 'playwright-core'
import { launch, open, skip } from '../../../../test/support/browser.ts'

const TOKEN = 'a-token-that-nobody-guesses'

describe('the page of a program that allows actions', { skip }, () => {
  let browser: Browser
  let observer: Observer

  before(async () => {
    browser = await launch()
    observer = await startObserver({ log: false, allowActions: true, token: TOKEN })
  })

  after(async () => {
    await observer.stop()
    await browser.close()
  })

  const routeOf = (id: string) => `/process/${encodeURIComponent('nonode@nohost')}/${encodeURIComponent(id)}`

  test('the token of the address opens it, and is then gone from the address', async () => {
    await using opened = await open(browser, observer.url)
    const { page } = opened
    await page.getByRole('heading', { name: 'Overview' }).waitFor()
    assert.doesNotMatch(page.url(), /token/)
    await page.reload()
    await page.getByRole('heading', { name: 'Overview' }).waitFor()
  })

  test('without the token it asks for it, and opens the page that was meant', async () => {
    await using opened = await open(browser, new URL('/#/tree', observer.url).href)
    const { page } = opened
    await page.getByLabel('Token').fill('not this one')
    await page.getByRole('button', { name: 'Look' }).click()
    await page.getByText('That token is not right.').waitFor()
    await page.getByLabel('Token').fill(TOKEN)
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Tree' }).waitFor()
  })

  test('a process is ended only after the question', async () => {
    const self = createProcess()
    await using opened = await open(browser, observer.url)
    const { page, go } = opened
    await go(routeOf(self.id))
    await page.getByRole('button', { name: 'End process' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.waitFor()
    assert.equal(await page.evaluate('document.activeElement.textContent'), 'Cancel')
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached' })
    assert.ok(self.isAlive)
    await page.getByLabel('Reason for the end').fill('enough')
    await page.getByRole('button', { name: 'End process' }).click()
    await dialog.getByRole('button', { name: 'End process' }).click()
    assert.equal(await self.exited, 'enough')
    await page.locator('.notice.ended').getByText('enough').waitFor()
  })

  test('a message is sent as it is written', async () => {
    let got: unknown
    const self = spawn<{ readonly type: 'hello' }>(async self => {
      got = await self.receive([{ type: 'hello' }])
    })
    await using opened = await open(browser, observer.url)
    const { page, go } = opened
    await go(routeOf(self.id))
    await page.getByLabel('Message, in JSON5').fill("{ type: 'hello', n: 1 }")
    await page.getByRole('button', { name: 'Send' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Send' }).click()
    await self.exited
    assert.deepEqual(got, { type: 'hello', n: 1 })
  })

  test('a message that cannot be read is said to be so, and nothing is asked', async () => {
    const self = createProcess()
    await using opened = await open(browser, observer.url)
    const { page, go } = opened
    await go(routeOf(self.id))
    await page.getByLabel('Message, in JSON5').fill('{ type: ')
    await page.getByRole('button', { name: 'Send' }).click()
    await page.locator('.act-over.problem').first().waitFor()
    assert.equal(await page.getByRole('dialog').count(), 0)
    self.exit()
  })

  test('a heap snapshot is saved', async () => {
    // A snapshot stops the program, and this one drives the browser.
    const program = await startProgram()
    await using opened = await open(browser, program.url)
    const { page } = opened
    await page.getByRole('button', { name: 'Heap snapshot' }).click()
    const downloading = page.waitForEvent('download')
    await page.getByRole('dialog').getByRole('button', { name: 'Heap snapshot' }).click()
    const download = await downloading
    assert.equal(download.suggestedFilename(), `heap-${program.child.pid}.heapsnapshot`)
    assert.match((await readFile(await download.path(), 'utf8')).slice(0, 20), /^\{"snapshot"/)
    program.child.kill()
    await once(program.child, 'exit')
  })
})

const PROGRAM = `
import { startObserver } from '@holster/observer'
await startObserver({ allowActions: true, log: line => console.log(line) })
setInterval(() => {}, 60_000)
`

/** Starts another program with an observer. */
async function startProgram(): Promise<{ readonly child: ChildProcess; readonly url: string }> {
  const cwd = fileURLToPath(new URL('../..', import.meta.url))
  const child = spawnChild(process.execPath, ['--input-type=module', '--eval', PROGRAM], {
    cwd,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  for await (const line of createInterface(child.stdout)) {
    const [url] = /http:\S+/.exec(line) ?? []
    if (url !== undefined) return { child, url }
  }
  throw new Error('The program has printed no address.')
}
