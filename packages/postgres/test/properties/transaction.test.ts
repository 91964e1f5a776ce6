import { propertyRuns } from '@ps/services/vitest'
import * as fc from 'fast-check'
import { expect, inject, test } from 'vitest'
import { openBackend, openPeer } from '../opened-backend.js'
import { channelName, jsonText } from './json-text.js'

fc.configureGlobal(propertyRuns)

const transactions = fc.record({
  channel: channelName,
  texts: fc.array(jsonText(100_000), { minLength: 1, maxLength: 6 }),
  // Which of them is published when, so that most are equal to another.
  order: fc.array(fc.nat(), { minLength: 1, maxLength: 40 }),
  commits: fc.boolean(),
})

test('any messages of any transaction arrive when it commits, equal ones too, each as it was and in order', async () => {
  const [publisher, listener] = [await openBackend(), await openBackend()]
  const peer = openPeer(inject('postgresUrl'))
  const { publishWith } = publisher.backend
  if (publishWith === undefined) throw new Error('this backend knows no transactions')
  await fc.assert(
    fc.asyncProperty(transactions, async ({ channel, texts, order, commits }) => {
      await listener.backend.subscribe(channel)
      const sent = order.map((index) => texts[index % texts.length] ?? '')
      const rollback = new Error('roll back')
      const end = await peer
        .begin(async (tx) => {
          for (const payload of sent) await publishWith(tx, channel, payload)
          if (!commits) throw rollback
        })
        .catch((error: unknown) => error)
      expect(end).toBe(commits ? undefined : rollback)
      await publisher.backend.publish(channel, '"the last one"')
      const expected = commits ? [...sent, '"the last one"'] : ['"the last one"']
      await listener.payloads(expected.length)
      await listener.backend.unsubscribe(channel)
      const received = listener.messages.splice(0).map(({ payload }) => payload)
      expect(received.length).toBe(expected.length)
      for (const [index, payload] of received.entries()) expect(payload === expected[index]).toBe(true)
    }),
    // To shrink would mean to wait for a message that does not come again and again.
    { numRuns: 100, endOnFailure: true },
  )
  expect(listener.events).toEqual(['ready'])
  expect(listener.invalid).toEqual([])
})
