import { expect, test } from 'vitest'
import { addUp, type FleetJudgement } from '../src/judge-fleet.js'
import type { AuditPlan } from '../src/messages.js'
import { type SoakEvidence, tableRows } from '../src/soak-verdict.js'

const plan: AuditPlan = {
  program: 'soak',
  minutes: 1,
  seed: 1,
  publishers: 1,
  listeners: 1,
  channels: 1,
  faultKinds: ['link cut'],
  fleets: ['redis', 'postgres'],
}

const good: FleetJudgement = {
  accepted: 1_000,
  refused: 1,
  neverSettled: 0,
  delivered: 990,
  lostWithGap: 10,
  lostWithGapBy: [10],
  lostSilently: 0,
  doubled: 0,
  outOfOrder: 0,
  gaps: 1,
  falseGaps: 0,
  groundlessGaps: 0,
  findings: [],
  toldFindings: [],
  damaged: 0,
  packs: 1,
  acknowledged: new Map(),
  whileAlive: 1_000,
  acceptedWhileAlive: 1_000,
  slowestReturn: 2_000,
  slowestFault: undefined,
  maxGaps: 1,
  faults: { 'link cut': { done: 1, proven: 1 } },
}

const steady = { resident: [1, 1], live: [1, 1], growth: 0.1 } as const

/** The labels of the broken limits, where one backend is as it should be and the other is not. */
const broken = (postgres: Partial<FleetJudgement>, evidence: Partial<SoakEvidence> = {}): string[] => {
  const fleets = [good, { ...good, ...postgres }]
  const total = addUp(fleets, plan.faultKinds)
  const rows = tableRows({ plan, fleets, total, memory: new Map(), uncaught: [], problems: [], ...evidence })
  return rows.filter((row) => row.broken).map(({ label }) => label)
}

test('a run in which everything is just within its limit breaks none', () => {
  const memory = new Map(
    ['redis', 'postgres'].flatMap((backend) => [
      [`${backend} publisher 0`, steady],
      [`${backend} listener 0`, steady],
    ]),
  )
  expect(broken({}, { plan: { ...plan, minutes: 3 }, memory })).toEqual([])
})

test.for<[keyof FleetJudgement, number, string]>([
  ['lostSilently', 1, 'lost silently'],
  ['doubled', 1, 'doubled'],
  ['outOfOrder', 1, 'out of order'],
  ['damaged', 1, 'damaged'],
  ['packs', 0, 'packs (payloads of several messages)'],
  ['neverSettled', 1, 'publishes never settled'],
  ['gaps', 2, 'gaps told'],
  ['acceptedWhileAlive', 989, 'true while the broker lived (1)'],
  ['slowestReturn', 2_001, 'worst first true after a fault (2)'],
])('one backend with %s at %d breaks the limit, whatever the other does', ([what, value, label]) => {
  expect(broken({ [what]: value })).toEqual([label])
})

test('a backend that accepted nothing at all breaks the limit on its share', () => {
  expect(broken({ whileAlive: 0, acceptedWhileAlive: 0 })).toEqual(['true while the broker lived (1)'])
})

test('a kind of fault that one backend never proved breaks the limit, from one minute on', () => {
  const faults = { 'link cut': { done: 3, proven: 0 } }
  expect(broken({ faults })).toEqual(['fault: link cut (done/proven)'])
  expect(broken({ faults }, { plan: { ...plan, minutes: 0.9 } })).toEqual([])
})

test('an uncaught error and any other problem break a limit', () => {
  expect(broken({}, { uncaught: ['postgres listener 0'] })).toEqual(['uncaught errors'])
  expect(broken({}, { problems: ['a process died'] })).toEqual(['other problems: 1, see below'])
})

test('memory that grows by more than a tenth, or was never measured, breaks the limit from three minutes on', () => {
  const memory = new Map([
    ['redis publisher 0', steady],
    ['postgres publisher 0', { ...steady, growth: 0.11 }],
    ['redis listener 0', steady],
  ])
  expect(broken({}, { plan: { ...plan, minutes: 3 }, memory })).toEqual([
    'publisher 0: live MB (3)',
    'listener 0: live MB (3)',
  ])
  expect(broken({}, { memory })).toEqual([])
})
