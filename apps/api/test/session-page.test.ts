import { waitFor } from '@ps/services/vitest'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { type ApiProcess, ownWorld, startApiProcess } from './api-process.js'
import { startBrowser, type TestBrowser } from './dashboard-browser.js'
import { openDashboard } from './dashboard-page.js'

const token = 'a-token-for-this-page'
let api: ApiProcess
let browser: TestBrowser
beforeAll(async () => {
  ;[browser, api] = await Promise.all([
    startBrowser(),
    startApiProcess({ ...ownWorld(inject('postgresUrl')), API_TOKEN: token }),
  ])
})
afterAll(async () => {
  await browser?.close()
  await api?.stop()
})

test('a page trades its token for a session, publishes and streams with it, and shows /docs, all by its policy', async (context) => {
  const page = await openDashboard(browser, context, { address: api.url, live: false })
  const status = (path: string, init: object): Promise<number> =>
    page.evaluate(`fetch(${JSON.stringify(path)}, ${JSON.stringify(init)}).then(({ status }) => status)`)
  const message = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '"by cookie"',
  }
  expect(await status('/v1/channels/any/messages', message)).toBe(401)
  expect(await status('/v1/session', { method: 'POST', headers: { authorization: `Bearer ${token}` } })).toBe(
    200,
  )
  expect(await page.evaluate('document.cookie')).toBe('')

  const heard = page.evaluate(`new Promise((resolve, reject) => {
    const events = new EventSource('/v1/events?channel=any')
    events.addEventListener('ps.hello', () => document.title = 'listening')
    events.onmessage = ({ data }) => { events.close(); resolve(JSON.parse(data).message) }
    events.onerror = () => reject(new Error('the stream ended'))
  })`)
  await waitFor(async () => (await page.title()) === 'listening')
  expect(await status('/v1/channels/any/messages', message)).toBe(202)
  expect(await heard).toBe('by cookie')

  const ticketed = await page.evaluate(`
    fetch('/v1/tickets', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ channels: ['any'] }),
    }).then((answer) => answer.json()).then(({ ticket }) => new Promise((resolve, reject) => {
      const events = new EventSource('/v1/events?' + new URLSearchParams({ ticket }))
      events.addEventListener('ps.hello', ({ data }) => { events.close(); resolve(JSON.parse(data).channels) })
      events.onerror = () => reject(new Error('the stream ended'))
    }))`)
  expect(ticketed).toEqual(['any'])

  // Not on the page above: Swagger UI has one inline style, which our policy blocks and nobody misses.
  const docs = await page.context().newPage()
  await docs.goto(`${api.url}/docs`)
  await docs.getByText('/v1/channels/{channel}/messages').waitFor()

  expect(await status('/v1/session', { method: 'DELETE' })).toBe(204)
  expect(await status('/v1/channels/any/messages', message)).toBe(401)
})
