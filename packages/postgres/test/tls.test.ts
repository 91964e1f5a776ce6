import { startPostgres } from '@ps/services'
import { uniqueName } from '@ps/services/vitest'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeBackend, openBackend, openPeer } from './opened-backend.js'

let server: Awaited<ReturnType<typeof startPostgres>>
let authority: string

beforeAll(async () => {
  server = await startPostgres({ tls: true })
  authority = encodeURIComponent(server.caFile ?? '')
})

afterAll(() => server.stop())

const isEncrypted = async (application: string): Promise<boolean> => {
  const sessions = await openPeer(server.url)<{ ssl: boolean }[]>`
    select ssl from pg_stat_ssl join pg_stat_activity using (pid) where application_name = ${application}
  `
  expect(sessions).toHaveLength(2)
  return sessions.every(({ ssl }) => ssl)
}

test.each([
  ['disable', false],
  ['allow', false],
  ['prefer', true],
  ['require', true],
])('with sslmode=%s the sessions are encrypted: %s', async (mode, encrypted) => {
  const { backend, application, payloads } = await openBackend({ url: `${server.url}?sslmode=${mode}` })
  expect(await isEncrypted(application)).toBe(encrypted)
  const channel = uniqueName('tls')
  await backend.subscribe(channel)
  const sent = JSON.stringify('x'.repeat(500_000))
  await backend.publish(channel, sent)
  expect(await payloads(1)).toEqual([sent])
})

test.each(['verify-ca', 'verify-full', 'require'])(
  'with sslmode=%s and the authority in sslrootcert the server is trusted',
  async (mode) => {
    const url = `${server.url}?sslmode=${mode}&sslrootcert=${authority}`
    const { events, application } = await openBackend({ url })
    expect(events).toEqual(['ready'])
    expect(await isEncrypted(application)).toBe(true)
  },
)

test.each(['verify-ca', 'verify-full'])('with sslmode=%s an unknown authority is refused', async (mode) => {
  const { start } = makeBackend({ url: `${server.url}?sslmode=${mode}` })
  await expect(start()).rejects.toMatchObject({
    code: 'configuration',
    message: expect.stringContaining('check sslmode and sslrootcert'),
  })
})

test('verify-full refuses a certificate for another address, verify-ca does not', async () => {
  // Leads to this machine as 127.0.0.1 does, and stands in no certificate.
  const url = `${server.url.replace('127.0.0.1', '0.0.0.0')}?sslrootcert=${authority}`
  const refused = makeBackend({ url: `${url}&sslmode=verify-full` })
  await expect(refused.start()).rejects.toMatchObject({
    code: 'configuration',
    message: expect.stringContaining('does not match'),
  })
  expect((await openBackend({ url: `${url}&sslmode=verify-ca` })).events).toEqual(['ready'])
})
