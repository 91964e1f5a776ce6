import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { uniqueName } from '@ps/services/vitest'
import { expect, inject, onTestFinished, test } from 'vitest'
import type { Measurement } from '../src/results.js'
import { renderMeasurement } from '../src/render-measurement.js'
import { mark } from '../src/streams/crowd-orders.js'
import { runStreams } from '../src/streams/run-streams.js'
import { startCrowd } from '../src/streams/start-crowd.js'

test('every server is given the same streams, and those that can send again what was missed', async () => {
  const measurements: Measurement[] = []
  await runStreams({
    scale: { quick: true, rounds: 1, milliseconds: 100, messages: 1 },
    databaseUrl: inject('postgresUrl'),
    prefix: `${uniqueName('streams')}:`,
    isAsked: (name) => name === 'streams-100' || name === 'streams-storm',
    nodeArguments: [],
    signal: new AbortController().signal,
    onMeasurement: (measurement) => measurements.push(measurement),
  })
  const [deliveries, storm] = measurements
  const names = ['@ps api', 'node:http', 'better-sse', '@fastify/sse']
  expect(deliveries?.rows.map(({ contestant }) => contestant)).toEqual(names)
  for (const { samples, error } of deliveries?.rows ?? []) {
    expect(error).toBeUndefined()
    expect(samples).toEqual([expect.objectContaining({ failed: 0, lost: 0 })])
  }
  expect(storm?.rows.map(({ samples: [sample], error }) => [sample?.replayed, sample?.lost, error])).toEqual([
    // Of 500 clients a tenth has missed 200 messages, the next 180, and so on.
    [55_000, 0, undefined],
    [0, 0, 'no replay'],
    [0, 0, 'no replay'],
    [55_000, 0, undefined],
  ])
  expect(storm?.rows[0]?.samples[0]?.brokerKilobytes).toBeLessThan(16)
  expect(storm === undefined ? '' : renderMeasurement(storm)).toContain('no replay')
}, 120_000)

test('a server that loses a message of one client and doubles one of another is found out, though the sum is right', async () => {
  const responses: ServerResponse[] = []
  const server = createServer((request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const isBack = request.headers['last-event-id'] === '7'
    const frame = `id: 7\ndata: ${mark}\n\n`
    const number = responses.push(response) - 1
    response.write(isBack ? frame.repeat(number === 4 ? 2 : number === 5 ? 4 : 3) : frame)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const crowd = await startCrowd()
  onTestFinished(async () => {
    await crowd.stop()
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const opened = await crowd.order({ kind: 'open', port, path: '/', count: 4, keepsIds: true })
  expect(opened.refused).toBe(0)
  expect(await crowd.order({ kind: 'await', messages: 4, timeout: 5_000 })).toMatchObject({ messages: 4 })
  await crowd.order({ kind: 'cut', from: 0, to: 4 })
  await crowd.order({ kind: 'count' })
  expect(await crowd.order({ kind: 'return', each: [3], timeout: 5_000 })).toMatchObject({
    refused: 0,
    heard: { messages: 12 },
    lost: 1,
    doubled: 1,
  })
})

test('whoever is answered with anything but a stream is refused', async () => {
  const server = createServer((_request, response) => response.writeHead(503).end())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const crowd = await startCrowd()
  onTestFinished(async () => {
    await crowd.stop()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  expect(await crowd.order({ kind: 'open', port, path: '/', count: 3, keepsIds: false })).toMatchObject({
    refused: 3,
  })
})
