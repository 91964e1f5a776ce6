import { expect, test } from 'vitest'
import { fillerOf } from '../src/filler.js'

const lengths = (usual: number, longest: number): number[] =>
  Array.from(
    { length: 20_000 },
    (_, sequence) => fillerOf({ usual, longest }, 0, sequence % 20, sequence).length,
  )

test('nearly all fillers are as long as usual, and a few are up to the longest', () => {
  const all = lengths(10_000, 86_000)
  expect(Math.min(...all)).toBe(10)
  expect(Math.max(...all)).toBeGreaterThan(80_000)
  expect(all.filter((length) => length > 10_000).length / all.length).toBeCloseTo(1 / 128, 2)
  const mean = all.reduce((sum, length) => sum + length, 0) / all.length
  expect(mean).toBeGreaterThan(700)
  expect(mean).toBeLessThan(1_100)
})

test('no filler is longer than the usual ones where that is the longest', () => {
  expect(Math.max(...lengths(20_000, 20_000))).toBeLessThanOrEqual(20_000)
})

test('the same message has the same filler wherever it is asked for', () => {
  const sizes = { usual: 10_000, longest: 86_000 }
  expect(fillerOf(sizes, 1, 2, 3)).toBe(fillerOf(sizes, 1, 2, 3))
  expect(fillerOf(sizes, 1, 2, 3)).not.toBe(fillerOf(sizes, 1, 2, 4))
})
