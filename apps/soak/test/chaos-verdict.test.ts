import { expect, test } from 'vitest'
import { chaosRows } from '../src/chaos-verdict.js'
import type { Evidence } from '../src/evidence.js'
import type { ChaosJudgement } from '../src/judge-chaos.js'
import type { AuditPlan } from '../src/messages.js'

const plan: AuditPlan = {
  program: 'chaos',
  minutes: 2,
  seed: 1,
  publishers: 1,
  listeners: 1,
  channels: 1,
  faultKinds: ['redis: link cut', 'postgres: link cut'],
  fleets: ['redis+postgres'],
}

const good: ChaosJudgement = {
  accepted: 200_000,
  refused: 0,
  neverSettled: 0,
  delivered: 200_000,
  lostWithGap: 0,
  lostWithGapBy: [0],
  lostSilently: 0,
  lost: 0,
  lostPastRing: 0,
  resent: 5,
  doubled: 0,
  outOfOrder: 0,
  gaps: 0,
  falseGaps: 0,
  groundlessGaps: 0,
  findings: [],
  toldFindings: [],
  damaged: 0,
  packs: 0,
  acknowledged: new Map([
    ['redis', 150_000],
    ['postgres', 50_000],
  ]),
  whileAlive: 100,
  acceptedWhileAlive: 99,
  slowestReturn: 2_000,
  slowestFault: undefined,
  maxGaps: 1,
  faults: {
    'redis: link cut': { done: 59, proven: 59 },
    'postgres: link cut': { done: 2, proven: 1 },
  },
}

const rowsOf = (judged: Partial<ChaosJudgement>, evidence: Partial<Evidence> = {}) =>
  chaosRows({ plan, memory: new Map(), uncaught: [], problems: [], ...evidence }, { ...good, ...judged })

/** The labels of the broken limits. */
const broken = (judged: Partial<ChaosJudgement>, evidence: Partial<Evidence> = {}): string[] =>
  rowsOf(judged, evidence)
    .filter((row) => row.broken)
    .map(({ label }) => label)

test('a run in which everything is just within its limit breaks none', () => {
  expect(broken({})).toEqual([])
})

test.for<[keyof ChaosJudgement, number, string]>([
  ['accepted', 199_999, 'accepted (publish was true)'],
  ['lost', 1, 'lost'],
  ['lostPastRing', 1, 'lost past the ring (1)'],
  ['doubled', 1, 'doubled'],
  ['outOfOrder', 1, 'out of order'],
  ['damaged', 1, 'damaged'],
  ['neverSettled', 1, 'publishes never settled'],
  ['groundlessGaps', 1, 'false gaps among them'],
  ['acceptedWhileAlive', 98, 'true, of all publishes'],
  ['slowestReturn', 2_001, 'worst first true after a fault began (2)'],
])('%s at %d breaks its limit', ([what, value, label]) => {
  expect(broken({ [what]: value })).toEqual([label])
})

test('a run without any publish breaks the limit on its share', () => {
  expect(broken({ whileAlive: 0, acceptedWhileAlive: 0 })).toEqual(['true, of all publishes'])
})

test('only proven faults count', () => {
  const faults = { ...good.faults, 'redis: link cut': { done: 60, proven: 58 } }
  expect(broken({ faults })).toEqual(['faults (done/proven)'])
})

test('a kind that was not proven once in two minutes breaks its limit', () => {
  const faults = {
    'redis: link cut': { done: 60, proven: 60 },
    'postgres: link cut': { done: 3, proven: 0 },
  }
  expect(broken({ faults })).toEqual(['fault: postgres: link cut (done/proven)'])
  const ten = { plan: { ...plan, minutes: 10 } }
  const many = { 'redis: link cut': { done: 296, proven: 296 }, 'postgres: link cut': { done: 4, proven: 4 } }
  expect(broken({ accepted: 1_000_000, faults: many }, ten)).toContain(
    'fault: postgres: link cut (done/proven)',
  )
})

test('a run of less than a minute owes no number of messages and faults', () => {
  expect(broken({ accepted: 1, faults: {} }, { plan: { ...plan, minutes: 0.9 } })).toEqual([])
})

test('an uncaught error and any other problem break a limit', () => {
  expect(broken({}, { uncaught: ['redis+postgres listener 0'] })).toEqual(['uncaught errors'])
  expect(broken({}, { problems: ['a process died'] })).toEqual(['other problems: 1, see below'])
})

test('the share of each broker is shown', () => {
  const cells = rowsOf({}).flatMap(({ label, cells: [cell] }) =>
    label.startsWith('payloads') ? [[label, cell]] : [],
  )
  expect(cells).toEqual([
    ['payloads acknowledged by postgres', '50,000 (25.0 %)'],
    ['payloads acknowledged by redis', '150,000 (75.0 %)'],
  ])
})
