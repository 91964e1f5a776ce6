import { propertyRuns } from '@ps/services/vitest'
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { createTextRing } from '../src/recovery/text-ring.js'

fc.configureGlobal(propertyRuns)

it('keeps the latest texts, forgets the oldest first, and never holds more than it may', () => {
  const texts = fc.array(fc.oneof(fc.string({ unit: 'binary', maxLength: 40 }), fc.constant(undefined)), {
    maxLength: 60,
  })
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 120 }), texts, (maxBytes, all) => {
      const kept: { text: string | undefined; place: number }[] = []
      const ring = createTextRing(maxBytes, () => kept.shift())
      for (const text of all) {
        // What has no UTF-8 form never gets here: `JSON.stringify` escapes it.
        const wellFormed = text?.toWellFormed()
        let place = -1
        if (wellFormed === undefined) ring.skip()
        else place = ring.add(wellFormed, Buffer.byteLength(wellFormed))
        kept.push({ text: wellFormed, place })
        expect(ring.bytes).toBeLessThanOrEqual(Math.max(maxBytes, 4))
        for (const one of kept) if (one.place >= 0) expect(ring.get(one.place)).toBe(one.text)
      }
      const last = kept.at(-1)
      if (last?.text !== undefined && Buffer.byteLength(last.text) + 4 <= maxBytes)
        expect(last.place).toBeGreaterThanOrEqual(0)
    }),
  )
})
