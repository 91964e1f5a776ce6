import { setTimeout as sleep } from 'node:timers/promises'
import { expectSurvival } from '@ps/conformance'
import { startPostgres } from '@ps/services'
import { expect, it, onTestFinished } from 'vitest'
import { createBackend } from '../../src/index.js'

it('an outage of a minute is one gap, and all works when the server is back', {
  timeout: 120_000,
}, async () => {
  const server = await startPostgres()
  onTestFinished(() => server.stop())
  const { refused } = await expectSurvival({
    create: () => createBackend({ url: server.url }),
    async fault(traffic) {
      server.kill('SIGKILL')
      await traffic.noticed()
      // How long the server stays away is the case.
      await sleep(60_000)
      await server.restart()
      await traffic.recovered()
    },
  })
  // What waited for longer than the publish timeout.
  expect(refused).toBeGreaterThan(0)
})
