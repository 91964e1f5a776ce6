import { expect, test } from 'vitest'
import { judgePublishing } from '../src/judge-publishing.js'

/** One publish every 100 ms, each settled 20 ms later, with the outcomes of a string of 1 and 0. */
const record = (outcomes: string) => {
  const accepted = Array.from(outcomes, Number)
  const started = accepted.map((_, sequence) => sequence * 100)
  return { accepted, started, settled: started.map((time) => time + 20) }
}

test('publishes started during a fault do not count, those before and after it do', () => {
  const judged = judgePublishing([record('1100011')], [{ start: 200, end: 500 }])
  expect(judged).toMatchObject({ whileAlive: 4, acceptedWhileAlive: 4 })
})

test('a publish that fails while the broker lives is found', () => {
  const judged = judgePublishing([record('1101')], [])
  expect(judged).toMatchObject({ whileAlive: 4, acceptedWhileAlive: 3 })
})

test('the return is measured from the end of a fault to the first true of a publish started after it', () => {
  expect(judgePublishing([record('110011')], [{ start: 200, end: 350 }]).slowestReturn).toBe(70)
  expect(judgePublishing([record('1100001')], [{ start: 200, end: 350 }]).slowestReturn).toBe(270)
})

test('the worst return of all faults counts, over all channels', () => {
  const windows = [
    { start: 0, end: 100 },
    { start: 400, end: 450 },
  ]
  expect(judgePublishing([record('01111000001')], windows).slowestReturn).toBe(570)
  expect(judgePublishing([record('01111000001'), record('00000010000')], windows).slowestReturn).toBe(170)
})

test('a publisher that never returns has no finite return', () => {
  expect(judgePublishing([record('1100')], [{ start: 200, end: 250 }]).slowestReturn).toBe(
    Number.POSITIVE_INFINITY,
  )
})
