import { uniqueName, waitFor } from '@ps/services/vitest'
import { expect, inject, test } from 'vitest'
import { openBackend, openPeer, urlWith } from './opened-backend.js'

test.each(['LATIN1', 'SQL_ASCII', 'EUC_JP'])(
  'in a database whose encoding is %s every message and every channel works',
  async (encoding) => {
    const database = uniqueName('encoding').replaceAll('-', '_')
    await openPeer().unsafe(
      `create database ${database} encoding '${encoding}' locale 'C' template template0`,
    )
    const url = urlWith(inject('postgresUrl'), { pathname: `/${database}` })
    const { backend, messages, payloads } = await openBackend({ url })
    const channels = ['plain', 'Größe', '日本', 'x'.repeat(200)]
    await Promise.all(channels.map((channel) => backend.subscribe(channel)))
    const texts = ['plain', 'Größe', '日本語 🌍', 'é'.repeat(4_000), '🌍'.repeat(100_000), 'é'.repeat(1_330)]
    const sent = channels.flatMap((channel) =>
      texts.map((text) => ({ channel, payload: JSON.stringify({ text }) })),
    )
    await Promise.all(sent.map(({ channel, payload }) => backend.publish(channel, payload)))
    await payloads(sent.length)
    expect(messages.map(({ channel, payload }) => [channel, JSON.parse(payload)])).toEqual(
      sent.map(({ channel, payload }) => [channel, JSON.parse(payload)]),
    )

    const peer = openPeer(url)
    const heard: string[] = []
    await peer.listen('plain', (payload) => heard.push(payload))
    await backend.publish('plain', '{"text":"日本"}')
    await waitFor(() => heard.length === 1)
    expect(heard).toEqual(['{"text":"\\u65e5\\u672c"}'])
  },
)
