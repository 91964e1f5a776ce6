import { readFile } from 'node:fs/promises'
import { uniqueName } from '@ps/services/vitest'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startBrowser, type TestBrowser } from './dashboard-browser.js'
import { dropFiles, hasText, jobCard, openDashboard } from './dashboard-page.js'
import { poorContrast } from './poor-contrast.js'
import { readPenguins, startDashboardSystem, type DashboardSystem } from './dashboard-system.js'

const token = 'a-token-for-this-test'
let browser: TestBrowser
let system: DashboardSystem

beforeAll(async () => {
  ;[browser, system] = await Promise.all([startBrowser(), startDashboardSystem({ token })])
})
afterAll(async () => {
  await browser?.close()
  await system?.stop()
})

const signIn = async (page: Page): Promise<void> => {
  await page.getByLabel('This server asks for a token').fill(token)
  await page.getByRole('button', { name: 'Use it' }).click()
  await hasText(page.locator('#stream-state'), 'Live')
}

/** Shows a result with rejected rows, a failed job, a note of the explorer: what a page may hold. */
const fillPage = async (page: Page): Promise<void> => {
  const longName = `${uniqueName('a name that does not fit on a phone '.repeat(4))}.csv`
  const badName = uniqueName('image.png')
  await dropFiles(page, [{ name: longName, content: `${await readPenguins()}too,short\n` }])
  await jobCard(page, longName).getByRole('table').waitFor()
  await dropFiles(page, [{ name: badName, content: '\u0089PNG\r\n\u001A\n\u0000\u0000\u0000\rIHDR' }])
  await hasText(jobCard(page, badName).locator('.state'), 'failed')
  await page.getByLabel('Channel', { exact: true }).fill('look')
  await page.getByRole('button', { name: 'Listen' }).click()
  await hasText(page.locator('#listen-note'), 'Listening to look.')
  await page.getByLabel('Message, as JSON').fill(JSON.stringify('unbroken'.repeat(50)))
  await page.getByRole('button', { name: 'Publish' }).click()
  await hasText(page.locator('#messages li'), 'unbroken')
}

test('where the api wants a token the page asks for it, says when it is wrong, and trades it for a session of the browser', async (context) => {
  const page = await openDashboard(browser, context, { ...system, live: false })
  await page.getByLabel('This server asks for a token').fill('no — täken')
  await page.getByRole('button', { name: 'Use it' }).click()
  await hasText(page.locator('#token-hint'), 'A token is made of ASCII characters without spaces.')
  await page.getByLabel('This server asks for a token').fill('wrong')
  await page.getByRole('button', { name: 'Use it' }).click()
  await hasText(page.locator('#token-hint'), 'The token is missing, wrong or expired.')
  await signIn(page)
  await page.locator('#token-form').waitFor({ state: 'hidden' })
  expect(await page.locator('#gaps-count').innerText()).toBe('0')
  await page.reload()
  await hasText(page.locator('#stream-state'), 'Live')
  expect(await page.locator('#token-form').isVisible()).toBe(false)
  expect(await page.evaluate('[document.cookie, sessionStorage.length, localStorage.length]')).toEqual([
    '',
    0,
    0,
  ])

  await dropFiles(page, [{ name: 'ragged.csv', content: 'a,b\n1,2\n3\n' }])
  const card = jobCard(page, 'ragged.csv')
  const download = page.waitForEvent('download')
  await card.getByRole('link', { name: 'Download all' }).click()
  const rejects = await readFile(await (await download).path(), 'utf8')
  expect(JSON.parse(rejects)).toMatchObject({ line: 3 })
})

test('on a phone the page never scrolls sideways', async (context) => {
  const viewport = { width: 360, height: 740 }
  const page = await openDashboard(browser, context, { ...system, live: false, viewport, hasTouch: true })
  await signIn(page)
  await fillPage(page)
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360)
  for (const button of await page.getByRole('button').all()) {
    expect((await button.boundingBox())?.height, await button.innerText()).toBeGreaterThanOrEqual(44)
  }
})

for (const colorScheme of ['light', 'dark'] as const) {
  test(`in the ${colorScheme} scheme all text has a contrast of at least 4.5 to 1`, async (context) => {
    const page = await openDashboard(browser, context, { ...system, live: false, colorScheme })
    await signIn(page)
    await fillPage(page)
    expect(await page.evaluate(poorContrast)).toEqual([])
    const background = await page.evaluate<string>('getComputedStyle(document.body).backgroundColor')
    const brightness = Math.max(...(background.match(/\d+/g) ?? []).map(Number))
    expect(brightness > 128).toBe(colorScheme === 'light')
  })
}
