import { uniqueName } from '@ps/services/vitest'
import { expect, inject, onTestFinished, test } from 'vitest'
import { runStreams } from '../src/streams/run-streams.js'
import { createStreamAudit } from '../src/streams/stream-audit.js'
import type { StreamPlan } from '../src/streams/stream-plan.js'
import { type StreamEvidence, streamRows } from '../src/streams/stream-verdict.js'
import { renderTable } from '../src/table.js'
import { type Change, openLossyWay } from './lossy-way.js'

const plan: StreamPlan = {
  clients: { regular: 12, stalling: 0, killed: 6, late: 0 },
  returns: 5,
  channels: ['a', 'b', 'c'].map((name) => ({ name, rate: 40, size: 100, before: 50 })),
}

async function run(change?: Change): Promise<StreamEvidence> {
  return runStreams({
    plan,
    minutes: 0.05,
    seed: 1,
    patience: change === undefined ? 20_000 : 2_000,
    databaseUrl: inject('postgresUrl'),
    prefix: `${uniqueName('streams')}:`,
    ...(change !== undefined && {
      async way(port) {
        const way = await openLossyWay(port, change)
        onTestFinished(way.close)
        return way.port
      },
    }),
    signal: new AbortController().signal,
    onProgress() {},
  })
}

const broken = (evidence: StreamEvidence): string[] =>
  streamRows(evidence)
    .filter((row) => row.broken)
    .map(({ label }) => label)

test('clients that die and come back have everything once, and the table says so', async () => {
  const evidence = await run()
  expect(broken(evidence)).toEqual([])
  expect(evidence.counts.messages).toBeGreaterThan(1_000)
  expect(evidence.troubles.returns).toBeGreaterThan(10)
  expect(evidence.counts.resumed.full).toBeGreaterThan(10)
  const table = renderTable(['api'], streamRows(evidence))
  expect(table).toMatch(/^lost +0 +0 {2}✓$/m)
  expect(table).not.toContain('BROKEN')
}, 60_000)

test('frames that get lost on the way are found', async () => {
  expect(broken(await run(() => ''))).toContain('lost')
}, 60_000)

test('frames that come twice are found', async () => {
  const found = broken(await run((chunk) => chunk + chunk))
  expect(found).toContain('doubled')
  expect(found).toContain('ids that did not rise')
  expect(found).not.toContain('lost')
}, 60_000)

test('a run is judged by what it was to show: every trouble from one minute on, memory from three', () => {
  const counts = { ...createStreamAudit(() => 0).counts, messages: 1 }
  const memory = { resident: [1, 1], live: [100, 111], growth: 0.11 } as const
  const evidence: StreamEvidence = {
    minutes: 0.5,
    streams: 1,
    published: 1,
    refused: 0,
    counts,
    troubles: { returns: 0, stalls: 0, kills: 0, absences: 0 },
    incomplete: 0,
    refusedStreams: [],
    loggedErrors: 0,
    memory,
  }
  expect(broken(evidence)).toEqual([])
  const all = ['came back at once', 'killed', 'stalled', 'cut as too slow', 'away for longer than is kept']
  expect(broken({ ...evidence, minutes: 1 })).toEqual(all)
  expect(broken({ ...evidence, minutes: 3 })).toEqual([...all, 'api: live MB (2)'])
  expect(broken({ ...evidence, minutes: 3, memory: { ...memory, growth: 0.09 } })).toEqual(all)
  expect(
    broken({
      ...evidence,
      refused: 1,
      incomplete: 1,
      loggedErrors: 1,
      refusedStreams: ['answered with 503'],
    }),
  ).toEqual([
    'not accepted',
    'streams that did not come',
    'clients that did not hear the last message',
    'errors in the log of the api',
  ])
})
