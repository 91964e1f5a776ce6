import { requireRedis, waitFor } from '@ps/services/vitest'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startBrowser, type TestBrowser } from './dashboard-browser.js'
import { hasText, jobCard, openDashboard } from './dashboard-page.js'
import { startFlowingSource } from './flowing-source.js'
import { startSystem } from './started-system.js'

let browser: TestBrowser

beforeAll(async () => {
  browser = await startBrowser()
})
afterAll(async () => {
  await browser?.close()
})

/** Notes from now on whatever the page shows of a trouble, however briefly. */
async function watchForTroubles(page: Page): Promise<() => Promise<readonly string[]>> {
  await page.evaluate(`(() => {
    window.troubles = new Set()
    const look = () => {
      for (const node of document.querySelectorAll('[data-mood="bad"], .trouble, .problem, .stale-mark')) {
        const text = node.innerText.trim()
        if (node.checkVisibility({ visibilityProperty: true }) && text !== '') window.troubles.add(text)
      }
    }
    look()
    new MutationObserver(look).observe(document.body, {
      subtree: true, childList: true, characterData: true, attributes: true,
    })
  })()`)
  return () => page.evaluate<readonly string[]>('[...window.troubles]')
}

test('while Redis is killed a job goes on, and the page says over which broker, since when and why; then it goes back', {
  timeout: 180_000,
}, async (context) => {
  requireRedis(context)
  const system = await startSystem()
  context.onTestFinished(system.stop)
  const source = await startFlowingSource()
  context.onTestFinished(source.close)
  const page = await openDashboard(browser, context, system)
  page.setDefaultTimeout(30_000)
  // On a machine of one's own things may be broken on purpose.
  await page.locator('#faults').waitFor()
  const backend = page.locator('#backend-name')
  const details = page.locator('#backend-note')
  await hasText(backend, /^Redis$/)

  await system.startJob('long.csv', source.url)
  const card = jobCard(page, 'long.csv')
  await hasText(card.locator('.state'), 'running')
  const shownRows = async (): Promise<number> => {
    const [, rows = ''] = /([\d,]+) rows/.exec(await card.locator('.facts').innerText()) ?? []
    return Number(rows.replaceAll(',', ''))
  }
  /** Until the page shows rows that the engine has not read yet. */
  const goesOn = async (): Promise<void> => {
    const sent = source.rows
    await waitFor(async () => (await shownRows()) > sent, { what: `more than ${sent} rows to be shown` })
  }
  await goesOn()
  const troubles = await watchForTroubles(page)

  system.killRedis()
  await goesOn()
  await hasText(backend, /^Postgres, since Redis is unreachable$/)
  await hasText(details, /^Since \d\d:\d\d:\d\d\. Redis is down: .*ECONNREFUSED.* · Postgres answers/)
  await goesOn()
  expect(await troubles()).toEqual([])

  system.restartRedis()
  await hasText(backend, /^Redis$/)
  await hasText(details, /^Since \d\d:\d\d:\d\d, because Redis is back\. Redis answers/)
  await goesOn()

  source.end()
  await hasText(card.locator('.state'), 'done')
  expect(await shownRows()).toBe(source.rows)
  expect(await troubles()).toEqual([])
  expect(await page.locator('#gaps-count').innerText()).toBe('0')
})
