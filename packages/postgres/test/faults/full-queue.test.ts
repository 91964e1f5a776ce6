import { startPostgres } from '@ps/services'
import { waitFor } from '@ps/services/vitest'
import { expect, onTestFinished, test } from 'vitest'
import { openPeer } from '../opened-backend.js'
import { expectFewLines, expectWhole, load, watchClient } from './watched-client.js'

test('a full notification queue is named, takes no message in secret, and is used again when it has room, without a gap', async () => {
  const server = await startPostgres({ settings: { max_notify_queue_pages: 64 } })
  onTestFinished(() => server.stop())
  const [lazy, busy] = [openPeer(server.url), openPeer(server.url)]
  const watched = await watchClient({ databaseUrl: server.url, publishTimeout: 1_000 })
  const [heard, other] = [await watched.hear(), await watched.hear()]
  const running = load(watched, heard)
  await running.more(100)

  await lazy`listen anything`
  await lazy`begin`
  // Each takes a page of the queue, and the lazy session reads none of them while its transaction is open.
  const fill = async (): Promise<void> => {
    for (;;) await busy`select pg_notify('elsewhere', ${'x'.repeat(7_900)})`
  }
  await expect(fill()).rejects.toMatchObject({ code: '54000' })
  await waitFor(() => running.refused() > 0)
  const refusal = watched.errors.at(-1)
  expect(refusal?.message).toMatch(/too many notifications in the NOTIFY queue/)
  const acceptedWhileFull = running.accepted.size
  await waitFor(() => running.refused() > 20, { what: 'more to be refused' })
  expect(running.accepted.size).toBe(acceptedWhileFull)

  await lazy`rollback`
  await running.more(100)
  await expectWhole(watched, heard, running)
  expect({ gaps: [heard.gaps(), other.gaps()], states: watched.states }).toEqual({ gaps: [0, 0], states: [] })
  expectFewLines(watched, 6, server.url)
})
