import { readFile } from 'node:fs/promises'
import { waitFor } from '@ps/services/vitest'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startBrowser, type TestBrowser } from './dashboard-browser.js'
import { columnCells, dropFiles, hasText, jobCard, openDashboard } from './dashboard-page.js'
import { readPenguins, startDashboardSystem, type DashboardSystem } from './dashboard-system.js'

let browser: TestBrowser
let system: DashboardSystem

beforeAll(async () => {
  ;[browser, system] = await Promise.all([startBrowser(), startDashboardSystem()])
})
afterAll(async () => {
  await browser?.close()
  await system?.stop()
})

test('a dropped file becomes a job, and its result opens by itself with the right numbers', async (context) => {
  const page = await openDashboard(browser, context, system)
  await dropFiles(page, [{ name: 'penguins.csv', content: await readPenguins() }])
  const card = jobCard(page, 'penguins.csv')
  await hasText(card.locator('.state'), 'done')
  await hasText(card.locator('.facts'), /^344 rows · 13\.5 kB/)
  await card.getByRole('table').waitFor()
  expect(await card.getByRole('rowheader').count()).toBe(7)
  expect(await columnCells(card, 'body_mass_g')).toMatchObject({
    Column: expect.stringMatching(/^body_mass_g\s+integer$/),
    Values: '342',
    Nulls: '2 < 1 %',
    Distinct: '94',
    Min: '2,700',
    Mean: '4,201.7544',
    Max: '6,300',
  })
  expect(await columnCells(card, 'sex')).toMatchObject({
    Nulls: '11 3 %',
    Distinct: '2',
    Mean: '–',
    'Most frequent': expect.stringMatching(/^MALE\s+168\s+FEMALE\s+165$/),
  })
  await card.getByRole('img', { name: /^The mean, 4,201\.7544, lies at 42 % of the way/ }).waitFor()
  await hasText(card, 'No row was rejected.')
})

test('several files at once become several jobs, and a file that is none of ours fails with its reason', async (context) => {
  const page = await openDashboard(browser, context, system)
  await dropFiles(page, [
    { name: 'one.csv', content: 'a,b\n1,2\n3\n4,5,6\n' },
    { name: 'two.ndjson', content: '{"a":1}\n{"a":2}\n' },
    { name: 'image.png', content: '\u0089PNG\r\n\u001A\n\u0000\u0000\u0000\rIHDR' },
  ])
  await hasText(jobCard(page, 'one.csv').locator('.state'), 'done')
  await hasText(jobCard(page, 'two.ndjson').locator('.state'), 'done')
  await hasText(jobCard(page, 'image.png').locator('.state'), 'failed')
  await hasText(jobCard(page, 'image.png').locator('.trouble'), /\w+ \w+/)

  const card = jobCard(page, 'one.csv')
  const toggle = card.getByRole('button', { name: 'Result of one.csv' })
  if ((await toggle.getAttribute('aria-expanded')) === 'false') await toggle.click()
  await hasText(card.getByRole('heading', { level: 4 }), '2 rejected rows')
  await hasText(card.locator('.reject-list li').first(), /^line 3\S/)
  const download = page.waitForEvent('download')
  await card.getByRole('link', { name: 'Download all' }).click()
  const lines = (await readFile(await (await download).path(), 'utf8')).trim().split('\n')
  expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([{ line: 3 }, { line: 4 }])
})

test('a running job shows how far it is, and can be cancelled', async (context) => {
  const source = await system.startSlowJob('slow.csv')
  const page = await openDashboard(browser, context, system)
  const card = jobCard(page, 'slow.csv')
  await hasText(card.locator('.state'), 'running')
  await hasText(card.locator('.facts'), /^[1-9]\d? % · [\d,]+ rows · /)
  const bar = card.getByRole('progressbar', { name: 'Progress of slow.csv' })
  await waitFor(async () => Number(await bar.getAttribute('value')) > 0.1)
  await card.getByRole('button', { name: 'Cancel slow.csv' }).click()
  await hasText(card.locator('.state'), 'cancelled')
  await bar.waitFor({ state: 'hidden' })
  await source.close()
})

