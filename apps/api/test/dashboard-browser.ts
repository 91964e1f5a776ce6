import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import sparticuz from '@sparticuz/chromium'
import { chromium, type Browser } from 'playwright-core'

/** A Chromium for one test file, or why there is none. */
export interface TestBrowser {
  readonly browser: Browser | undefined
  readonly missing: string
  close(): Promise<void>
}

const names = ['chromium', 'chromium-browser', 'google-chrome']

/** Tries the browser of `CHROMIUM_PATH`, then the one from npm, then those on the PATH. */
export async function startBrowser(): Promise<TestBrowser> {
  // The one from npm unpacks itself where temporary files go: a folder of our own leaves nothing behind.
  const folder = mkdtempSync(join(tmpdir(), 'dashboard-browser-'))
  const before = process.env['TMPDIR']
  process.env['TMPDIR'] = folder
  const remove = (): void => rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  const failures: string[] = []
  try {
    for (const find of [() => process.env['CHROMIUM_PATH'], unpackedBrowser, browserOnPath]) {
      try {
        const executablePath = await find()
        if (executablePath === undefined || executablePath === '') continue
        const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] })
        return {
          browser,
          missing: '',
          async close() {
            await browser.close()
            remove()
          },
        }
      } catch (error) {
        failures.push(error instanceof Error ? error.message : String(error))
      }
    }
  } finally {
    if (before === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = before
  }
  remove()
  const reasons = failures.length === 0 ? '' : ` (${failures.join('; ')})`
  const missing = `no Chromium runs here${reasons}; set CHROMIUM_PATH to one`
  return { browser: undefined, missing, close: async () => undefined }
}

async function unpackedBrowser(): Promise<string | undefined> {
  return process.platform === 'linux' && process.arch === 'x64' ? sparticuz.executablePath() : undefined
}

function browserOnPath(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  return folders.flatMap((folder) => names.map((name) => join(folder, name))).find((file) => existsSync(file))
}
