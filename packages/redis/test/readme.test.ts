import { readmeExamples, requireRedis, runExample } from '@ps/services/vitest'
import { expect, it } from 'vitest'

const packageFolder = new URL('..', import.meta.url)

it.for(readmeExamples(packageFolder))('example %$ of the README runs', async (example, test) => {
  const environment = {
    PUBSUB_BACKEND: 'redis',
    REDIS_URL: requireRedis(test),
    PUBSUB_PREFIX: `${crypto.randomUUID()}:`,
  }
  const { code, stdout } = await runExample(packageFolder, example, environment)
  expect(stdout).toBe("accepted true\nheard { id: 7, state: 'done' }\n")
  expect(code).toBe(0)
})