test('text from files, their names and messages is shown as it is, and nothing in it is run', async (context) => {
  const page = await openDashboard(browser, context, system)
  const attack = '<img src=x onerror="window.executed=1"><script>window.executed=1</script>'
  const quoted = `"${attack.replaceAll('"', '""')}"`
  const name = '<img src=x onerror=window.executed=1>.csv'
  await dropFiles(page, [{ name, content: `${quoted},b\n${quoted},1\n${quoted},2\n${quoted}\n` }])
  const card = jobCard(page, name)
  await hasText(card.locator('.state'), 'done')
  await hasText(card.getByRole('rowheader').first(), attack)
  await hasText(card.locator('.frequent-value').first(), attack)

  await page.getByLabel('Channel', { exact: true }).fill('hostile')
  await page.getByRole('button', { name: 'Listen' }).click()
  await hasText(page.locator('#listen-note'), 'Listening to hostile.')
  await system.publish('hostile', { attack })
  await hasText(page.locator('#messages li'), JSON.stringify({ attack }))

  expect(await page.locator('body img, body script, body iframe, [onerror]').count()).toBe(0)
  expect(await page.evaluate('window.executed')).toBeUndefined()
})

test('the explorer hears a channel, publishes to it, and says in words what cannot be', async (context) => {
  const page = await openDashboard(browser, context, system)
  const channel = page.getByLabel('Channel', { exact: true })
  const message = page.getByLabel('Message, as JSON')
  const publish = page.getByRole('button', { name: 'Publish' })
  const messages = page.locator('#messages li')
  await channel.fill('grüße/1?')
  await page.getByRole('button', { name: 'Listen' }).click()
  await hasText(page.locator('#listen-note'), 'Listening to grüße/1?.')

  await system.publish('grüße/1?', { from: 'elsewhere' })
  await hasText(messages.first(), '{"from":"elsewhere"}')
  await message.fill('[1, "two"]')
  await publish.click()
  await hasText(page.locator('#publish-note'), 'Accepted for grüße/1?.')
  await hasText(messages.first(), '[1,"two"]')

  await message.fill('{ not json')
  await publish.click()
  await hasText(page.locator('#publish-note'), 'That is not JSON')
  await message.fill('{}')
  await channel.fill('jobs')
  await publish.click()
  await page.locator('#publish-note.problem').waitFor()
  await channel.fill('control:engines')
  await page.getByRole('button', { name: 'Listen' }).click()
  await page.locator('#listen-note.problem').waitFor()
  await hasText(page.locator('#stream-state'), 'Live')
  expect(await page.locator('#gaps-count').innerText()).toBe('0')
})

test('the explorer goes on behind the id of a message that is chosen, and says whether all that came since is there', async (context) => {
  const page = await openDashboard(browser, context, system)
  const channel = page.getByLabel('Channel', { exact: true })
  const after = page.getByLabel('Behind this id')
  const listen = page.locator('#listen')
  const messages = page.locator('#messages li code')
  await channel.fill('resumed')
  await listen.click()
  await hasText(page.locator('#listen-note'), /^Listening to resumed\.$/)
  for (const number of [1, 2, 3, 4, 5]) await system.publish('resumed', number)
  await hasText(messages.first(), '5')
  expect(await messages.allInnerTexts()).toEqual(['5', '4', '3', '2', '1'])

  const id = page.locator('#messages li').nth(3).getByRole('button')
  const chosen = await id.innerText()
  await id.click()
  expect(await after.inputValue()).toBe(chosen)
  await hasText(listen, 'Listen')
  await listen.click()
  await hasText(page.locator('#listen-note'), 'Resumed fully')
  await hasText(messages.first(), '5')
  expect(await messages.allInnerTexts()).toEqual(['5', '4', '3'])
  await system.publish('resumed', 6)
  await hasText(messages.first(), '6')

  await after.fill('of-another-server.7')
  await page.keyboard.press('Enter')
  await hasText(page.locator('#listen-note'), 'Not resumed')
  await hasText(page.locator('#messages .message-note'), 'the last id is not of this server')

  await system.publish('resumed', 7)
  await hasText(messages.first(), '7')
  await page.locator('#messages').focus()
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Enter')
  expect(await after.inputValue()).toMatch(/^[\w-]+\.\d+$/)
  expect(await page.evaluate('document.activeElement.id')).toBe('after')
  await page.keyboard.press('Enter')
  await hasText(page.locator('#listen-note'), 'Resumed fully')
})

test('a paused explorer holds what comes and shows it afterwards, at most 200 messages', async (context) => {
  const page = await openDashboard(browser, context, system)
  await page.getByLabel('Channel', { exact: true }).fill('flood')
  await page.getByRole('button', { name: 'Listen' }).click()
  await hasText(page.locator('#listen-note'), 'Listening to flood.')
  await page.getByRole('button', { name: 'Pause' }).click()
  for (let number = 1; number <= 220; number += 1) await system.publish('flood', { number })
  await hasText(page.locator('#messages-count'), 'paused, 220 new')
  expect(await page.locator('#messages li').count()).toBe(0)
  const goOn = page.getByRole('button', { name: 'Go on' })
  // Its name says what it does; "pressed" as well would say the opposite.
  expect(await goOn.getAttribute('aria-pressed')).toBe(null)
  await goOn.click()
  await hasText(page.locator('#messages li').first(), '{"number":220}')
  expect(await page.locator('#messages li').count()).toBe(200)
})

