import { expect, it } from 'vitest'
import { type ExamineBackendsOptions, examineBackends } from '../src/examine-backends.js'
import type { BackendModule, ExamineOptions } from '../src/index.js'
import { createBackend } from '../src/memory.js'

const findingsOf = async (options: ExamineBackendsOptions): Promise<unknown[]> => {
  const findings: unknown[] = []
  for await (const finding of examineBackends({ environment: {}, ...options })) findings.push(finding)
  return findings
}

const module = (examine: BackendModule['examine']): (() => BackendModule) => {
  return () => (examine === undefined ? { createBackend } : { createBackend, examine })
}

it('each backend is asked in the order of the plan, and told where to look and at which channels', async () => {
  const asked: ExamineOptions[] = []
  const examine = (code: string) =>
    module(async function* (options) {
      asked.push(options)
      yield { code, severity: 'ok', message: 'it is there' }
    })
  const found = await findingsOf({
    backend: 'redis',
    fallback: 'postgres',
    backends: { redis: examine('first'), postgres: examine('second') },
    redisUrl: 'redis://here',
    databaseUrl: 'postgres://there',
    listenUrl: 'postgres://direct',
    prefix: 'test:',
    maxMessageBytes: 1_000,
    channels: ['jobs'],
  })
  expect(found).toEqual([
    { backend: 'redis', code: 'first', severity: 'ok', message: 'it is there' },
    { backend: 'postgres', code: 'second', severity: 'ok', message: 'it is there' },
  ])
  const common = { maxMessageBytes: 1_000, prefix: 'test:', channels: ['test:jobs', 'test:$ps.recovery'] }
  expect(asked).toEqual([
    { ...common, url: 'redis://here', listenUrl: undefined },
    { ...common, url: 'postgres://there', listenUrl: 'postgres://direct' },
  ])
})

it('a backend that cannot examine says nothing, and one that fails is a problem and hides no other', async () => {
  const found = await findingsOf({
    backend: 'redis',
    fallback: 'postgres',
    backends: {
      redis: module(() => {
        throw new Error('no idea')
      }),
      postgres: module(undefined),
    },
    databaseUrl: 'postgres://there',
  })
  expect(found).toEqual([
    { backend: 'redis', code: 'examination_failed', severity: 'problem', message: 'no idea' },
  ])
  expect(await findingsOf({ backends: { postgres: module(undefined) } })).toMatchObject([
    { backend: 'postgres', code: 'configuration', message: expect.stringContaining('DATABASE_URL') },
  ])
})
