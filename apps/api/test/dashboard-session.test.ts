import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { type ApiProcess, ownWorld, startApiProcess } from './api-process.js'
import { asJson } from './ask.js'
import { startBrowser, type TestBrowser } from './dashboard-browser.js'
import { hasText, openDashboard } from './dashboard-page.js'
import { bearer, inSeconds, jwtEnvironment, signToken } from './sign-token.js'

let browser: TestBrowser
let api: ApiProcess
beforeAll(async () => {
  ;[browser, api] = await Promise.all([
    startBrowser(),
    startApiProcess({ ...ownWorld(inject('postgresUrl')), ...jwtEnvironment }),
  ])
})
afterAll(async () => {
  await browser?.close()
  await api?.stop()
})

const tokenFor = (seconds: number): Promise<string> =>
  signToken({ subscribe: ['*'], publish: ['*'], scope: 'jobs', exp: inSeconds(seconds) })

async function signIn(page: Page, seconds: number): Promise<void> {
  await page.getByLabel('This server asks for a token').fill(await tokenFor(seconds))
  await page.getByRole('button', { name: 'Use it' }).click()
  await hasText(page.locator('#stream-state'), 'Live')
}

test('a session that ends asks for another token, and with it the page goes on where it was', async (context) => {
  const page = await openDashboard(browser, context, { address: api.url, live: false })
  await signIn(page, 8)
  await page.getByLabel('Channel', { exact: true }).fill('news')
  await page.getByRole('button', { name: 'Listen' }).click()
  await hasText(page.locator('#listen-note'), 'Listening to news.')

  await page.locator('#token-form').waitFor({ state: 'visible' })
  await hasText(page.locator('#token-hint'), /^It is the server’s API_TOKEN/)
  await hasText(page.locator('#stream-state'), 'Not connected')
  const headers = { ...asJson('meanwhile').headers, ...bearer(await tokenFor(60)) }
  expect((await api.ask('/v1/channels/news/messages', { ...asJson('meanwhile'), headers })).status).toBe(202)

  await signIn(page, 60)
  await page.locator('#token-form').waitFor({ state: 'hidden' })
  expect(await page.locator('#gaps-count').innerText()).toBe('0')
})

test('a token that may not hear what the page needs is told so, and another can be tried', async (context) => {
  const page = await openDashboard(browser, context, { address: api.url, live: false })
  await page.getByLabel('This server asks for a token').fill(await signToken({ subscribe: ['jobs'] }))
  await page.getByRole('button', { name: 'Use it' }).click()
  await hasText(page.locator('#token-hint.problem'), 'does not have the channel engines')
  await signIn(page, 60)
  await page.locator('#token-form').waitFor({ state: 'hidden' })
})
