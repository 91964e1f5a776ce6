import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { spawnProgram, uniqueName, waitFor } from '@ps/services/vitest'
import { expect, inject, onTestFinished, test } from 'vitest'
import { openBackend, openPeer, withParameter } from '../opened-backend.js'

const file = fileURLToPath(new URL('listening-program.mjs', import.meta.url))

test('a program that is stopped for 20 s goes on where it was, on the same connections', {
  timeout: 60_000,
}, async () => {
  const [channel, application] = [uniqueName('stopped'), uniqueName('program')]
  const program = spawnProgram(file, [channel], {
    environment: { DATABASE_URL: withParameter(inject('postgresUrl'), 'application_name', application) },
  })
  onTestFinished(async () => void (await program.stop('SIGKILL')))
  await program.waitForOutput(/listening/)
  const admin = openPeer()
  const sessions = (): PromiseLike<{ pid: number }[]> =>
    admin<
      { pid: number }[]
    >`select pid from pg_stat_activity where application_name = ${application} order by pid`
  const before = await sessions()
  expect(before).toHaveLength(2)

  const publisher = await openBackend()
  program.process.kill('SIGSTOP')
  // How long it is stopped is the case.
  const over = sleep(20_000).then(() => true)
  let published = 0
  while (!(await Promise.race([over, sleep(20)]))) {
    await publisher.backend.publish(channel, String(published))
    published += 1
  }
  program.process.kill('SIGCONT')
  await publisher.backend.publish(channel, '"end"')
  await program.waitForOutput(/message end/)
  const lines = program.stdout().trim().split('\n').slice(1)
  expect(lines).toEqual([
    ...Array.from({ length: published }, (_, index) => `message ${index}`),
    'message end',
  ])
  // Whatever it takes for a lost connection now, it would have by its next heartbeat.
  await waitFor(async () => {
    const idle = await admin<{ count: string }[]>`
      select count(*) from pg_stat_activity where application_name = ${application} and state_change > now() - interval '3 s'`
    return Number(idle[0]?.count) === 2
  })
  expect(await sessions()).toEqual(before)
})
