import { randomUUID } from 'node:crypto'
import { expect, it } from 'vitest'
import { slotOf } from '../../src/slot.js'
import { startOwnCluster } from './own-cluster.js'

const channels = [
  '123456789',
  'jobs',
  '{jobs}',
  'a{jobs}b',
  'a{jobs}b{other}',
  'a{{jobs}}b',
  'a{}b',
  'a{}{jobs}',
  'a}b{jobs}',
  'a{jobs',
  '{',
  '}',
  'grüße 🎉 {schöne 🎉}',
  'x'.repeat(255),
  ...Array.from({ length: 50 }, () => randomUUID()),
]

it('every channel belongs to the slot that a real server says', async (test) => {
  const cluster = await startOwnCluster(test, { masters: 1 })
  const slots = await Promise.all(
    channels.map(async (channel) => cluster.nodes[0]?.command('CLUSTER', 'KEYSLOT', channel)),
  )
  expect(channels.map(slotOf)).toEqual(slots)
})
