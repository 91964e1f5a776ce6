import { waitFor } from '@ps/services/vitest'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { StreamOverview } from '../src/stream-overview.js'
import { ask, asJson } from './ask.js'
import { startBrowser, type TestBrowser } from './dashboard-browser.js'
import { hasText, openDashboard } from './dashboard-page.js'
import { poorContrast } from './poor-contrast.js'
import { startDashboardSystem, type DashboardSystem } from './dashboard-system.js'

let browser: TestBrowser
let system: DashboardSystem

beforeAll(async () => {
  ;[browser, system] = await Promise.all([
    startBrowser(),
    startDashboardSystem({ environment: { API_FAULTS: 'on' } }),
  ])
})
afterAll(async () => {
  await browser?.close()
  await system?.stop()
})

const metric = async (name: string): Promise<number> => {
  const { text } = await ask(`${system.address}/metrics`)
  const line = text.split('\n').find((each) => each.startsWith(`${name} `))
  return Number(line?.split(' ')[1] ?? 0)
}
const resumedFully = 'api_resumed_streams_total{resumed="full"}'

/** The audit's stream, as the server names it. */
const auditStream = async (): Promise<string> => {
  const { text } = await ask(`${system.address}/v1/streams`)
  const { streams } = JSON.parse(text) as StreamOverview
  return streams.find(({ channels }) => channels[0]?.startsWith('dashboard-audit-'))?.id ?? ''
}

const figure = async (page: Page, name: string): Promise<number> =>
  Number((await page.locator(`#audit-${name}`).innerText()).replaceAll(',', ''))

/** Has every accepted message heard, or called lost. */
const finishAudit = async (page: Page): Promise<void> => {
  await page.getByRole('button', { name: 'Stop the audit' }).click()
  await page.getByRole('button', { name: 'Start the audit' }).waitFor({ timeout: 30_000 })
}

const logged = (page: Page, text: RegExp): Promise<void> =>
  page.locator('#faults-log li').first().filter({ hasText: text }).waitFor({ timeout: 50_000 })

test('whatever is done to the stream of the audit, nothing is lost and nothing doubled', {
  timeout: 180_000,
}, async (context) => {
  const page = await openDashboard(browser, context, system)
  await page.getByRole('button', { name: 'Start the audit' }).click()
  await waitFor(async () => (await figure(page, 'heard')) > 20, { what: 'twenty messages' })

  const first = await auditStream()
  expect(first).not.toBe('')
  await page.getByRole('button', { name: 'Cut my stream' }).click()
  await logged(page, /Cut: the server destroyed the connection\. Live again after .*, resumed fully\./)
  const second = await auditStream()
  expect([first, '']).not.toContain(second)
  expect(await metric(resumedFully)).toBe(1)
  expect(await metric('api_slow_streams_total')).toBe(0)

  await page.getByRole('button', { name: 'Stall my reader' }).click()
  const row = page.locator('#streams tr').filter({ hasText: second })
  await hasText(row.locator('[data-heading="Behind by"]'), /\d s$/)
  await logged(
    page,
    /Stalled: nothing was read for .* It cut the stream as too slow\. Live again, resumed fully\./,
  )
  expect(await metric('api_slow_streams_total')).toBe(1)
  expect(await metric(resumedFully)).toBe(2)

  await page.getByRole('button', { name: 'Drain this node' }).click()
  await waitFor(async () => {
    const { status, json } = await ask(`${system.address}/readyz`)
    return status === 503 && json().draining === true
  })
  const decline = await ask(`${system.address}/v1/events?channel=any`)
  expect(decline.status).toBe(503)
  await logged(page, /Drained: .* Live again after .*, resumed fully\./)
  expect((await ask(`${system.address}/readyz`)).status).toBe(200)
  // The page's own stream was told goodbye, too.
  await waitFor(async () => (await metric(resumedFully)) === 4)
  await hasText(page.locator('#stream-state'), 'Live')

  await finishAudit(page)
  await hasText(page.locator('#audit-verdict'), /^0 lost, 0 doubled$/)
  for (const name of ['lost', 'doubled', 'disordered', 'gaps', 'waiting'])
    expect([name, await figure(page, name)]).toEqual([name, 0])
  expect(await figure(page, 'heard')).toBe(await figure(page, 'accepted'))
  expect(await page.locator('#audit-resumed').innerText()).toBe('3 fully, 0 partly, 0 not')
  expect(await page.locator('#gaps-count').innerText()).toBe('0')
})

test('a delivery that loses one message and doubles another is found out', async (context) => {
  const page = await openDashboard(browser, context, system)
  await page.route('**/v1/channels/dashboard-audit-*/messages', async (route) => {
    const { number } = route.request().postDataJSON() as { number: number }
    if (number === 5) return route.fulfill({ status: 202, json: { accepted: true } })
    if (number === 8) await route.fetch()
    return route.continue()
  })
  await page.getByRole('button', { name: 'Start the audit' }).click()
  await hasText(page.locator('#audit-verdict'), /^1 lost, 1 doubled$/)
  await waitFor(async () => (await figure(page, 'heard')) > 20)
  await finishAudit(page)
  expect(await figure(page, 'lost')).toBe(1)
  expect(await figure(page, 'doubled')).toBe(1)
  expect(await figure(page, 'accepted')).toBe((await figure(page, 'heard')) + 1)
})

for (const colorScheme of ['light', 'dark'] as const) {
  test(`the panel fits a phone, and can be read in the ${colorScheme} scheme`, async (context) => {
    const viewport = { width: 360, height: 740 }
    const page = await openDashboard(browser, context, { ...system, viewport, hasTouch: true, colorScheme })
    await page.getByRole('button', { name: 'Cut my stream' }).click()
    await logged(page, /Cut/)
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360)
    for (const button of await page.getByRole('button').all())
      expect((await button.boundingBox())?.height, await button.innerText()).toBeGreaterThanOrEqual(44)
    expect(await page.evaluate(poorContrast)).toEqual([])
  })
}

test('a cut wants a stream that there is, and other web sites may ask for none', async () => {
  const cut = await ask(`${system.address}/v1/faults/cut`, asJson({ stream: 'none' }))
  expect([cut.status, cut.json().code]).toEqual([404, 'unknown_stream'])
  const drain = { method: 'POST', headers: { origin: 'https://elsewhere.example' } }
  expect((await ask(`${system.address}/v1/faults/drain`, drain)).status).toBe(403)
  expect((await ask(`${system.address}/readyz`)).json()).toMatchObject({ draining: false, faults: true })
})