test('a page whose api is restarted returns by itself, says that something may have been missed, and is right again', {
  timeout: 60_000,
}, async (context) => {
  const source = await system.startSlowJob('survivor.csv')
  const page = await openDashboard(browser, context, system)
  const card = jobCard(page, 'survivor.csv')
  await hasText(card.locator('.state'), 'running')
  await system.stopApi()
  await hasText(page.locator('#stream-state'), 'Reconnecting')
  await hasText(page.locator('.stale-mark').first(), 'may be out of date')
  expect(await page.locator('.stale-mark').first().isVisible()).toBe(true)
  source.finish()
  await system.startApi()
  await hasText(page.locator('#stream-state'), 'Live')
  await hasText(page.locator('#gaps-note'), 'Something may have been missed')
  await hasText(card.locator('.state'), 'done')
  await hasText(page.locator('#gaps-note'), 'Everything was fetched again.')
  expect(await page.locator('#gaps-count').innerText()).toBe('1')
  expect(await page.locator('.stale-mark').first().isVisible()).toBe(false)
  await source.close()
})

test('a silent stream is taken for dead and opened again, and what happened without it arrives', async (context) => {
  const page = await openDashboard(browser, context, { ...system, clock: true })
  await page.clock.fastForward(30_000)
  expect(await page.locator('#gaps-count').innerText()).toBe('0')
  await page.route('**/v1/events?*', (route) => route.abort())
  await page.clock.fastForward(45_000)
  await hasText(page.locator('#stream-state'), 'Reconnecting')
  const source = await system.startSlowJob('unheard.csv')
  source.finish()
  await waitFor(async () => (await system.jobState('unheard.csv')) === 'done')
  await page.unroute('**/v1/events?*')
  await page.clock.fastForward(10_000)
  await hasText(page.locator('#stream-state'), 'Live')
  await hasText(jobCard(page, 'unheard.csv').locator('.state'), 'done')
  expect(await page.locator('#gaps-count').innerText()).toBe('0')
  await source.close()
})

test('without API_FAULTS there is nothing to break', async (context) => {
  const page = await openDashboard(browser, context, system)
  await hasText(page.locator('#backend-name'), 'Postgres')
  expect(await page.locator('#faults').isVisible()).toBe(false)
})

test('engines, the backend and the time from publish to screen are shown', async (context) => {
  const page = await openDashboard(browser, context, system)
  await hasText(page.locator('#engines .facts').first(), /\d+ of \d+ running · \d+ queued · Postgres/)
  await hasText(page.locator('#engines .engine-age').first(), /^heard/)
  await hasText(page.locator('#backend-name'), 'Postgres')
  await hasText(page.locator('#backend-note'), /Postgres answers in [\d.]+ ms/)
  await hasText(page.locator('#latency-median'), /^[\d.]+ ms$/)
})

test('all can be done by keyboard: choose a file, open its result, listen and publish', async (context) => {
  const page = await openDashboard(browser, context, system)
  const tabTo = async (selector: string): Promise<void> => {
    const target = page.locator(`${selector}:focus-visible`)
    for (let steps = 0; (await target.count()) === 0; steps += 1) {
      expect(steps, `steps to ${selector}`).toBeLessThan(40)
      await page.keyboard.press('Tab')
    }
    expect(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle')).toBe('solid')
  }
  // Asked for early: the browser must know that it is wanted before the key is pressed.
  const chooser = page.waitForEvent('filechooser')
  await tabTo('#pick-files')
  await page.keyboard.press('Enter')
  const file = { name: 'keyboard.csv', mimeType: 'text/csv', buffer: Buffer.from('a\n1\n') }
  await (await chooser).setFiles(file)
  const card = jobCard(page, 'keyboard.csv')
  await card.getByRole('table').waitFor()
  await tabTo('[aria-label="Result of keyboard.csv"]')
  await page.keyboard.press('Enter')
  await card.getByRole('table').waitFor({ state: 'detached' })
  await tabTo('#channel')
  await page.keyboard.type('keys')
  await page.keyboard.press('Enter')
  await hasText(page.locator('#listen-note'), 'Listening to keys.')
  await tabTo('#message')
  await page.keyboard.press('Control+A')
  await page.keyboard.type('"pressed"')
  await page.keyboard.press('Control+Enter')
  await hasText(page.locator('#messages li').first(), '"pressed"')
})
