import { uniqueName, requireRedis, waitFor } from '@ps/services/vitest'
import { expect, inject, test } from 'vitest'
import { contestants } from '../src/contestants.js'

const count = 100

for (const { name, backend, standby, load, missing } of contestants) {
  test(`${name} on ${backend} delivers ${count} messages in order`, async (context) => {
    const why = await missing?.()
    if (why !== undefined) context.skip(why)
    const urlOf = (server: typeof backend): string =>
      server === 'redis' ? requireRedis(context) : inject('postgresUrl')
    const url = urlOf(backend)
    const standbyUrl = standby === undefined ? undefined : urlOf(standby)
    const connect = await load()
    const listener = await connect(url, 'listen', standbyUrl)
    context.onTestFinished(async () => void (await listener.close()))
    const publisher = await connect(url, 'publish', standbyUrl)
    context.onTestFinished(async () => void (await publisher.close()))
    const channel = uniqueName('bench')
    const heard: number[] = []
    await listener.listen(channel, ({ sequence }) => heard.push(sequence))
    // Not every library says when it listens.
    await waitFor(
      async () => {
        await publisher.publish(channel, { sequence: -1, sent: 0, filler: '' })
        return heard.length > 0
      },
      { timeout: 10_000, what: 'a probe to be heard' },
    )
    const sequences = Array.from({ length: count }, (_, sequence) => sequence)
    await Promise.all(
      sequences.map((sequence) => publisher.publish(channel, { sequence, sent: 0, filler: 'ü' })),
    )
    await waitFor(() => heard.filter((sequence) => sequence >= 0).length >= count, {
      timeout: 10_000,
      what: 'all messages to arrive',
    })
    expect(heard.filter((sequence) => sequence >= 0)).toEqual(sequences)
  })
}
