import { propertyRuns, waitFor } from '@ps/services/vitest'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { withoutMark } from '../../src/distinct-payloads.js'
import { splitIntoParts, unescapePart } from '../../src/parts.js'
import { physicalChannel } from '../../src/physical-channel.js'
import { type OpenedBackend, openBackend, openPeer } from '../opened-backend.js'
import { jsonText } from './json-text.js'
import { createDatabase } from './own-database.js'

fc.configureGlobal(propertyRuns)

const bytes = fc.uint8Array({ minLength: 1, maxLength: 12 })
const manyBytes = fc.array(bytes, { minLength: 1, maxLength: 8 })

/** Bytes as a text of the database, without any conversion, where they are one. */
const notifyOfBytes = (encoding: string, given: Uint8Array): string =>
  `select pg_notify('c', convert_from('\\x${Buffer.from(given).toString('hex')}', '${encoding}'))`

/** What a program may send that knows the wire format badly, or wants to do harm. */
const foreign = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 50 }),
  fc
    .tuple(
      fc.constantFrom('a', 'b', ''),
      fc.nat(3),
      fc.oneof(fc.nat(4), fc.maxSafeInteger()),
      fc.base64String(),
    )
    .map(([id, index, count, data]) => `{"$ps.part":["${id}",${index},${count}],"data":"${data}"}`),
  // Invalid UTF-8 within a part.
  fc.uint8Array({ minLength: 1, maxLength: 30 }).map((data) => {
    const base64 = Buffer.from(data).toString('base64')
    return `{"$ps.part":["binary",0,1],"data":"${base64}"}`
  }),
  // Parts of a true message, one of them, cut short or lengthened.
  fc
    .tuple(jsonText(30_000), fc.nat(), fc.nat(8_000), fc.constantFrom('', '"', '}', ' \t'))
    .map(([payload, which, length, end]) => {
      const parts = splitIntoParts(payload)
      return (parts[which % parts.length] ?? '').slice(0, length) + end
    }),
  jsonText(30_000).map((payload) => splitIntoParts(payload)[0] ?? ''),
)

test('whatever other programs notify of meanwhile, every message of a publisher arrives, also in parts', async () => {
  const url = await createDatabase('UTF8')
  const [publisher, listener] = [await openBackend({ url }), await openBackend({ url })]
  const channels = ['c', 'a long one '.repeat(10)]
  for (const channel of channels) await listener.backend.subscribe(channel)
  const peers = [openPeer(url), openPeer(url), openPeer(url)]
  let good = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(), fc.nat(), foreign), { maxLength: 40 }),
      fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 40_000 })), { minLength: 1, maxLength: 5 }),
      async (foreigners, sizes) => {
        const sent = sizes.map(([which, length]) => {
          good += 1
          return {
            channel: channels[which % 2] ?? '',
            payload: `{"good":${good},"é":"${'x'.repeat(length)}"}`,
          }
        })
        await Promise.all([
          ...foreigners.map(async ([by, which, payload]) => {
            const peer = peers[by % peers.length]
            const channel = physicalChannel(channels[which % 2] ?? '', true)
            // The server refuses what is too long, or holds a NUL.
            await peer?.unsafe('select pg_notify($1, $2)', [channel, payload]).catch(() => {})
          }),
          ...sent.map(({ channel, payload }) => publisher.backend.publish(channel, payload)),
        ])
        const ours = (): OpenedBackend['messages'] =>
          listener.messages.filter(({ payload }) => payload.startsWith('{"good":'))
        await waitFor(() => ours().length >= sent.length, { what: 'the messages of the publisher' })
        expect(ours()).toEqual(sent)
        listener.messages.length = 0
      },
    ),
    { numRuns: 200, endOnFailure: true },
  )
  expect(listener.events).toEqual(['ready'])
})

test('a text that another program notifies of is told as it is', async () => {
  const url = await createDatabase('UTF8')
  const [listener, peer] = [await openBackend({ url }), openPeer(url)]
  await listener.backend.subscribe('c')
  const text = fc.string({ unit: 'binary', maxLength: 1_900 }).filter((one) => !one.includes('\0'))
  await fc.assert(
    fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 20 }), async (texts) => {
      await Promise.all(texts.map((one) => peer`select pg_notify('c', ${one})`))
      expect(await listener.payloads(texts.length)).toEqual(
        texts.map((one) => unescapePart(withoutMark(one))),
      )
      listener.messages.length = 0
    }),
    { numRuns: 100, endOnFailure: true },
  )
  expect(listener.events).toEqual(['ready'])
})

test('in a LATIN1 database any bytes are told as the characters that they are', async () => {
  const url = await createDatabase('LATIN1')
  const [listener, peer] = [await openBackend({ url }), openPeer(url)]
  await listener.backend.subscribe('c')
  await fc.assert(
    fc.asyncProperty(manyBytes, async (texts) => {
      const sent = texts.map((one) => one.map((byte) => Math.max(byte, 1)))
      for (const one of sent) await peer.unsafe(notifyOfBytes('LATIN1', one))
      expect(await listener.payloads(sent.length)).toEqual(
        sent.map((one) => withoutMark(Buffer.from(one).toString('latin1'))),
      )
      listener.messages.length = 0
    }),
    { numRuns: 100, endOnFailure: true },
  )
  expect(listener.events).toEqual(['ready'])
})

test.each(['SQL_ASCII', 'EUC_JP'])(
  'bytes of a %s database that are no Unicode cost at most a gap that is told',
  async (encoding) => {
    const url = await createDatabase(encoding)
    const [listener, peer] = [await openBackend({ url }), openPeer(url)]
    await listener.backend.subscribe('c')
    let good = 0
    const arrives = async (): Promise<void> => {
      const gaps = listener.gaps.length
      good += 1
      const payload = `{"good":${good}}`
      await peer`select pg_notify('c', ${payload})`
      const heard = (): boolean => listener.messages.some((message) => message.payload === payload)
      // The server itself ends a session to which it cannot tell a notification.
      await waitFor(() => heard() || (listener.gaps.length > gaps && listener.events.at(-1) === 'ready'))
      if (!heard()) await arrives()
    }
    const poison = fc.constantFrom([0xa9, 0xa1], [0x22, 0xa9, 0xa1, 0x22]).map((one) => Uint8Array.from(one))
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(bytes, poison), { minLength: 1, maxLength: 8 }), async (texts) => {
        // The server refuses what is no text in the encoding.
        for (const one of texts) await peer.unsafe(notifyOfBytes(encoding, one)).catch(() => {})
        await arrives()
      }),
      { numRuns: 8, endOnFailure: true },
    )
    expect(listener.gaps.length).toBeGreaterThan(0)
  },
)
