import type { BrowserContextOptions, Locator, Page } from 'playwright-core'
import { expect, type TestContext } from 'vitest'
import type { TestBrowser } from './dashboard-browser.js'

/** What {@link openDashboard} opens. */
export interface DashboardPageOptions extends BrowserContextOptions {
  readonly address: string
  /** Wait until the stream is live. Default: `true`. */
  readonly live?: boolean
  /** Let the test move the page's clock. Default: `false`. */
  readonly clock?: boolean
}

/** Opens the dashboard in a browser profile of its own. An error in the page, or a breach of its policy, fails the test. */
export async function openDashboard(
  { browser, missing }: TestBrowser,
  { skip, onTestFinished }: TestContext,
  { address, live = true, clock = false, ...options }: DashboardPageOptions,
): Promise<Page> {
  if (browser === undefined) {
    if (process.env['CI']) throw new Error(missing)
    return skip(missing)
  }
  const profile = await browser.newContext({ viewport: { width: 1360, height: 900 }, ...options })
  profile.setDefaultTimeout(15_000)
  const page = await profile.newPage()
  const troubles: string[] = []
  page.on('pageerror', (error) => troubles.push(error.message))
  page.on('dialog', (dialog) => {
    troubles.push(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  page.on('console', (message) => {
    if (message.text().includes('Content Security Policy')) troubles.push(message.text())
  })
  onTestFinished(async () => {
    await profile.close()
    expect(troubles).toEqual([])
  })
  if (clock) await page.clock.install()
  await page.goto(address)
  if (live) await hasText(page.locator('#stream-state'), 'Live')
  return page
}

/** Waits until the element holds this text. */
export const hasText = (locator: Locator, text: string | RegExp): Promise<void> =>
  locator.filter({ hasText: text }).waitFor()

/** The card of the job with this name. */
export const jobCard = (page: Page, name: string): Locator =>
  page.locator('#jobs > li').filter({ has: page.getByRole('heading', { name, exact: true }) })

/** What the row of this column says in the result, by heading. */
export async function columnCells(card: Locator, column: string): Promise<Record<string, string>> {
  const row = card.getByRole('row').filter({ has: card.page().getByRole('rowheader', { name: column }) })
  const cells: Record<string, string> = { Column: await row.getByRole('rowheader').innerText() }
  for (const cell of await row.getByRole('cell').all()) {
    cells[(await cell.getAttribute('data-heading')) ?? ''] = (await cell.innerText()).trim()
  }
  return cells
}

/** Drops files on the page as the mouse does. */
export async function dropFiles(
  page: Page,
  files: readonly { readonly name: string; readonly content: string }[],
): Promise<void> {
  const transfer = await page.evaluateHandle(`(() => {
    const transfer = new DataTransfer()
    for (const { name, content } of ${JSON.stringify(files)}) transfer.items.add(new File([content], name))
    return transfer
  })()`)
  for (const event of ['dragenter', 'dragover', 'drop']) {
    await page.locator('#drop-zone').dispatchEvent(event, { dataTransfer: transfer })
  }
}
