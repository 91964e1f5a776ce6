import { propertyRuns, requireRedis, uniqueName, waitFor } from '@ps/services/vitest'
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { startReady } from '../observed-backend.js'
import { channelName, jsonText } from './messages.js'

fc.configureGlobal(propertyRuns)

const messages = fc
  .tuple(
    fc.uniqueArray(channelName, { minLength: 1, maxLength: 4 }),
    fc.array(fc.tuple(fc.nat(), jsonText), { minLength: 1, maxLength: 15 }),
    // The same ones again.
    fc.array(fc.nat(), { maxLength: 40 }),
  )
  .map(([channels, once, again]) => {
    const sent = once.map(([index, payload]) => ({
      channel: channels[index % channels.length] ?? '',
      payload,
    }))
    return { channels, sent: [...sent, ...again.flatMap((index) => sent[index % sent.length] ?? [])] }
  })

it('any messages on any channels arrive, equal ones too, each as it was and in order', async (test) => {
  const url = requireRedis(test)
  const publisher = await startReady(test, url)
  const listener = await startReady(test, url)
  const own = uniqueName('')
  await fc.assert(
    fc.asyncProperty(messages, async ({ channels, sent }) => {
      await Promise.all(channels.map((channel) => listener.backend.subscribe(own + channel)))
      await Promise.all(sent.map(({ channel, payload }) => publisher.backend.publish(own + channel, payload)))
      await waitFor(() => listener.messages.length >= sent.length, { what: `${sent.length} messages` })
      await Promise.all(channels.map((channel) => listener.backend.unsubscribe(own + channel)))
      const received = listener.messages.splice(0)
      expect(received.map(({ channel }) => channel)).toEqual(sent.map(({ channel }) => own + channel))
      expect(received.every(({ payload }, index) => payload === sent[index]?.payload)).toBe(true)
    }),
    // To shrink would mean to wait for a message that does not come again and again.
    { numRuns: 300, endOnFailure: true },
  )
  expect([...listener.events, ...listener.invalid]).toEqual([])
})
