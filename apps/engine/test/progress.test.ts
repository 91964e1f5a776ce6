import { expect, it } from 'vitest'
import { limitProgress } from '../src/progress.js'

function limited() {
  const passedOn: number[] = []
  let time = 0
  const limiter = limitProgress<number>(
    (progress) => passedOn.push(progress),
    () => time,
  )
  return {
    passedOn,
    limiter,
    reportAt(at: number, progress: number) {
      time = at
      limiter.report(progress)
    },
  }
}

it('passes progress on at once, then the newest at most ten times a second', () => {
  const { passedOn, reportAt } = limited()
  for (let at = 0; at <= 1_000; at += 10) reportAt(at, at)
  expect(passedOn).toEqual([0, 100, 200, 300, 400, 500, 600, 700, 800, 900, 1_000])
})

it('passes the last progress on at the end, and only once', () => {
  const { passedOn, limiter, reportAt } = limited()
  reportAt(0, 1)
  reportAt(10, 2)
  reportAt(20, 3)
  limiter.flush()
  limiter.flush()
  expect(passedOn).toEqual([1, 3])
})
