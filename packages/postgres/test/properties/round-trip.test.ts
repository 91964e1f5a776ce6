import { propertyRuns } from '@ps/services/vitest'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { openBackend } from '../opened-backend.js'
import { channelName, jsonText, meaning } from './json-text.js'
import { createDatabase } from './own-database.js'

fc.configureGlobal(propertyRuns)

const messages = fc
  .tuple(
    fc.uniqueArray(channelName, { minLength: 1, maxLength: 4 }),
    fc.array(fc.tuple(fc.nat(), jsonText(1_024 * 1_024)), { minLength: 1, maxLength: 15 }),
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

test.each([
  ['UTF8', 200],
  ['LATIN1', 80],
  ['SQL_ASCII', 80],
  ['EUC_JP', 80],
])(
  'in a %s database any messages on any channels arrive, equal ones too, each as it was and in order',
  async (encoding, numRuns) => {
    const url = await createDatabase(encoding)
    const publisher = await openBackend({ url })
    const listener = await openBackend({ url })
    await fc.assert(
      fc.asyncProperty(messages, async ({ channels, sent }) => {
        await Promise.all(channels.map((channel) => listener.backend.subscribe(channel)))
        await Promise.all(sent.map(({ channel, payload }) => publisher.backend.publish(channel, payload)))
        await listener.payloads(sent.length)
        await Promise.all(channels.map((channel) => listener.backend.unsubscribe(channel)))
        const received = listener.messages.splice(0)
        expect(received.map(({ channel }) => channel)).toEqual(sent.map(({ channel }) => channel))
        for (const [index, { payload }] of received.entries()) {
          const original = sent[index]?.payload ?? ''
          if (encoding === 'UTF8') expect(payload === original).toBe(true)
          else expect(meaning(payload) === meaning(original)).toBe(true)
        }
      }),
      // To shrink would mean to wait for a message that does not come again and again.
      { numRuns, endOnFailure: true },
    )
    expect(listener.events).toEqual(['ready'])
    expect(listener.invalid).toEqual([])
  },
)
