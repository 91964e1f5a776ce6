import { silentLogger } from '@ps/core'
import { waitFor } from '@ps/services/vitest'
import { expect, test } from 'vitest'
import { openBackend, openPeer } from './opened-backend.js'

test('more channels than the server copes with well are warned of once, not sooner, with advice', async ({
  skip,
}) => {
  const peer = openPeer()
  const [server] = await peer<
    { version: number }[]
  >`select current_setting('server_version_num')::int as version`
  skip(server !== undefined && server.version >= 190_000, 'this server copes well with any number')
  const warnings: string[] = []
  const { backend } = await openBackend({ log: { ...silentLogger, warn: (line) => warnings.push(line) } })
  const subscribe = (from: number, to: number): Promise<unknown> =>
    Promise.all(Array.from({ length: to - from }, (_, index) => backend.subscribe(`many-${from + index}`)))
  await subscribe(0, 2_000)
  // What was asked on the connection that listens has been answered by now, had it been asked.
  await backend.unsubscribe('many-0')
  await subscribe(0, 1)
  expect(warnings).toEqual([])
  await subscribe(2_000, 2_001)
  await waitFor(() => warnings.length > 0, { what: 'a warning' })
  await subscribe(2_001, 2_100)
  await backend.unsubscribe('many-0')
  expect(warnings).toHaveLength(1)
  expect(warnings[0]).toMatch(/more than 2000 channels .* use fewer channels/)
})
