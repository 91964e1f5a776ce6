import { readmeExamples, runExample } from '@ps/services/vitest'
import { expect, test } from 'vitest'
import { startEventServer } from './event-server.js'

const packageFolder = new URL('..', import.meta.url)

test('the example of the README hears messages and gaps', async ({ onTestFinished }) => {
  const server = await startEventServer()
  onTestFinished(server.close)
  const [example = ''] = readmeExamples(packageFolder)
  // Where there is no page, an address has to be whole.
  const running = runExample(packageFolder, example.replace('/v1/events', server.address))
  const request = await server.request(0)
  request.hello({ channels: ['jobs', 'chat'], live: true, head: 'e.0' })
  request.send('message', { channel: 'chat', message: 'hello' }, 'e.1')
  request.send('ps.gap', { channel: 'jobs', reason: 'interrupted' }, 'e.2')
  request.send('message', { channel: 'chat', message: 'goodbye' }, 'e.3')
  const { code, stdout, stderr } = await running
  expect(stderr).toBe('')
  expect(stdout.trim().split('\n')).toEqual([
    'the connection is live',
    'chat hello',
    'fetch jobs anew: interrupted',
    'chat goodbye',
    'the connection is closed',
  ])
  expect(code).toBe(0)
})
