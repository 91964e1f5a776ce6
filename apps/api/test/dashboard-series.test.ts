import { describe, expect, it } from 'vitest'
import { createCountRate, createSeries, percentile, roundUp } from '../dashboard/series.js'

describe('what the plots are made of', () => {
  it('is the values of the last time only', () => {
    const series = createSeries(1_000)
    series.add(0, 1)
    series.add(600, 2)
    series.add(1_200, 3)
    expect(series.points(1_200).map(({ value }) => value)).toEqual([2, 3])
    expect(series.points(2_000).map(({ value }) => value)).toEqual([3])
  })

  it('is a rate between two readings, and none where a count began anew', () => {
    const rate = createCountRate()
    expect(rate.read(0, 100)).toBeUndefined()
    expect(rate.read(2_000, 150)).toBe(25)
    expect(rate.read(4_000, 10)).toBeUndefined()
    expect(rate.read(5_000, 10)).toBe(0)
  })

  it('has percentiles that are values', () => {
    expect(percentile([], 0.5)).toBeUndefined()
    expect(percentile([30, 10, 20], 0.5)).toBe(20)
    expect(percentile([30, 10, 20], 0.99)).toBe(30)
  })

  it.each([
    [0, 1],
    [1.01, 2],
    [3, 5],
    [50, 50],
    [51, 100],
    [2_001, 5_000],
  ])('has a scale for %d that ends at %d', (value, top) => {
    expect(roundUp(value)).toBe(top)
  })
})
