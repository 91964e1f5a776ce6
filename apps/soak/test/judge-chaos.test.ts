import { expect, test } from 'vitest'
import { judgeChaos } from '../src/judge-chaos.js'
import { createLedger } from '../src/ledger.js'
import { type AuditPlan, type Fault, gapMark } from '../src/messages.js'

const plan: AuditPlan = {
  program: 'chaos',
  minutes: 1,
  seed: 1,
  publishers: 2,
  listeners: 1,
  channels: 1,
  faultKinds: ['redis: link cut', 'postgres: link cut'],
  fleets: ['redis+postgres'],
}

const gap = 'gap'

/**
 * One channel on which each publisher publishes once every 100 ms, settled 20 ms later with the outcomes of a string of 1
 * and 0, and what the listener hears: `[publisher, sequence]` or a gap.
 */
function ledgerOf(
  outcomes: readonly string[],
  heard: readonly (typeof gap | [number, number])[],
  forgotten: readonly number[] = [],
) {
  const fleet = 'redis+postgres'
  const ledger = createLedger(plan, 0)
  for (const [number, text] of outcomes.entries()) {
    const rows = Array.from(text, Number).flatMap((outcome, sequence) => [
      0,
      sequence,
      outcome,
      sequence * 100,
      sequence * 100 + 20,
    ])
    ledger.add({ kind: 'published', fleet, number, rows, packs: 0, acknowledged: { redis: text.length } })
    ledger.add({ kind: 'recovery', fleet, number, resent: 1, forgotten: forgotten[number] ?? 0 })
  }
  const rows = heard.flatMap((item) => (item === gap ? [0, gapMark, 0, 0] : [0, ...item, 0]))
  ledger.add({ kind: 'heard', fleet, number: 0, rows, damaged: 0 })
  return ledger
}

const fault = (backend: string, start: number, end: number, proven = true): Fault => ({
  fleet: 'redis+postgres',
  backend,
  kind: 'link cut',
  start,
  end,
  publishers: [],
  proven,
  proof: '',
})

test('a message that is missing is lost, whether a gap was told or not', () => {
  const ledger = ledgerOf(['11111', '1'], [[0, 0], gap, [0, 2], [0, 4], [1, 0]])
  expect(judgeChaos(plan, ledger, [])).toMatchObject({ lost: 2, lostPastRing: 0, groundlessGaps: 0 })
})

test('what its publisher no longer kept is lost past the ring, where a gap was told', () => {
  const ledger = ledgerOf(['1111', '1'], [[0, 0], gap, [0, 3], [1, 0]], [2])
  expect(judgeChaos(plan, ledger, [])).toMatchObject({ lost: 0, lostPastRing: 2 })
})

test('no more is lost past the ring than its publisher has on record', () => {
  const ledger = ledgerOf(['1111', '1'], [[0, 0], gap, [0, 3], [1, 0]], [1])
  expect(judgeChaos(plan, ledger, [])).toMatchObject({ lost: 1, lostPastRing: 1 })
})

test('what one publisher no longer kept excuses nothing that another one lost', () => {
  const ledger = ledgerOf(['1111', '1'], [[0, 0], gap, [0, 3], [1, 0]], [0, 2])
  expect(judgeChaos(plan, ledger, [])).toMatchObject({ lost: 2, lostPastRing: 0 })
})

test('what was lost without a gap is never lost past the ring', () => {
  const ledger = ledgerOf(
    ['1111', '1'],
    [
      [0, 0],
      [0, 3],
      [1, 0],
    ],
    [2],
  )
  expect(judgeChaos(plan, ledger, [])).toMatchObject({ lost: 2, lostPastRing: 0 })
})

test('a publish that was not accepted counts, also during a fault', () => {
  const ledger = ledgerOf(['1011', '1'], [])
  expect(judgeChaos(plan, ledger, [fault('redis', 50, 250)])).toMatchObject({
    whileAlive: 5,
    acceptedWhileAlive: 4,
  })
})

test('the wait for the first true counts from the start of a fault, for every publisher', () => {
  const ledger = ledgerOf(['110011', '111111'], [])
  const faults = [fault('postgres', 50, 90), fault('redis', 150, 390)]
  expect(judgeChaos(plan, ledger, faults)).toMatchObject({
    slowestReturn: 270,
    slowestFault: { kind: 'redis: link cut', start: 150 },
  })
})

test('faults of one kind on two brokers are two kinds', () => {
  const faults = [fault('redis', 0, 0), fault('redis', 0, 0, false), fault('postgres', 0, 0)]
  expect(judgeChaos(plan, ledgerOf([], []), faults).faults).toEqual({
    'redis: link cut': { done: 2, proven: 1 },
    'postgres: link cut': { done: 1, proven: 1 },
  })
})

test('what was sent again and acknowledged is added up', () => {
  const judged = judgeChaos(plan, ledgerOf(['11', '111'], []), [])
  expect(judged.resent).toBe(2)
  expect(judged.acknowledged).toEqual(new Map([['redis', 5]]))
})
