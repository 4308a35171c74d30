// The page says when the program is out of reach, and looks again by itself once it is back.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startObserver } from '@holster/observer'
import { createProcess } from '@holster/process'
import type { Browser } from 'playwright-core'
import { launch, open, skip } from '../../../../test/support/browser.ts'

describe('when the program is out of reach', { skip }, () => {
  let browser: Browser

  before(async () => {
    browser = await launch()
  })

  after(() => browser.close())

  test('the page says so, keeps what it has shown, and goes on once the program is back', async () => {
    const first = await startObserver({ log: false })
    const self = createProcess<unknown>({ name: 'keeper' })
    await using opened = await open(browser, first.url, { mayLose: true })
    const { page, go } = opened
    await go(`/process/${encodeURIComponent('nonode@nohost')}/${encodeURIComponent(self.id)}`)
    await page.getByRole('heading', { name: 'keeper' }).waitFor()
    await first.stop()
    await page.getByText('The connection to the program is lost').waitFor()
    await page.getByRole('heading', { name: 'keeper' }).waitFor()
    await using second = await startObserver({ log: false, port: first.port })
    assert.equal(second.port, first.port)
    await page.getByText('The connection to the program is lost').waitFor({ state: 'detached' })
    self.send({ type: 'after the loss' })
    await page.locator('.mailbox').getByText('after the loss').waitFor()
    self.exit()
  })

  test('a program that is stopped is said to be silent, until it goes on', async () => {
    const code = `import { startObserver } from '@holster/observer'
      await startObserver()
      setInterval(() => {}, 1000)`
    const program = spawn(process.execPath, ['--input-type=module', '--eval', code], {
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const ended = once(program, 'close')
    const [line] = (await once(createInterface({ input: program.stderr }), 'line')) as [string]
    await using opened = await open(browser, line.slice(line.indexOf('http')), { mayLose: true })
    const { page } = opened
    await page.getByText('Live', { exact: true }).waitFor()
    program.kill('SIGSTOP')
    await page.getByText('The program does not answer').waitFor()
    await page.getByText('Silent', { exact: true }).waitFor()
    program.kill('SIGCONT')
    await page.getByText('Live', { exact: true }).waitFor()
    await page.getByText('The program does not answer').waitFor({ state: 'detached' })
    program.kill('SIGKILL')
    await ended
  })

  test('a program that has got a token meanwhile is asked for by the form', async () => {
    const first = await startObserver({ log: false })
    await using opened = await open(browser, first.url, { mayLose: true })
    const { page } = opened
    await page.getByRole('heading', { name: 'Overview' }).waitFor()
    await first.stop()
    await page.getByText('The connection to the program is lost').waitFor()
    await using second = await startObserver({ log: false, port: first.port, token: true })
    await page.getByLabel('Token').fill(String(second.token))
    await page.getByRole('button', { name: 'Look' }).click()
    await page.getByRole('heading', { name: 'Overview' }).waitFor()
  })

  test('a process that is not there is said not to be', async () => {
    await using observer = await startObserver({ log: false })
    await using opened = await open(browser, observer.url)
    const { page, go } = opened
    await go(`/process/${encodeURIComponent('nonode@nohost')}/${encodeURIComponent('#Process<999999>')}`)
    await page.getByText('This cannot be shown now').waitFor()
    await go('/nowhere')
    await page.getByRole('heading', { name: 'There is no such page' }).waitFor()
  })
})
