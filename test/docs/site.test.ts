/** The site is built, and looked at in Debian's Chromium as a reader does. */

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Browser } from 'playwright-core'
import { type Look, launch, open, overflow, skip, violations } from '../support/browser.ts'
import { succeed } from '../support/program.ts'
import { fileOf, pagesOfSite, readPage, type Site, serveSite } from '../support/site.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** A page of each kind. */
const PAGES = [
  '',
  'guide/introduction',
  'guide/observer',
  'otp/',
  'benchmarks',
  'decisions/',
  'examples/',
  'examples/websocket',
  'api/',
  'api/gun/',
  'api/gun/open',
  'api/gun/messages/gun_notify',
  'api/gun/types/Http2Opts',
  'api/gun/errors/connect_error',
  'api/process/Process',
]

const LOOKS: Readonly<Record<string, Look>> = {
  'in the light': { colorScheme: 'light' },
  'in the dark': { colorScheme: 'dark' },
  'at 360 pixels': { viewport: { width: 360, height: 740 } },
}

describe('the site', () => {
  before(() =>
    succeed('npm', ['run', '--silent', 'vitepress', '--', 'build', 'packages/docs'], { cwd: root }),
  )

  test('each link within the site leads to a page, and to a heading of it where it names one', async () => {
    const files = pagesOfSite()
    assert.ok(files.length > 400, `${files.length} pages are not all`)
    const ids = new Map<string, Set<string>>()
    const links: (readonly [from: string, link: string])[] = []
    for (const file of files) {
      const text = await readPage(file)
      ids.set(file, new Set([...text.matchAll(/ id="([^"]+)"/g)].map(([, id = '']) => id)))
      for (const [, link = ''] of text.matchAll(/<a [^>]*?href="([^"]+)"/g)) links.push([file, link])
    }
    const broken = links.filter(([from, link]) => {
      if (/^[a-z]+:/.test(link)) return false
      const { pathname, hash } = new URL(link, `http://localhost/${from.replace(/(index)?\.html$/, '')}`)
      const target = ids.get(fileOf(pathname))
      return target === undefined || (hash !== '' && !target.has(decodeURIComponent(hash.slice(1))))
    })
    assert.deepEqual([...new Set(broken.map(([from, link]) => `${from}: ${link}`))], [])
  })

  describe('in a browser', { skip }, () => {
    let browser: Browser
    let site: Site
    before(async () => {
      site = await serveSite()
      browser = await launch()
    })
    after(async () => {
      await browser.close()
      await site[Symbol.asyncDispose]()
    })

    test('the search finds wsUpgrade', async () => {
      await using opened = await open(browser, site.url)
      const { page } = opened
      // The page hears of keys once Vue has taken over what the server has drawn.
      await page.waitForFunction(`document.querySelector('#app')?.__vue_app__ !== undefined`)
      await page.keyboard.press('Control+k')
      await page.locator('#localsearch-input').fill('wsUpgrade')
      await page.locator('a.result[href*="api/gun/wsUpgrade"]').first().click()
      await page.getByRole('heading', { level: 1, name: 'gun.wsUpgrade' }).waitFor()
    })

    for (const [name, look] of Object.entries(LOOKS)) {
      for (const path of PAGES) {
        test(`axe finds nothing wrong on /${path} ${name}, which fits into its window`, async () => {
          await using opened = await open(browser, site.url + path, look)
          await opened.page.getByRole('heading', { level: 1 }).first().waitFor()
          assert.deepEqual(await violations(opened.page), [])
          assert.equal(await overflow(opened.page), 0)
        })
      }
    }
  })
})
