import { uniqueName, waitFor } from '@ps/services/vitest'
import type { Locator } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { StreamOverview } from '../src/stream-overview.js'
import { ask } from './ask.js'
import { startBrowser, type TestBrowser } from './dashboard-browser.js'
import { hasText, openDashboard } from './dashboard-page.js'
import { startDashboardSystem, type DashboardSystem } from './dashboard-system.js'
import { openStream } from './test-stream.js'

let browser: TestBrowser
let system: DashboardSystem

beforeAll(async () => {
  ;[browser, system] = await Promise.all([startBrowser(), startDashboardSystem()])
})
afterAll(async () => {
  await browser?.close()
  await system?.stop()
})

test('the open streams are listed, the page’s own marked, and who does not read shows how far behind it is', async (context) => {
  const channel = uniqueName('watched')
  const stream = await openStream(`${system.address}/v1/events?channel=${channel}`)
  const { data } = await stream.untilEvent('ps.hello')
  const page = await openDashboard(browser, context, system)
  const row = page.locator('#streams tr').filter({ hasText: String(data.stream) })
  const cell = (heading: string): Locator => row.locator(`[data-heading="${heading}"]`)
  await hasText(cell('Channels'), channel)
  await hasText(cell('Delivered'), /^0$/)
  await hasText(page.locator('#streams-note'), /^2 streams open on this server, none behind$/)
  const ownRow = page.locator('#streams tr').filter({ hasText: 'this page' })
  expect(await ownRow.count()).toBe(1)
  await hasText(ownRow.locator('[data-heading="Channels"]'), /^jobs, engines, dashboard-latency-/)

  stream.pause()
  // And not so far that it is cut, while the page has not asked yet.
  await waitFor(
    async () => {
      await system.publish(channel, 'x'.repeat(200_000))
      const { streams } = JSON.parse((await ask(`${system.address}/v1/streams`)).text) as StreamOverview
      return streams.some(({ id, waitingFrames }) => id === data.stream && waitingFrames >= 3)
    },
    { what: 'the stream to be behind', timeout: 25_000 },
  )
  await hasText(page.locator('#streams-note'), /, 1 behind:/)
  await hasText(cell('Waiting'), /^\d+ frames?, [\d.]+ [kM]B$/)
  await hasText(cell('Behind by'), /^[\d.]+ s$/)
  stream.close()
  await row.waitFor({ state: 'detached' })
})

test('plots show over time what is heard, what is delivered and how long it takes, and say it in words', async (context) => {
  const page = await openDashboard(browser, context, system)
  const channel = uniqueName('plotted')
  const streams = await Promise.all(
    Array.from({ length: 20 }, () => openStream(`${system.address}/v1/events?channel=${channel}`)),
  )
  await Promise.all(streams.map((stream) => stream.untilEvent('ps.hello')))
  const highest = async (plot: string): Promise<number> => {
    const label = await page.locator('#activity').getByRole('img', { name: plot }).getAttribute('aria-label')
    const [, value = ''] = /over the last 5 minutes: .*highest ([\d,.]+)/.exec(label ?? '') ?? []
    return Number(value.replaceAll(',', ''))
  }
  await waitFor(async () => (await highest('Heard by this page, messages a second')) > 0)
  // 20 frames each, on top of the few that the page itself causes.
  for (let number = 1; number <= 50; number += 1) await system.publish(channel, number)
  await waitFor(async () => (await highest('Delivered by this server, frames a second')) > 20)
  const delay = page.locator('#activity').getByRole('img', { name: 'Publish to screen' })
  await waitFor(async () =>
    /p50 now [\d.]+ ms.*; p99 now [\d.]+ ms/.test((await delay.getAttribute('aria-label')) ?? ''),
  )
  expect(await delay.locator('polyline').count()).toBe(2)
  await hasText(page.locator('#activity .time-plot-key').last(), /^p99 [\d.]+ ms$/)
  for (const stream of streams) stream.close()
})
