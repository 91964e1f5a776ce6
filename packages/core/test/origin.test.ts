import { propertyRuns } from '@ps/services/vitest'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createOriginReader, escapeOrigin, maxOriginBytes } from '../src/recovery/origin.js'
import { originHead, withOrigin } from '../src/recovery/with-origin.js'

fc.configureGlobal(propertyRuns)

const publisher = 'AbCdEfGhIjK'
const head = originHead(publisher)
const read = createOriginReader()

describe('an origin', () => {
  it.each([
    ['{"a":1}', '{"$ps":"1;AbCdEfGhIjK;7","a":1}'],
    ['{}', '{"$ps":"1;AbCdEfGhIjK;7"}'],
    ['[1]', '{"$ps":"1;AbCdEfGhIjK;7;w","message":[1]}'],
    ['"x"', '{"$ps":"1;AbCdEfGhIjK;7;w","message":"x"}'],
    ['{"$ps":"1;mine;1"}', '{"$ps":"1;AbCdEfGhIjK;7;w","message":{"$ps":"1;mine;1"}}'],
  ])('stands before the other members of %s, and around what has none or its name', (text, payload) => {
    expect(withOrigin(head, 7, false, text)).toBe(payload)
    expect(read(payload)).toEqual({ publisher, sequence: 7, count: 1, isFirst: false, text })
  })

  it('says of what there is more to say: the first of a channel, and how many a pack carries', () => {
    const pack = '{"$ps.pack":[1,{"$ps":2}]}'
    expect(withOrigin(head, 1, true, '{"a":1}')).toBe('{"$ps":"1;AbCdEfGhIjK;1;f","a":1}')
    const payload = withOrigin(head, 4, true, pack, 2)
    expect(payload).toBe('{"$ps":"1;AbCdEfGhIjK;4;f2","$ps.pack":[1,{"$ps":2}]}')
    expect(read(payload)).toEqual({ publisher, sequence: 4, count: 2, isFirst: true, text: pack })
  })

  it('is taken off again, whatever the message is, and adds no more than it may', () => {
    fc.assert(
      fc.property(
        fc.json({ stringUnit: 'binary' }),
        fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
        fc.boolean(),
        (text, sequence, isFirst) => {
          const payload = withOrigin(head, sequence, isFirst, text)
          expect(Buffer.byteLength(payload) - Buffer.byteLength(text)).toBeLessThanOrEqual(maxOriginBytes)
          expect(JSON.parse(payload)).toBeTypeOf('object')
          expect(read(payload)).toEqual({ publisher, sequence, count: 1, isFirst, text })
        },
      ),
    )
  })

  it.each([
    '{"$ps":"2;AbCdEfGhIjK;7","a":1}',
    '{"$ps":"1;;7","a":1}',
    '{"$ps":"1;AbCdEfGhIjK;0","a":1}',
    '{"$ps":"1;AbCdEfGhIjK;","a":1}',
    '{"$ps":"1;AbCdEfGhIjK;7',
    '{"$ps":"1;AbCdEfGhIjK;7;x","a":1}',
    '{"$ps":"1;AbCdEfGhIjK;7;w","other":1}',
    '{"$ps":"1;AbCdEfGhIjK;99999999999999999","a":1}',
    '{"$ps":"1;',
    '{ "$ps":"1;AbCdEfGhIjK;7","a":1}',
  ])('is not read from %s, which is a plain message', (payload) => {
    expect(read(payload)).toBeUndefined()
  })

  it('never throws on what other programs send', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.nat(40), (noise, cut) => {
        const payload = withOrigin(head, 12, true, '{"a":1}')
        read(payload.slice(0, cut) + noise)
        read(`${payload.slice(0, cut)}${noise}${payload.slice(cut)}`)
      }),
    )
  })

  it('is not taken from a message that looks like one', () => {
    const text = '{"$ps":"1;AbCdEfGhIjK;7","a":1}'
    expect(read(escapeOrigin(text))).toBeUndefined()
    expect(JSON.parse(escapeOrigin(text))).toEqual(JSON.parse(text))
    expect(escapeOrigin('{"a":1}')).toBe('{"a":1}')
  })
})
