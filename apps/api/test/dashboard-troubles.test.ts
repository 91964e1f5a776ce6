import { type FaultProxy, startFaultProxy } from '@ps/services'
import { waitFor } from '@ps/services/vitest'
import type { Job } from '@ps/jobs'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { type ApiProcess, ownWorld, startApiProcess } from './api-process.js'
import { asCsv } from './ask.js'
import { startBrowser, type TestBrowser } from './dashboard-browser.js'
import { hasText, jobCard, openDashboard } from './dashboard-page.js'
import { type StandInEngine, startStandInEngine } from './stand-in-engine.js'

let browser: TestBrowser
let proxy: FaultProxy
let api: ApiProcess
let engine: StandInEngine
beforeAll(async () => {
  const postgresUrl = inject('postgresUrl')
  proxy = await startFaultProxy({ port: Number(new URL(postgresUrl).port) })
  ;[browser, api] = await Promise.all([startBrowser(), startApiProcess(ownWorld(proxy.through(postgresUrl)))])
  engine = await startStandInEngine(api.environment)
  await waitFor(async () => (await api.ask('/v1/engines')).text.includes(engine.id))
})
afterAll(async () => {
  await browser?.close()
  await engine?.die()
  await api?.stop()
  await proxy?.close()
})

test('what no engine would send on the channel of the jobs hurts nothing else on the page', async (context) => {
  const page = await openDashboard(browser, context, { address: api.url })
  const now = new Date().toISOString()
  const honest: Job = {
    id: 'honest',
    kind: 'profile',
    state: 'done',
    name: 'honest.csv',
    engine: engine.id,
    createdAt: now,
    startedAt: now,
    endedAt: now,
    rows: 2,
    rejected: 0,
    bytes: 8,
    revision: 1,
  }
  const hostile: readonly Readonly<Record<string, unknown>>[] = [
    { name: 'soon.csv', createdAt: 'soon', startedAt: 'then', endedAt: 'never' },
    { name: 'many.csv', state: 'running', totalBytes: 'many' },
  ]
  for (const change of hostile)
    await engine.client.publish('jobs', { ...honest, id: String(change['name']).slice(0, 4), ...change })
  await engine.client.publish('jobs', honest)
  await hasText(jobCard(page, 'honest.csv').locator('.state'), 'done')
  await hasText(jobCard(page, 'soon.csv').locator('.facts'), /^2 rows · 8 B · –$/)
  expect(await jobCard(page, 'many.csv').count()).toBe(0)
})

test('why a job could not be cancelled is said until it is tried again, however often the job says how far it is', async (context) => {
  const page = await openDashboard(browser, context, { address: api.url })
  const { id } = (await api.ask('/v1/jobs?name=stubborn.csv', asCsv())).json()
  await engine.untilStarted()
  const card = jobCard(page, 'stubborn.csv')
  const cancel = card.getByRole('button', { name: 'Cancel stubborn.csv' })
  await page.route('**/v1/jobs/*', (route) => route.abort())
  await cancel.click()
  await hasText(card.locator('.trouble'), 'It could not be cancelled: The server cannot be reached.')
  await engine.tell(String(id), { rows: 7 })
  await hasText(card.locator('.facts'), '7 rows')
  await hasText(card.locator('.trouble'), 'It could not be cancelled: The server cannot be reached.')

  await page.unroute('**/v1/jobs/*')
  await cancel.click()
  await waitFor(() => engine.cancels.includes(String(id)))
  expect(await card.locator('.trouble').innerText()).toBe('')
  await engine.tell(String(id), { state: 'cancelled' })
  await hasText(card.locator('.state'), 'cancelled')
})

test('where a proxy answers for the api, the page says so in words', async (context) => {
  const page = await openDashboard(browser, context, { address: api.url })
  await page.route('**/readyz', (route) =>
    route.fulfill({
      status: 503,
      contentType: 'text/html',
      body: '<h1>Service Temporarily Unavailable</h1>',
    }),
  )
  await hasText(page.locator('#backend-name'), 'Unknown')
  expect(await page.locator('#backend-note').innerText()).toBe('The server answered 503.')
})

test('while the broker is away the explorer does not say that it listens, and it does once the broker is back', async (context) => {
  await proxy.refuse()
  proxy.cut()
  await waitFor(async () => (await api.ask('/readyz')).status === 503)
  const page = await openDashboard(browser, context, { address: api.url, live: false })
  await hasText(page.locator('#stream-state'), 'Connected')
  await page.getByLabel('Channel', { exact: true }).fill('patient')
  await page.getByRole('button', { name: 'Listen' }).click()
  await hasText(page.locator('#listen-note'), 'Not listening to patient yet: the server waits for a broker.')
  await proxy.accept()
  await hasText(page.locator('#listen-note'), /^Listening to patient\./)
  await hasText(page.locator('#stream-state'), 'Live')
  await engine.client.publish('patient' as 'jobs', 'at last' as unknown as Job)
  await hasText(page.locator('#messages li').first(), '"at last"')
})
