import { expect, test } from 'vitest'
import { measureMemory } from '../src/measure-memory.js'

const megabyte = 1_048_576

test('a long run is published in orders that are answered in time, and looked at after each tenth', async () => {
  const events: (number | 'look')[] = []
  const sample = await measureMemory({
    messages: 6_000_000,
    async run(messages) {
      events.push(messages)
      const published = { begun: 0, acknowledged: messages, failed: 1, failure: '', ended: 1 }
      return { published, tally: { delivered: messages - 1, doubled: 0, disordered: 0, ended: 1_000 } }
    },
    async look() {
      events.push('look')
      const looks = events.filter((event) => event === 'look').length
      return { publisher: 10 * megabyte, listener: (looks === 5 ? 40 : 10 + looks) * megabyte }
    },
  })
  expect(events).toEqual(Array.from({ length: 10 }, () => [250_000, 250_000, 100_000, 'look']).flat())
  expect(sample).toMatchObject({ publisherFirst: 10, publisherLast: 10, publisherMost: 10 })
  expect(sample).toMatchObject({ listenerFirst: 11, listenerLast: 20, listenerMost: 40 })
  expect(sample.memoryGrowth).toBeCloseTo((100 * 9) / 11)
  expect(sample).toMatchObject({ delivered: 6_000_000 - 30, lost: 30, failed: 30 })
})
