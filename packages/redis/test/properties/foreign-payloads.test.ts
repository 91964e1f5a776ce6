import { isUtf8 } from 'node:buffer'
import { propertyRuns, requireRedis, uniqueName, waitFor } from '@ps/services/vitest'
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { connectAdmin, startReady } from '../observed-backend.js'
import { jsonText } from './messages.js'

fc.configureGlobal(propertyRuns)

/** The beginning of a text, so that characters are cut in two. */
const cut = fc.tuple(jsonText, fc.nat(40)).map(([text, left]) => Buffer.from(text).subarray(0, left))

const foreign = fc.oneof(
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
  fc.uint8Array({ min: 0x80, minLength: 1, maxLength: 4 }).map((bytes) => Buffer.from(bytes)),
  cut,
  // Overlong, a surrogate, beyond Unicode, a lone continuation; a byte order mark is text.
  fc
    .constantFrom('c080', 'eda080', 'f4908080', '80', 'f0808080', 'ff', 'efbbbf', '00', '0d0a', '')
    .map((hex) => Buffer.from(hex, 'hex')),
  jsonText.map((text) => Buffer.from(text)),
)

it('whatever bytes other programs publish, texts are told as they are and all else as invalid', async (test) => {
  const url = requireRedis(test)
  const observed = await startReady(test, url)
  const foreigner = connectAdmin(test, url)
  const channel = uniqueName('foreign')
  await observed.backend.subscribe(channel)
  let good = 0
  await fc.assert(
    fc.asyncProperty(fc.array(foreign, { maxLength: 30 }), async (payloads) => {
      good += 1
      const last = `{"good":${good}}`
      await Promise.all([...payloads, last].map((payload) => foreigner.publish(channel, payload)))
      await waitFor(() => observed.messages.at(-1)?.payload === last, { what: 'the good message' })
      expect(observed.payloads(channel)).toEqual([
        ...payloads.filter((payload) => isUtf8(payload)).map(String),
        last,
      ])
      expect(observed.invalid).toEqual(payloads.filter((payload) => !isUtf8(payload)).map(() => channel))
      observed.messages.length = 0
      observed.invalid.length = 0
    }),
    { numRuns: 300, endOnFailure: true },
  )
  expect([...observed.events, ...observed.warnings]).toEqual([])
})
