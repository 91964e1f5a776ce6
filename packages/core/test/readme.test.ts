import { readmeExamples, runExample } from '@ps/services/vitest'
import { expect, it } from 'vitest'

const packageFolder = new URL('..', import.meta.url)

it.each(readmeExamples(packageFolder))('example %$ of the README runs', async (example) => {
  const { code, stderr } = await runExample(packageFolder, example, { PUBSUB_BACKEND: 'memory' })
  expect(stderr.replaceAll(/^\[pubsub\] backend memory.*\n/gm, '')).toBe('')
  expect(code).toBe(0)
})
