import { expect, test } from 'vitest'
import { judgeMemory } from '../src/judge-memory.js'

/** A sample every 5 s for `seconds`. */
const samples = (seconds: number, live: (second: number) => number) =>
  Array.from({ length: seconds / 5 + 1 }, (_, index) => ({
    at: index * 5_000,
    resident: 1,
    live: live(index * 5),
  }))

test('what grows in the first minute does not count', () => {
  expect(
    judgeMemory(
      samples(300, (second) => Math.min(second, 60) + 1),
      0,
    )?.growth,
  ).toBe(0)
})

test('steady growth after the first minute is found', () => {
  expect(
    judgeMemory(
      samples(300, (second) => 100 + second),
      0,
    )?.growth,
  ).toBeGreaterThan(0.1)
})

test('what is held for a while at the end does not count', () => {
  expect(
    judgeMemory(
      samples(300, (second) => (second > 290 ? 900 : 100)),
      0,
    )?.growth,
  ).toBe(0)
})

test('a process without samples is not judged', () => {
  expect(judgeMemory([], 0)).toBeUndefined()
})
