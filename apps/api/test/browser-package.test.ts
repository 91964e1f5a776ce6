import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { type FaultProxy, startFaultProxy } from '@ps/services'
import { waitFor } from '@ps/services/vitest'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, inject, test, type TestContext } from 'vitest'
import { type ApiProcess, ownWorld, startApiProcess } from './api-process.js'
import { asJson } from './ask.js'
import { startBrowser, type TestBrowser } from './dashboard-browser.js'
import { openDashboard } from './dashboard-page.js'
import { bearer, inSeconds, jwtEnvironment, signToken } from './sign-token.js'

/** A web site of somebody else, which has the package and gets its tokens from a server of its own. */
interface Site {
  readonly address: string
  /** How long the tokens count that it gives out, in seconds. */
  lifetime: number
  readonly given: number
  close(): Promise<void>
}

async function startSite(apiAddress: () => string): Promise<Site> {
  const script = await readFile(fileURLToPath(import.meta.resolve('@ps/browser')), 'utf8')
  let given = 0
  let lifetime = 600
  const giveToken = (): Promise<string> => {
    given += 1
    return signToken({ subscribe: ['chat'], exp: inSeconds(lifetime) })
  }
  const giveTicket = async (): Promise<string> => {
    const headers = { 'content-type': 'application/json', ...bearer(await giveToken()) }
    const answer = await fetch(`${apiAddress()}/v1/tickets`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ channels: ['chat'] }),
    })
    return ((await answer.json()) as { ticket: string }).ticket
  }
  const answers: Readonly<Record<string, () => Promise<[string, string]>>> = {
    '/': async () => ['text/html', '<!doctype html><title>a site</title>'],
    '/browser.js': async () => ['text/javascript', script],
    '/token': async () => ['text/plain', await giveToken()],
    '/ticket': async () => ['text/plain', await giveTicket()],
  }
  const server = createServer((request, response) => {
    const answer = answers[request.url ?? ''] ?? (async () => ['text/plain', 'nothing'])
    void answer().then(([type, body]) => response.writeHead(200, { 'content-type': type }).end(body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    address: `http://localhost:${(server.address() as AddressInfo).port}`,
    get given() {
      return given
    },
    get lifetime() {
      return lifetime
    },
    set lifetime(seconds) {
      lifetime = seconds
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}

let browser: TestBrowser
let api: ApiProcess
let proxy: FaultProxy
let site: Site
beforeAll(async () => {
  site = await startSite(() => api.url)
  ;[browser, api] = await Promise.all([
    startBrowser(),
    startApiProcess({
      ...ownWorld(inject('postgresUrl')),
      ...jwtEnvironment,
      API_CORS_ORIGINS: site.address,
    }),
  ])
  proxy = await startFaultProxy({ port: api.port })
})
afterAll(async () => {
  await browser?.close()
  await proxy?.close()
  await api?.stop()
  await site?.close()
})

interface Listening {
  readonly page: Page
  heard(): Promise<readonly number[]>
  gaps(): Promise<readonly string[]>
  states(): Promise<readonly string[]>
  untilHeard(count: number): Promise<unknown>
}

/** A page of the site that listens to `chat`, through the proxy. */
async function listen(
  context: TestContext,
  credential: 'token' | 'ticket',
  clock = false,
): Promise<Listening> {
  const page = await openDashboard(browser, context, { address: site.address, live: false, clock })
  await page.evaluate(`import('/browser.js').then(({ connect }) => {
    Object.assign(window, { heard: [], gaps: [], states: [] })
    const get = (what) => () => fetch(what).then((answer) => answer.text())
    window.connection = connect('http://127.0.0.1:${proxy.port}/v1/events', {
      channels: ['chat'],
      ${credential}: get('/${credential}'),
      onMessage: ({ message }) => heard.push(message),
      onGap: ({ reason }) => gaps.push(reason),
      onState: ({ kind, reason }) => states.push(reason === undefined ? kind : kind + ': ' + reason),
    })
  })`)
  const listening: Listening = {
    page,
    heard: () => page.evaluate('heard'),
    gaps: () => page.evaluate('gaps'),
    states: () => page.evaluate('states'),
    untilHeard: (count) =>
      waitFor(async () => (await listening.heard()).length >= count, {
        what: `${count} messages`,
        timeout: 20_000,
      }),
  }
  await waitFor(async () => (await listening.states()).includes('live'), { what: 'a live stream' })
  return listening
}

const numbers = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index)

async function publish(from: number, to: number): Promise<void> {
  const token = await signToken({ publish: ['chat'] })
  for (const number of numbers(from, to)) {
    const answer = await api.ask('/v1/channels/chat/messages', {
      ...asJson(number),
      headers: { ...asJson(number).headers, ...bearer(token) },
    })
    expect(answer.status).toBe(202)
  }
}

for (const credential of ['token', 'ticket'] as const) {
  test(`after the network was cut, what was published meanwhile arrives once and in order, with a ${credential}`, async (context) => {
    const page = await listen(context, credential)
    await publish(1, 5)
    await page.untilHeard(5)
    await proxy.refuse()
    proxy.cut()
    await waitFor(async () => (await page.states()).some((state) => state.startsWith('reconnecting')))
    await publish(6, 30)
    await proxy.accept()
    await page.untilHeard(30)
    await publish(31, 32)
    await page.untilHeard(32)
    expect(await page.heard()).toEqual(numbers(1, 32))
    expect(await page.gaps()).toEqual([])
  })
}

test('after a sleep, in which the page and its connection stood still, what was published meanwhile arrives', async (context) => {
  const page = await listen(context, 'token', true)
  await publish(1, 3)
  await page.untilHeard(3)
  const session = await page.page.context().newCDPSession(page.page)
  await session.send('Page.setWebLifecycleState', { state: 'frozen' })
  // The network forgets the connection without telling either end.
  proxy.freeze()
  await publish(4, 20)
  await session.send('Page.setWebLifecycleState', { state: 'active' })
  expect(await page.heard()).toEqual(numbers(1, 3))
  await page.page.clock.fastForward(60_000)
  await waitFor(async () => (await page.states()).includes('reconnecting: the server was silent'))
  proxy.thaw()
  await page.untilHeard(20)
  expect(await page.heard()).toEqual(numbers(1, 20))
  expect(await page.gaps()).toEqual([])
})

test('a token that expires is replaced by a new one, again and again, and nothing is lost', async (context) => {
  site.lifetime = 2
  context.onTestFinished(() => {
    site.lifetime = 600
  })
  const before = site.given
  const page = await listen(context, 'token')
  let number = 0
  await waitFor(
    async () => {
      number += 1
      await publish(number, number)
      return site.given - before >= 4
    },
    { what: 'four tokens', timeout: 25_000 },
  )
  await page.untilHeard(number)
  expect(await page.heard()).toEqual(numbers(1, number))
  expect(await page.gaps()).toEqual([])
  expect(await page.states()).not.toContain('refused')
})

test('after the api was started again the page is told a gap, and hears what comes', async (context) => {
  const page = await listen(context, 'token')
  await publish(1, 2)
  await page.untilHeard(2)
  api = await api.restart()
  await waitFor(async () => (await page.gaps()).length === 1, { what: 'a gap', timeout: 20_000 })
  await publish(3, 4)
  await page.untilHeard(4)
  expect(await page.heard()).toEqual(numbers(1, 4))
  expect(await page.gaps()).toEqual([
    'the last id is not of this server, or of the time before it was started again',
  ])
})
