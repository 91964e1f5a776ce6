import { type Client, createClient, silentLogger } from '@ps/core'
import { uniqueName, waitFor } from '@ps/services/vitest'
import { expect, inject, onTestFinished, test } from 'vitest'
import { createBackend } from '../src/index.js'
import { openPeer, urlWith } from './opened-backend.js'

async function openPacking(databaseUrl: string): Promise<Client> {
  const client = await createClient({
    backend: 'postgres',
    databaseUrl,
    packing: true,
    backends: { postgres: () => ({ createBackend }) },
    environment: {},
    log: silentLogger,
  })
  onTestFinished(() => client.close())
  return client
}

test('packs fit one notification each, keep their order among longer messages, and equal ones all arrive', async () => {
  const url = inject('postgresUrl')
  const client = await openPacking(url)
  const channel = uniqueName('packs')
  const heard: unknown[] = []
  const seen: string[] = []
  await client.listen(channel, (message) => void heard.push(message))
  await openPeer().listen(channel, (payload) => seen.push(payload))
  // The first leaves alone; 1,000 equal ones make packs that are equal, too.
  const messages: unknown[] = ['first', ...Array.from({ length: 1_000 }, () => 'é'.repeat(50))]
  for (let index = 0; index < 500; index += 1)
    messages.push(index % 100 === 50 ? 'x'.repeat(20_000) : { index })
  const accepted = await Promise.all(messages.map((message) => client.publish(channel, message)))
  expect(accepted).toEqual(messages.map(() => true))
  await waitFor(() => heard.length >= messages.length, { what: 'all messages' })
  expect(heard).toEqual(messages)
  await client.publish(channel, 'last')
  await waitFor(() => seen.at(-1) === '"last"', { what: 'the last notification' })
  const packs = seen.filter((payload) => payload.startsWith('{"$ps.pack":['))
  const parts = seen.filter((payload) => payload.startsWith('{"$ps.part":['))
  expect(packs.length).toBeGreaterThan(12)
  expect(new Set(packs.map((pack) => pack.trimEnd())).size).toBeLessThan(packs.length)
  // Of the five long messages only, in four parts each.
  expect(parts).toHaveLength(20)
})

test('where the encoding makes a pack longer than a notification, it arrives all the same', async () => {
  const database = uniqueName('packing').replaceAll('-', '_')
  await openPeer().unsafe(`create database ${database} encoding 'LATIN1' locale 'C' template template0`)
  const client = await openPacking(urlWith(inject('postgresUrl'), { pathname: `/${database}` }))
  const heard: unknown[] = []
  await client.listen('packs', (message) => void heard.push(message))
  const messages = Array.from({ length: 500 }, (_, index) => `${index} ${'日'.repeat(30)}`)
  await Promise.all(messages.map((message) => client.publish('packs', message)))
  await waitFor(() => heard.length >= messages.length, { what: 'all messages' })
  expect(heard).toEqual(messages)
})
