import { waitFor } from '@ps/services/vitest'
import type { Redis } from 'ioredis'
import { describe, expect, it } from 'vitest'
import { createBackend } from '../../src/index.js'
import { connectAdmin, startOwnRedis } from '../observed-backend.js'
import { expectToldOnce, killConnections, survive } from './struck-clients.js'

const kills = 200
/** The channels that are listened on under load. */
const channels = 2

async function countCommands(admin: Redis, command: string): Promise<number> {
  const statistics = await admin.info('commandstats')
  return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(statistics)?.[1] ?? 0)
}

// Each waits for reconnects and does little else.
describe.concurrent('connections that the server kills 200 times under load', () => {
  it('where they listen: 200 gaps, and each channel is subscribed again once a kill', {
    timeout: 300_000,
  }, async (test) => {
    const server = await startOwnRedis(test)
    const admin = connectAdmin(test, server.url)
    const { publisher, listener } = await survive({
      create: () => createBackend({ url: server.url }),
      gaps: { atLeast: kills, atMost: kills },
      parallel: 4,
      async fault({ listener: struck, flow }) {
        const before = await countCommands(admin, 'subscribe')
        for (let time = 1; time <= kills; time += 1) {
          expect(await killConnections(admin, 'PUBSUB')).toBe(1)
          await waitFor(() => struck.states.length === 2 * time, { what: `recovery from kill ${time}` })
          await flow(1)
        }
        expect((await countCommands(admin, 'subscribe')) - before).toBe(kills * channels)
      },
    })
    expectToldOnce(listener, kills)
    expectToldOnce(publisher, 0)
  })

  it('where they publish: no gap, nothing lost, and nothing subscribed again', {
    timeout: 300_000,
  }, async (test) => {
    const server = await startOwnRedis(test)
    const admin = connectAdmin(test, server.url)
    const { publisher, listener, refused } = await survive({
      create: () => createBackend({ url: server.url }),
      gaps: { atLeast: 0, atMost: 0 },
      parallel: 4,
      async fault({ publisher: struck, flow }) {
        const before = await countCommands(admin, 'subscribe')
        for (let time = 1; time <= kills; time += 1) {
          expect(await killConnections(admin, 'NORMAL')).toBeGreaterThanOrEqual(1)
          await waitFor(() => struck.states.length === 2 * time, { what: `recovery from kill ${time}` })
          await flow(1)
        }
        expect((await countCommands(admin, 'subscribe')) - before).toBe(0)
      },
    })
    expectToldOnce(publisher, kills, { otherLines: 100 })
    expect(listener.states.length).toBeGreaterThan(0)
    // What was in flight.
    expect(refused).toBeGreaterThan(0)
  })
})
