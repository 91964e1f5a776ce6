import { expect, test } from 'vitest'
import { asEngine, asJob } from '../dashboard/incoming.js'

const job = {
  id: '1',
  kind: 'profile',
  state: 'running',
  name: 'a.csv',
  engine: 'engine',
  createdAt: '2026-01-01T00:00:00.000Z',
  rows: 0,
  rejected: 0,
  bytes: 0,
  revision: 1,
}
const engine = {
  engine: 'e',
  host: 'h',
  processId: 1,
  capacity: 2,
  running: 0,
  queued: 0,
  backend: 'postgres',
}

test('jobs and announcements of engines are taken as they are', () => {
  expect(asJob(job)).toBe(job)
  expect(asEngine(engine)).toBe(engine)
})

test('what somebody else sends on these channels is not taken for one', () => {
  for (const message of [
    null,
    7,
    'job',
    [],
    {},
    engine,
    { ...job, state: 'sleeping' },
    { ...job, revision: '1' },
    { ...job, rows: Number('1e999') },
    { ...job, totalBytes: 'many' },
  ]) {
    expect(asJob(message), JSON.stringify(message)).toBeUndefined()
  }
  for (const message of [
    null,
    7,
    {},
    job,
    { ...engine, host: undefined },
    { ...engine, running: Number('1e999') },
  ]) {
    expect(asEngine(message), JSON.stringify(message)).toBeUndefined()
  }
})
