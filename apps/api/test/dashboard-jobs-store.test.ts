import type { Job } from '@ps/jobs'
import { expect, test } from 'vitest'
import { createJobsStore } from '../dashboard/jobs-store.js'

const job = (id: string, change: Partial<Job> = {}): Job => ({
  id,
  kind: 'profile',
  state: 'running',
  name: `${id}.csv`,
  engine: 'engine',
  createdAt: '2026-01-01T00:00:00.000Z',
  rows: 0,
  rejected: 0,
  bytes: 0,
  revision: 1,
  ...change,
})

const idsOf = (jobs: readonly Job[]): readonly string[] => jobs.map(({ id }) => id)

test('a message that comes late does not undo a newer one', () => {
  const store = createJobsStore(() => undefined)
  store.put(job('a', { revision: 3, rows: 30 }))
  store.put(job('a', { revision: 2, rows: 20 }))
  expect(store.list()).toMatchObject([{ revision: 3, rows: 30 }])
})

test('the api may call a job lost without a new revision, and the engine may bring it back', () => {
  const store = createJobsStore(() => undefined)
  store.put(job('a', { revision: 3 }))
  store.replaceAll([job('a', { revision: 3, state: 'lost' })], Date.now())
  expect(store.list()).toMatchObject([{ state: 'lost' }])
  store.put(job('a', { revision: 3 }))
  expect(store.list()).toMatchObject([{ state: 'running' }])
})

test('a list drops the jobs that it does not hold, but not one heard of since it was asked for', () => {
  const store = createJobsStore(() => undefined)
  store.put(job('old'))
  store.replaceAll([job('kept')], Date.now() + 1)
  expect(idsOf(store.list())).toEqual(['kept'])
  store.put(job('new'))
  store.replaceAll([job('kept')], Date.now() - 1_000)
  expect(idsOf(store.list()).toSorted()).toEqual(['kept', 'new'])
})

test('jobs are listed newest first, and only the newest 2,000 are kept', () => {
  const store = createJobsStore(() => undefined)
  for (let number = 0; number < 2_050; number += 1) {
    store.put(job(`job-${number}`, { createdAt: new Date(1_000 * number).toISOString() }))
  }
  expect(store.list()).toHaveLength(2_000)
  expect(idsOf(store.list()).slice(0, 2)).toEqual(['job-2049', 'job-2048'])
})

test('results are not kept', () => {
  const store = createJobsStore(() => undefined)
  store.put(job('a', { state: 'done', result: { rows: 0, rejected: 0, columns: [], rejects: [] } }))
  expect(store.list()[0]).not.toHaveProperty('result')
})
