import type { Job } from '@ps/jobs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createJobFilter } from '../dashboard/job-filter.js'
import { openJobFiles } from '../src/job-files.js'
import { startBrowser, type TestBrowser } from './dashboard-browser.js'
import { columnCells, dropFiles, hasText, jobCard, openDashboard } from './dashboard-page.js'
import { startDashboardSystem, type DashboardSystem } from './dashboard-system.js'

/** As many as the api keeps. */
const count = 1_000
/** Every 50th has failed. */
const failedEvery = 50

let browser: TestBrowser
let system: DashboardSystem

async function prepare(folder: string): Promise<void> {
  const files = await openJobFiles(folder)
  for (let number = 1; number <= count; number += 1) {
    const hasFailed = number % failedEvery === 0
    const startedAt = new Date(Date.UTC(2026, 0, 1) + number * 60_000).toISOString()
    const job: Job = {
      id: `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`,
      kind: 'profile',
      state: hasFailed ? 'failed' : 'done',
      name: `report ${String(number).padStart(4, '0')}.csv`,
      engine: 'an-engine-of-before',
      createdAt: startedAt,
      startedAt,
      endedAt: startedAt,
      rows: hasFailed ? 0 : number,
      rejected: 0,
      bytes: 8 * number,
      revision: 9,
      ...(hasFailed && { error: `report ${number} cannot be read` }),
    }
    const result = {
      rows: number,
      rejected: 0,
      rejects: [],
      columns: [
        {
          name: 'figure',
          type: 'integer' as const,
          count: number,
          nulls: 0,
          distinct: number,
          distinctExact: true,
          min: 1,
          max: number,
          mean: (number + 1) / 2,
          frequent: [],
          frequentExact: true,
        },
      ],
    }
    await files.save({ job, isOurs: true }, hasFailed ? undefined : result)
  }
}

beforeAll(async () => {
  ;[browser, system] = await Promise.all([startBrowser(), startDashboardSystem({ prepare })])
})
afterAll(async () => {
  await browser?.close()
  await system?.stop()
})

test('a thousand ended jobs are counted, shown 50 at a time, found by name and state, and open with their results', async (context) => {
  const page = await openDashboard(browser, context, system)
  const cards = page.locator('#jobs > li')
  const name = page.getByLabel('Name', { exact: true })
  const state = page.getByLabel('State', { exact: true })
  const more = page.getByRole('button', { name: 'Show 50 more' })
  await hasText(page.locator('#jobs-count'), '1,000 jobs, 50 shown')
  expect(await cards.count()).toBe(50)
  await hasText(cards.first().locator('.job-name'), 'report 1000.csv')
  await more.click()
  await hasText(page.locator('#jobs-count'), '1,000 jobs, 100 shown')
  expect(await cards.count()).toBe(100)
  await hasText(cards.nth(99).locator('.job-name'), 'report 0901.csv')

  await state.selectOption('failed')
  await hasText(page.locator('#jobs-count'), /^20 of 1,000 jobs$/)
  expect(await cards.count()).toBe(20)
  await hasText(cards.last().locator('.trouble'), 'report 50 cannot be read')
  await more.waitFor({ state: 'hidden' })

  await state.selectOption('all')
  await name.fill('REPORT 0042')
  await hasText(page.locator('#jobs-count'), /^1 of 1,000 jobs$/)
  const card = jobCard(page, 'report 0042.csv')
  await card.getByRole('button', { name: 'Result of report 0042.csv' }).click()
  await card.getByRole('table').waitFor()
  expect(await columnCells(card, 'figure')).toMatchObject({ Values: '42', Max: '42', Mean: '21.5' })
  await name.fill('no such report')
  await hasText(page.locator('#jobs-empty'), 'No job matches.')
})

test('what somebody reads at the end of a page stays there while new jobs come', async (context) => {
  const page = await openDashboard(browser, context, system)
  const last = page.locator('#jobs > li').nth(49)
  const name = await last.locator('.job-name').innerText()
  await last.getByRole('button', { name: /^Result of/ }).click()
  const card = jobCard(page, name)
  await card.getByRole('table').waitFor()
  await dropFiles(page, [{ name: 'newer.csv', content: 'a\n1\n' }])
  await hasText(jobCard(page, 'newer.csv').locator('.state'), 'done')
  await hasText(page.locator('#jobs-count'), '51 shown')
  expect(await card.getByRole('table').isVisible()).toBe(true)
})

test('a filter takes one state or all, and any part of a name', () => {
  const job = { state: 'done', name: 'Öl und Gas.csv' } as const
  expect(createJobFilter('all', '').matches(job)).toBe(true)
  expect(createJobFilter('done', ' öl ').matches(job)).toBe(true)
  expect(createJobFilter('failed', '').matches(job)).toBe(false)
  expect(createJobFilter('all', 'oil').matches(job)).toBe(false)
  expect([createJobFilter('all', ' ').isOn, createJobFilter('lost', '').isOn]).toEqual([false, true])
})
