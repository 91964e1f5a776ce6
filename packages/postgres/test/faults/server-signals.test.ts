import { startPostgres } from '@ps/services'
import { expect, inject, onTestFinished, test } from 'vitest'
import { killSessions, openPeer } from '../opened-backend.js'
import { expectFewLines, expectWhole, load, watchClient } from './watched-client.js'

test('a server of which every process is stopped under load is given up, and taken again when it goes on', async () => {
  const server = await startPostgres()
  onTestFinished(() => server.stop())
  const watched = await watchClient({ databaseUrl: server.url })
  const [heard, other] = [await watched.hear(), await watched.hear()]
  const running = load(watched, heard)
  await running.more(200)
  server.kill('SIGSTOP')
  // After its own patience of some seconds.
  await watched.downs(1)
  expect(watched.lines.join('\n')).toMatch(/no answer within 4 s/)
  server.kill('SIGCONT')
  await watched.ready()
  await running.more(200)
  await expectWhole(watched, heard, running)
  // The connection that listens may have been lost or not, and both listeners are told the same.
  expect(heard.gaps()).toBe(other.gaps())
  expect(heard.gaps()).toBeLessThanOrEqual(1)
  expectFewLines(watched, 16, server.url)
})

test('a server that is killed and started again under load is taken again each time, with one gap', async () => {
  const server = await startPostgres()
  onTestFinished(() => server.stop())
  const watched = await watchClient({ databaseUrl: server.url })
  const [heard, other] = [await watched.hear(), await watched.hear()]
  const running = load(watched, heard)
  for (let time = 1; time <= 3; time += 1) {
    await running.more(200)
    server.kill('SIGKILL')
    await watched.downs(time)
    await server.restart()
    await watched.ready()
  }
  await running.more(200)
  await expectWhole(watched, heard, running)
  expect([heard.gaps(), other.gaps()]).toEqual([3, 3])
  expectFewLines(watched, 36, server.url)
})

test('200 times every session is ended under load: whatever was accepted has arrived, or a gap is told in its place', async () => {
  const url = inject('postgresUrl')
  const admin = openPeer(url)
  const watched = await watchClient({ databaseUrl: url })
  const [heard, other] = [await watched.hear(), await watched.hear()]
  const running = load(watched, heard)
  const kills = 200
  for (let kill = 1; kill <= kills; kill += 1) {
    await running.more(20)
    expect(await killSessions(admin, watched.application)).toBe(2)
    await watched.downs(kill)
    await watched.ready()
  }
  await expectWhole(watched, heard, running)
  expect([heard.gaps(), other.gaps()]).toEqual([kills, kills])
  // The start and the end of each are news; what failed meanwhile is summed up.
  expectFewLines(watched, 4 * kills, url)
}, 120_000)
