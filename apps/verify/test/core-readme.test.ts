import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { readmeExamples, requireRedis, runExample, uniqueName } from '@ps/services/vitest'
import { describe, expect, inject, it, type TestContext } from 'vitest'
import { root } from './documents.js'

const core = pathToFileURL(join(root, 'packages/core/'))
// Here both backends are installed, which core cannot have.
const here = new URL('..', import.meta.url)

const backends: readonly (readonly [string, (context: TestContext) => Record<string, string>])[] = [
  ['postgres', () => ({ DATABASE_URL: inject('postgresUrl') })],
  ['redis', (context) => ({ REDIS_URL: requireRedis(context) })],
]

describe.each(backends)('over %s', (name, environment) => {
  it.for(readmeExamples(core))('example %$ of the README of @ps/core runs', async (example, context) => {
    const end = await runExample(here, example, {
      PUBSUB_BACKEND: name,
      PUBSUB_PREFIX: `${uniqueName('readme')}:`,
      ...environment(context),
    })
    expect(end).toMatchObject({ code: 0, signal: null })
  })
})
