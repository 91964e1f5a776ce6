import { createServer, type AddressInfo } from 'node:net'
import { freePort } from '@ps/services'
import { requireRedis, runExample } from '@ps/services/vitest'
import { expect, it } from 'vitest'
import { observe, outcome, startOwnRedis } from './observed-backend.js'

const packageFolder = new URL('..', import.meta.url)

const program = (start: string, body = ''): string => `
  import { createBackend } from '@ps/redis'
  import { Redis } from 'ioredis'
  const url = process.env.URL
  const states = []
  const events = { message() {}, gap() {}, invalid() {}, state: (state) => states.push(state) }
  const backend = createBackend({ url })
  ${start}
  ${body}
  await backend.close()
  // A destroyed socket closes a few turns of the event loop later.
  for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  const handles = process.getActiveResourcesInfo().filter((kind) => /TCP|TLS|Timeout|Immediate/.test(kind))
  console.log(states.join(), handles.join())
`

const expectExit = async (url: string, body: string, stdout: string): Promise<void> => {
  expect(await runExample(packageFolder, program('await backend.start(events)', body), { URL: url })).toEqual(
    {
      code: 0,
      signal: null,
      stderr: '',
      stdout: expect.stringMatching(new RegExp(`^${stdout} \n$`)),
    },
  )
}

it('a program ends by itself after close()', async (test) => {
  await expectExit(
    requireRedis(test),
    `await backend.subscribe('c'); await backend.publish('c', '1')`,
    'ready',
  )
})

it('a program ends by itself after close() while the server is down', async () => {
  await expectExit(`redis://127.0.0.1:${await freePort()}`, `backend.subscribe('c').catch(() => {})`, 'down')
})

it('a program ends by itself after close() while the server is mute', async (test) => {
  const mute = createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1')
  await new Promise((resolve) => mute.once('listening', resolve))
  test.onTestFinished(() => void mute.close())
  const { port } = mute.address() as AddressInfo
  await expectExit(`redis://127.0.0.1:${port}`, '', 'down')
})

it('a program ends by itself after close() just after a connection was lost', async (test) => {
  const redis = await startOwnRedis(test)
  const body = `
    const admin = new Redis(url)
    await backend.subscribe('c')
    await admin.client('KILL', 'TYPE', 'PUBSUB')
    while (!states.includes('down')) await new Promise((resolve) => setImmediate(resolve))
    await admin.quit()
  `
  // It may have reconnected before it is closed.
  await expectExit(redis.url, body, 'ready,down(,ready)?')
})

it('a program whose start() was refused ends by itself', async (test) => {
  const redis = await startOwnRedis(test, { password: 'right' })
  const start = `await backend.start(events).catch((error) => states.push(error.code))`
  const end = await runExample(packageFolder, program(start), { URL: redis.url.replace('right', 'wrong') })
  expect(end).toMatchObject({ code: 0, stdout: 'authentication \n' })
})

it('close() rejects what waits for the server with "closed"', async (test) => {
  const { backend, start } = observe(test, `redis://127.0.0.1:${await freePort()}`)
  await start()
  const subscribing = outcome(backend.subscribe('c'))
  await backend.close()
  expect(await subscribing).toBe('closed')
})

it('close() during start() ends both', async (test) => {
  const { backend, start } = observe(test, `redis://127.0.0.1:${await freePort()}`)
  const starting = outcome(start())
  await backend.close()
  expect(['resolved', 'closed']).toContain(await starting)
  expect(await outcome(start())).toBe('closed')
})
