import { expect, test } from 'vitest'
import type { Measurement, Row } from '../src/results.js'
import type { Sample } from '../src/sample.js'
import { judgeTargets } from '../src/targets.js'

const row = (backend: Row['backend'], contestant: string, ...samples: Sample[]): Row => ({
  contestant,
  backend,
  kind: contestant.startsWith('@ps') ? 'ours' : 'raw',
  base: false,
  samples,
})

const measurement = (name: string, figure: string, ...rows: Row[]): Measurement => ({
  name,
  title: name,
  figure,
  shows: [figure],
  rows,
})

/** What is said of each target, without the spaces that make columns. */
const judge = (...measurements: Measurement[]): string[] =>
  judgeTargets(measurements).map((line) => line.replaceAll(/\s+/g, ' '))

test('packed and plain are each held against their own target', () => {
  const measured = measurement(
    'throughput-100',
    'perSecond',
    row('redis', '@ps', { perSecond: 190 }),
    row('redis', '@ps packed', { perSecond: 500 }),
    row('redis', 'ioredis', { perSecond: 100 }),
  )
  expect(judge(measured)).toEqual([
    'redis throughput-100, over ioredis 1.90 ≥ 2.00 ✗ MISSED',
    'redis throughput-100, @ps packed over ioredis 5.00 ≥ 5.00 ✓',
  ])
})

test('a tail may be as long as the worst round of the driver', () => {
  const rounds = [1, 2, 3].map((p99) => ({ p50: 1, p99 }))
  const tail = (p99: number): Measurement =>
    measurement(
      'latency-100',
      'p50',
      row('redis', '@ps', { p50: 1, p99 }),
      row('redis', 'ioredis', ...rounds),
    )
  const line = 'redis latency-100, p99 by the worst round of ioredis'
  expect(judge(tail(3))).toContain(`${line} 1.00 ≤ 1.00 ✓`)
  expect(judge(tail(6))).toContain(`${line} 2.00 ≤ 1.00 ✗ MISSED`)
})

test('CPU a message must not grow with the rate, and what was measured at one rate only is not judged', () => {
  const [slow, quick] = [2_000, 20_000].map((rate, index) =>
    measurement(`cpu-${rate}`, 'clientCpu', row('postgres', '@ps', { clientCpu: 100 + 50 * index })),
  ) as [Measurement, Measurement]
  expect(judge(slow)).toEqual([])
  expect(judge(slow, quick)).toEqual([
    'postgres CPU a message at 20,000/s by that at 2,000/s 1.50 ≤ 1.00 ✗ MISSED',
  ])
})

test('the api is held against the best other library, against node:http, and against what must not be lost', () => {
  const resident = (name: string, kind: Row['kind'], sample: Sample): Row => ({
    ...row('none', name, sample),
    kind,
  })
  const idle = measurement(
    'streams-idle',
    'streamResident',
    resident('@ps api', 'ours', { streamResident: 35_000, failed: 0, lost: 1 }),
    resident('node:http', 'raw', { streamResident: 11_000 }),
  )
  expect(judge(idle)).toEqual([
    'streams-idle, bytes a stream over node:http 24,000 ≤ 20,000 ✗ MISSED',
    'streams-idle, refused, or without their message 1 ≤ 0 ✗ MISSED',
  ])
  const burst = measurement(
    'streams-2000-burst',
    'deliveriesPerCpuSecond',
    resident('@ps api', 'ours', { deliveriesPerCpuSecond: 200 }),
    resident('better-sse', 'peer', { deliveriesPerCpuSecond: 50 }),
    resident('@fastify/sse', 'peer', { deliveriesPerCpuSecond: 80 }),
  )
  expect(judge(burst)).toEqual(['streams-2000-burst, over the best peer 2.50 ≥ 2.00 ✓'])
})
