import { afterEach, describe, expect, it } from 'vitest'
import { type Client, createClient, silentLogger } from '../src/index.js'
import { createMemoryBroker } from '../src/memory.js'
import { controlChannel } from '../src/recovery/control-channel.js'
import { decodeControlMessage, type Heartbeat } from '../src/recovery/control-message.js'
import { createHeartbeats } from '../src/recovery/heartbeats.js'
import { createOutgoing } from '../src/recovery/outgoing.js'

const clients: Client[] = []
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()))
})

/** A client with recovery, and what it says on the control channel until it is idle. */
async function openWatched(): Promise<{ client: Client; untilIdle: Promise<Heartbeat[]> }> {
  const broker = createMemoryBroker()
  const heartbeats: Heartbeat[] = []
  const watching = broker.createBackend()
  const untilIdle = new Promise<Heartbeat[]>((resolve) => {
    void watching.start({
      message(_channel, payload) {
        const message = decodeControlMessage(payload)
        if (message?.kind !== 'heartbeat') return
        heartbeats.push(message)
        if (message.state === 'idle') resolve(heartbeats)
      },
      gap: () => {},
      state: () => {},
      invalid: () => {},
    })
  })
  await watching.subscribe(controlChannel)
  const client = await createClient({
    backend: 'memory',
    backends: { memory: () => broker },
    environment: {},
    log: silentLogger,
    recovery: true,
  })
  clients.push(client)
  return { client, untilIdle }
}

describe('the heartbeats of a client', () => {
  it('name each channel when it was used, and once more the latest 10,000, however many there were', async () => {
    const { client, untilIdle } = await openWatched()
    const names = Array.from({ length: 12_000 }, (_, index) => `c-${index}`)
    await Promise.all(names.map((name) => client.publish(name, 1)))
    const told = (await untilIdle).flatMap(({ progress }) => progress.map(([name]) => name))
    expect(told.slice(0, names.length)).toEqual(names)
    expect(told.slice(names.length)).toEqual(names.slice(-10_000))
  })

  it('never are longer than what any broker takes, whatever the names', async () => {
    const { client, untilIdle } = await openWatched()
    const names = Array.from({ length: 1_000 }, (_, index) => `${index}`.padEnd(255, '.'))
    await Promise.all(names.map((name) => client.publish(name, 1)))
    for (const heartbeat of await untilIdle)
      expect(Buffer.byteLength(JSON.stringify(heartbeat))).toBeLessThan(64 * 1024)
  })

  it('say that it has closed whenever they are asked for afterwards', () => {
    const outgoing = createOutgoing('publisher', 1_000)
    const states: string[] = []
    const heartbeats = createHeartbeats(outgoing, async ({ state }) => states.push(state) > 0)
    const news = outgoing.number('news', performance.now())
    outgoing.decide(news, '1', 1)
    heartbeats.decided(news)
    heartbeats.close()
    heartbeats.answer({ kind: 'ask', publisher: 'publisher', channels: ['news'] })
    expect(states).toEqual(['closed', 'closed'])
  })
})
