import { getEventListeners, setMaxListeners } from 'node:events'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  type Backend,
  type BackendModule,
  type Client,
  type ClientOptions,
  createClient,
  PubSubError,
  silentLogger,
} from '../src/index.js'
import { createMemoryBroker } from '../src/memory.js'
import { controlChannel } from '../src/recovery/control-channel.js'
import { createOutgoing } from '../src/recovery/outgoing.js'
import { createResending } from '../src/recovery/resending.js'
import { createControlledBackend } from './controlled-backend.js'

const clients: Client[] = []
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()))
})

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

type Controlled = ReturnType<typeof createControlledBackend>

async function open(backends: Record<string, Controlled>, options: ClientOptions = {}): Promise<Client> {
  const [first, second] = Object.keys(backends)
  const client = await createClient({
    backend: first,
    fallback: second,
    backends: Object.fromEntries(Object.entries(backends).map(([name, backend]) => [name, () => backend])),
    environment: {},
    log: silentLogger,
    closeTimeout: 100,
    // What goes over which broker, without what makes it whole afterwards.
    recovery: false,
    ...options,
  })
  clients.push(client)
  return client
}

describe('a broker that is down', () => {
  it('is logged again where it says another reason than before, and not where it says the same', async () => {
    const broker = createControlledBackend('first')
    const lines: string[] = []
    const note = (line: string): void => void lines.push(line)
    await open({ first: broker }, { log: { info: () => {}, warn: note, error: note } })
    broker.disconnect('connection reset')
    broker.disconnect('connection reset')
    broker.disconnect('the password was refused')
    broker.disconnect('connection reset')
    broker.disconnect('the password was refused')
    expect(lines).toEqual([
      'first is down, trying to reconnect: connection reset',
      'first is still down: the password was refused',
      'first is still down: connection reset',
    ])
  })
})

describe('a logger that throws', () => {
  it('hurts nobody: publishing and listening go on', async () => {
    const broker = createControlledBackend('first')
    const fail = (): never => {
      throw new Error('the disk is full')
    }
    const client = await open({ first: broker }, { log: { info: fail, warn: fail, error: fail } })
    const messages: unknown[] = []
    await client.listen('news', (message) => messages.push(message))
    broker.hold(true)
    const outcome = client.publish('news', 1)
    broker.reject('outcome_unknown', 1)
    expect(await outcome).toBe(false)
    broker.disconnect()
    broker.reconnect()
    broker.hold(false)
    expect(await client.publish('news', 2)).toBe(true)
    await turn()
    expect(messages).toEqual([2])
  })
})

describe('a broker that is up and refuses', () => {
  it('is named with its reason when a message was not taken in time', async () => {
    const broker = createControlledBackend('first')
    const client = await open({ first: broker }, { publishTimeout: 400 })
    const errors: PubSubError[] = []
    client.on('error', (error) => errors.push(error))
    broker.refuse('not_sent')
    expect(await client.publish('news', 1)).toBe(false)
    expect(errors.map(({ code, message }) => `${code}: ${message}`)).toEqual([
      'timeout: no broker acknowledged a message on channel "news" within 400 ms: first: not_sent',
    ])
  })
})

describe('a listener that was live', () => {
  it('goes on when a broker that returns refuses its channel, and the refusal is told', async () => {
    const first = createControlledBackend('first')
    const second = createControlledBackend('second', { startsDown: true })
    const client = await open({ first, second })
    const errors: string[] = []
    client.on('error', (error) => errors.push(error.code))
    const messages: unknown[] = []
    const subscription = await client.listen('news', (message) => messages.push(message))
    second.refuse('not_permitted')
    second.reconnect()
    await turn()
    await client.publish('news', 1)
    await turn()
    expect(messages).toEqual([1])
    expect(subscription.closed).toBe(false)
    expect(errors).toContain('not_permitted')
  })

  it('is told of a gap that the broker reports without having gone down', async () => {
    const broker = createControlledBackend('first')
    const client = await open({ first: broker })
    broker.disconnect()
    broker.reconnect()
    const gaps: string[] = []
    await client.listen('news', () => {}, { onGap: ({ channel }) => gaps.push(channel) })
    broker.gap('a message was lost')
    expect(gaps).toEqual(['news'])
  })

  it('does not hear the message during which it was added, however many add themselves', async () => {
    const broker = createControlledBackend('first')
    const client = await open({ first: broker })
    let heard = 0
    const listenAgain = (): void => {
      heard += 1
      if (heard < 100) void client.listen('news', listenAgain)
    }
    await client.listen('news', listenAgain)
    broker.foreign('news', '1')
    expect(heard).toBe(1)
  })

  it('survives an onGap that rejects, and the rejection is told', async () => {
    const broker = createControlledBackend('first')
    const client = await open({ first: broker })
    const errors: string[] = []
    client.on('error', (error) => errors.push(error.code))
    const onGap = (): unknown => Promise.reject(new Error('boom'))
    await client.listen('news', () => {}, { onGap })
    broker.gap('a message was lost')
    await turn()
    expect(errors).toEqual(['listener_failed'])
  })

  it('leaves nothing on its signal when the client closes', async () => {
    const client = await open({ first: createControlledBackend('first') })
    const { signal } = new AbortController()
    await client.listen('news', () => {}, { signal })
    expect(getEventListeners(signal, 'abort')).toHaveLength(1)
    await client.close()
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  })
})

describe('a channel that is let go and listened to again at once', () => {
  it('is live once the broker brings it again, not before', async () => {
    const broker = createControlledBackend('first')
    const client = await open({ first: broker })
    const subscription = await client.listen('news', () => {})
    broker.holdEdges(true)
    const leaving = subscription.unsubscribe()
    await turn()
    let isLive = false
    const messages: unknown[] = []
    const again = client
      .listen('news', (message) => messages.push(message))
      .then(() => {
        isLive = true
      })
    await turn()
    expect(isLive).toBe(false)
    broker.holdEdges(false)
    await Promise.all([leaving, again])
    await client.publish('news', 1)
    await turn()
    expect(messages).toEqual([1])
    expect(broker.calls.slice(0, 3)).toEqual(['subscribe news', 'unsubscribe news', 'subscribe news'])
  })

  it('within one turn still gets what a broker loses afterwards', async () => {
    const broker = createMemoryBroker()
    let loses = false
    let onHeartbeat: (() => void) | undefined
    const losing = {
      createBackend: (): Backend => {
        const inner = broker.createBackend()
        return {
          ...inner,
          start: (events) =>
            inner.start({
              ...events,
              message(channel, payload) {
                if (loses && channel === 'news') {
                  loses = false
                  return
                }
                events.message(channel, payload)
                if (channel === controlChannel && payload.includes('heartbeat')) onHeartbeat?.()
              },
            }),
        }
      },
    }
    const openOn = async (module: BackendModule): Promise<Client> => {
      const client = await createClient({
        backend: 'memory',
        backends: { memory: () => module },
        environment: {},
        log: silentLogger,
        recovery: true,
      })
      clients.push(client)
      return client
    }
    const [publisher, listener] = [await openOn(broker), await openOn(losing)]
    const subscription = await listener.listen('news', () => {})
    await publisher.publish('news', 1)
    await turn()
    const leaving = subscription.unsubscribe()
    const heard = new Promise((resolve) => void listener.listen('news', resolve))
    await leaving
    await new Promise<void>((resolve) => {
      onHeartbeat = resolve
    })
    loses = true
    await publisher.publish('news', 2)
    await turn()
    expect(loses).toBe(false)
    expect(await heard).toBe(2)
  })
})

describe('a broker that does not answer', () => {
  it('holds up nobody who gives up listening', async () => {
    const broker = createControlledBackend('first')
    const client = await open({ first: broker })
    broker.holdEdges(true)
    const stop = new AbortController()
    const pending = client.listen('news', () => {}, { signal: stop.signal })
    const iterator = client.messages('other')
    const pull = iterator.next()
    await turn()
    const reason = new Error('no longer wanted')
    stop.abort(reason)
    await expect(pending).rejects.toBe(reason)
    expect(await iterator.return?.()).toMatchObject({ done: true })
    expect(await pull).toMatchObject({ done: true })
  })

  it('and goes down ends the wait of who unsubscribes', async () => {
    const broker = createControlledBackend('first')
    const client = await open({ first: broker })
    const subscription = await client.listen('news', () => {})
    broker.holdEdges(true)
    const leaving = subscription.unsubscribe()
    await turn()
    broker.disconnect()
    await leaving
    expect(subscription.closed).toBe(true)
  })
})

describe('a handler of an event that throws or rejects', () => {
  it('hurts no other, and is logged', async () => {
    const broker = createControlledBackend('first')
    const lines: string[] = []
    const client = await open(
      { first: broker },
      { log: { info: () => {}, warn: () => {}, error: (line) => lines.push(line) } },
    )
    const told: string[] = []
    client.on('gap', () => {
      throw new Error('thrown')
    })
    client.on('gap', (): unknown => Promise.reject(new Error('rejected')))
    client.on('gap', ({ reason }) => told.push(reason))
    await client.listen('news', () => {})
    broker.gap('a message was lost')
    await turn()
    expect(told).toEqual(['a message was lost'])
    expect(lines).toEqual(['an event handler failed: thrown', 'an event handler failed: rejected'])
  })
})

describe('a program that is too busy to read the answers of its broker for a while', () => {
  it('does not take it for down', async () => {
    const broker = createMemoryBroker()
    let pinged = false
    const answering = {
      createBackend: (): Backend => ({
        ...broker.createBackend(),
        async ping() {
          pinged = true
          // As on a socket, what has come is read after the timers that are due.
          await new Promise((resolve) => setImmediate(resolve))
        },
      }),
    }
    const client = await createClient({
      backend: 'memory',
      backends: { memory: () => answering },
      environment: {},
      log: silentLogger,
    })
    clients.push(client)
    await turn()
    const health = client.health()
    expect(pinged).toBe(true)
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2_100)
    expect((await health).state).toBe('ready')
  })
})

describe('a clock that is set back', () => {
  afterEach(() => {
    vi.useRealTimers()
  })
  const setBack = (): void => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 3_600_000 })
  }

  it('holds up no message that was refused for a moment', async () => {
    const broker = createControlledBackend('first')
    const client = await open({ first: broker })
    broker.refuse('not_sent')
    const published = client.publish('news', 1)
    await turn()
    setBack()
    broker.refuse(undefined)
    expect(await published).toBe(true)
  })

  it('holds up no timeout', async () => {
    const client = await open(
      { first: createControlledBackend('first', { startsDown: true }) },
      { publishTimeout: 50 },
    )
    const published = client.publish('news', 1)
    setBack()
    expect(await published).toBe(false)
  })

  it('does not keep what is missing from being sent again', () => {
    const outgoing = createOutgoing('publisher', 1_000)
    const sent: string[] = []
    const resending = createResending({
      outgoing,
      publish: (_channel, payload) => sent.push(payload),
      refuse: () => {},
    })
    outgoing.decide(outgoing.number('news', performance.now()), '"lost"', 6)
    setBack()
    const missing = [['news', 1, 1] as const]
    resending.handle({ kind: 'request', from: 'listener', publisher: 'publisher', over: 'first', missing })
    expect(sent).toHaveLength(1)
  })
})

it('a message that is longer than what may be sent again in a second holds up none behind it', () => {
  const outgoing = createOutgoing('publisher', 32 * 1024 * 1024)
  const sent: number[] = []
  const resending = createResending({
    outgoing,
    publish: (_channel, payload) => sent.push(payload.length),
    refuse: () => {},
  })
  const text = JSON.stringify('x'.repeat(9 * 1024 * 1024))
  outgoing.decide(outgoing.number('news', performance.now()), text, text.length)
  const missing = [['news', 1, 1] as const]
  resending.handle({ kind: 'request', from: 'listener', publisher: 'publisher', over: 'first', missing })
  expect(sent).toHaveLength(1)
})

describe('messages', () => {
  it('survive an onGap that rejects, and the rejection is told', async () => {
    const broker = createControlledBackend('first')
    const client = await open({ first: broker })
    const errors: string[] = []
    client.on('error', (error) => errors.push(error.code))
    const onGap = (): unknown => Promise.reject(new Error('boom'))
    const pull = client.messages('news', { onGap }).next()
    await turn()
    broker.gap('a message was lost')
    await turn()
    expect(errors).toEqual(['listener_failed'])
    broker.foreign('news', '1')
    expect(await pull).toEqual({ done: false, value: 1 })
  })

  it('throw on a gap also where onGap throws', async () => {
    const broker = createControlledBackend('first')
    const client = await open({ first: broker })
    const onGap = (): void => {
      throw new Error('boom')
    }
    const pull = client.messages('news', { onGap, throwOnGap: true }).next()
    await turn()
    broker.gap('a message was lost')
    await expect(pull).rejects.toMatchObject({ code: 'gap' })
  })

  it('ends when its queue overflows under the policy close', async () => {
    const broker = createControlledBackend('first')
    const client = await open({ first: broker }, { maxListenerMessages: 2 })
    const iterator = client.messages('news', { overflow: 'close' })
    const first = iterator.next()
    await turn()
    for (let number = 0; number < 6; number += 1) broker.foreign('news', String(number))
    expect(await first).toEqual({ done: false, value: 0 })
    expect(await Promise.race([iterator.next(), turn()])).toEqual({ done: true, value: undefined })
  })
})

describe('messages, pulled by several at once,', () => {
  it('go to each in turn; leaving ends the others', async () => {
    const broker = createControlledBackend('first')
    const client = await open({ first: broker })
    const iterator = client.messages('news')
    const pulls = [iterator.next(), iterator.next(), iterator.next()]
    await turn()
    broker.foreign('news', '1')
    broker.foreign('news', '2')
    await iterator.return?.()
    expect(await Promise.all(pulls)).toEqual([
      { done: false, value: 1 },
      { done: false, value: 2 },
      { done: true, value: undefined },
    ])
  })

  it('throw the gap in its place, after the messages that came before it', async () => {
    const broker = createControlledBackend('first')
    const client = await open({ first: broker })
    const iterator = client.messages('news', { throwOnGap: true })
    const first = iterator.next()
    await turn()
    for (const payload of ['1', '2', '3']) broker.foreign('news', payload)
    broker.gap('a message was lost')
    broker.foreign('news', '4')
    expect([await first, await iterator.next(), await iterator.next()].map(({ value }) => value)).toEqual([
      1, 2, 3,
    ])
    await expect(iterator.next()).rejects.toMatchObject({ code: 'gap' })
    expect(await iterator.next()).toEqual({ done: true, value: undefined })
  })
})

describe('publishing', () => {
  it('keeps no message that was given up while no broker is up', { timeout: 120_000 }, async () => {
    const broker = createControlledBackend('first', { startsDown: true })
    const client = await open({ first: broker }, { publishTimeout: 5 })
    const text = 'x'.repeat(500_000)
    const round = async (): Promise<number> => {
      for (let batch = 0; batch < 8; batch += 1) {
        await Promise.all(Array.from({ length: 20 }, (_, index) => client.publish('news', `${index}${text}`)))
      }
      collectGarbage()
      return process.memoryUsage().heapUsed
    }
    const before = await round()
    await round()
    await round()
    expect((await round()) - before).toBeLessThan(50_000_000)
  })

  it('resolves true where the program was too busy to read in time that it was accepted', async () => {
    const broker = createControlledBackend('first')
    const client = await open({ first: broker }, { publishTimeout: 300 })
    broker.hold(true)
    const published = client.publish('news', 1)
    await turn()
    // What has come on a socket is read after the timers that are due.
    setImmediate(() => broker.hold(false))
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 600)
    expect(await published).toBe(true)
  })

  it('sends a message once more, not twice, when its flight is refused in part and then abandoned', async () => {
    const first = createControlledBackend('first')
    const second = createControlledBackend('second')
    const client = await open({ first, second }, { recovery: true })
    first.hold(true)
    const results = [client.publish('news', 1), client.publish('news', 2)]
    await turn()
    const held = first.calls.filter((call) => call.startsWith('publish')).length
    first.reject('outcome_unknown', 1)
    expect(await Promise.all(results)).toEqual([true, true])
    expect(held).toBe(2)
    expect(second.calls.filter((call) => call.startsWith('publish news'))).toHaveLength(2)
    first.hold(false)
  })

  it('keeps the order when a broker that is up refuses what it has, one after the other', async () => {
    const first = createControlledBackend('first')
    const second = createControlledBackend('second')
    const client = await open({ first, second })
    first.hold(true)
    const results = [client.publish('news', 1), client.publish('news', 2)]
    await turn()
    first.reject('not_sent', 1)
    await turn()
    results.push(client.publish('news', 3))
    await turn()
    first.reject('not_sent', 1)
    expect(await Promise.all(results)).toEqual([true, true, true])
    expect(second.calls.filter((call) => call.startsWith('publish'))).toEqual([
      'publish news 1',
      'publish news 2',
      'publish news 3',
    ])
  })

  it('waits for what the second broker has in flight before it returns to the first', async () => {
    const first = createControlledBackend('first')
    const second = createControlledBackend('second')
    const client = await open({ first, second }, { returnAfter: 10 })
    first.disconnect()
    second.hold(true)
    const before = client.publish('news', 1)
    await turn()
    const returned = new Promise<void>((resolve) => {
      client.on('state', ({ backend }) => {
        if (backend === 'first') resolve()
      })
    })
    first.reconnect()
    await returned
    const after = client.publish('news', 2)
    await turn()
    expect(first.calls).not.toContain('publish news 2')
    second.hold(false)
    expect(await Promise.all([before, after])).toEqual([true, true])
    expect(first.calls).toContain('publish news 2')
  })

  it('returns to a first broker that refused messages for a moment without having gone down', async () => {
    const first = createControlledBackend('first')
    const second = createControlledBackend('second')
    const client = await open({ first, second }, { returnAfter: 10 })
    const backends: string[] = []
    const returned = new Promise<void>((resolve) => {
      client.on('state', ({ backend }) => {
        backends.push(backend)
        if (backend === 'first') resolve()
      })
    })
    first.refuse('not_sent')
    expect(await client.publish('news', 1)).toBe(true)
    first.refuse(undefined)
    await returned
    expect(await client.publish('news', 2)).toBe(true)
    expect(backends).toEqual(['second', 'first'])
    expect(first.calls).toContain('publish news 2')
  })
})

describe('close', () => {
  it('still sends what was accepted when the broker comes back in time', async () => {
    const broker = createControlledBackend('first')
    const client = await open({ first: broker }, { closeTimeout: 5_000 })
    broker.disconnect()
    const accepted = client.publish('news', 1)
    const closing = client.close()
    await turn()
    broker.reconnect()
    expect(await accepted).toBe(true)
    await closing
  })

  it('waits for a callback that is still running after its listener was unsubscribed', async () => {
    const broker = createControlledBackend('first')
    const client = await open({ first: broker }, { closeTimeout: 5_000 })
    let finish: () => void = () => {}
    let finished = false
    const subscription = await client.listen('news', async () => {
      await new Promise<void>((resolve) => {
        finish = resolve
      })
      finished = true
    })
    broker.foreign('news', '1')
    await subscription.unsubscribe()
    let closed = false
    const closing = client.close().then(() => {
      closed = true
    })
    await turn()
    expect(closed).toBe(false)
    finish()
    await closing
    expect(finished).toBe(true)
  })

  it('closes the first backend when the second cannot be created', async () => {
    const first = createControlledBackend('first')
    const failure = new PubSubError('configuration', 'unusable URL')
    await expect(
      createClient({
        backend: 'first',
        fallback: 'second',
        backends: {
          first: () => first,
          second: () => ({
            createBackend() {
              throw failure
            },
          }),
        },
        environment: {},
        log: silentLogger,
      }),
    ).rejects.toBe(failure)
    expect(first.calls).toEqual(['close'])
  })
})

describe('settings in code', () => {
  it.each([
    [{ publishTimeout: Number.POSITIVE_INFINITY }, 'publishTimeout'],
    [{ closeTimeout: Number.NaN }, 'closeTimeout'],
    [{ returnAfter: -1 }, 'returnAfter'],
    [{ maxMessageBytes: 1.5 }, 'maxMessageBytes'],
    [{ prefix: '$ps' }, 'prefix'],
    [{ prefix: 'a\0' }, 'prefix'],
  ])('are refused where they make no sense: %o', async (settings, name) => {
    await expect(
      createClient({ backend: 'memory', environment: {}, log: silentLogger, ...settings }),
    ).rejects.toMatchObject({ code: 'configuration', message: expect.stringContaining(name) })
  })
})

it('ten thousand listens of one turn reach the backend together, so that it can batch them', async () => {
  const broker = createMemoryBroker()
  let asked = 0
  const seen: number[] = []
  const client = await createClient({
    backend: 'memory',
    environment: {},
    log: silentLogger,
    backends: {
      memory: () => ({
        createBackend() {
          const inner = broker.createBackend()
          return {
            ...inner,
            subscribe(channel) {
              asked += 1
              // As late as a batch can wait that is to leave in the same turn: a microtask after its first call.
              if (asked === 1) queueMicrotask(() => seen.push(asked))
              return inner.subscribe(channel)
            },
          }
        },
      }),
    },
  })
  clients.push(client)
  await Promise.all(Array.from({ length: 10_000 }, (_, index) => client.listen(`c-${index}`, () => {})))
  expect(seen).toEqual([10_000])
})

describe('while a broker is down', () => {
  it('ten thousand aborted listens leave nothing for it to do when it is back', async () => {
    const broker = createControlledBackend('first', { startsDown: true })
    const client = await open({ first: broker })
    const controller = new AbortController()
    setMaxListeners(0, controller.signal)
    const listens = Array.from({ length: 10_000 }, (_, index) =>
      client.listen(`news ${index}`, () => {}, { signal: controller.signal }),
    )
    const outcomes = Promise.allSettled(listens)
    await turn()
    controller.abort()
    expect((await outcomes).every(({ status }) => status === 'rejected')).toBe(true)
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0)
    broker.reconnect()
    await turn()
    expect(broker.calls).toEqual([])
  })

  it('what was asked for then is confirmed before anything is published on it', async () => {
    const first = createControlledBackend('first')
    const second = createControlledBackend('second', { startsDown: true })
    const client = await open({ first, second })
    await client.listen('news', () => {})
    first.disconnect()
    const published = client.publish('news', 1)
    second.reconnect()
    expect(await published).toBe(true)
    expect(second.calls).toEqual(['subscribe news', 'publish news 1'])
  })

  it('a listen survives that it goes down again while it confirms', async () => {
    const broker = createControlledBackend('first', { startsDown: true })
    const client = await open({ first: broker })
    const messages: unknown[] = []
    const listening = client.listen('news', (message) => messages.push(message))
    broker.reconnect()
    broker.disconnect()
    await turn()
    broker.reconnect()
    await listening
    expect(await client.publish('news', 1)).toBe(true)
    await turn()
    expect(messages).toEqual([1])
    expect(broker.calls).toEqual(['subscribe news', 'publish news 1'])
  })

  it('leaving a loop and unsubscribing do not wait for it', async () => {
    const broker = createControlledBackend('first')
    const client = await open({ first: broker })
    const subscription = await client.listen('news', () => {})
    const iterator = client.messages('news')
    const pending = iterator.next()
    await turn()
    broker.disconnect()
    expect(await iterator.return?.()).toMatchObject({ done: true })
    expect(await pending).toMatchObject({ done: true })
    await subscription.unsubscribe()
    expect(subscription.closed).toBe(true)
  })
})

describe('a callback', () => {
  it('may unsubscribe itself and its siblings, publish, listen and close the client', async () => {
    const broker = createControlledBackend('first')
    const client = await open({ first: broker }, { closeTimeout: 5_000 })
    const heard: string[] = []
    const listens = [
      client.listen('news', () => {
        heard.push('first')
        void listens[0]?.then((own) => own.unsubscribe())
        void listens[1]?.then((sibling) => sibling.unsubscribe())
        void client.publish('other', 1)
        void client.listen('other', () => {}).catch(() => {})
        void client.close()
      }),
      client.listen('news', () => heard.push('second')),
    ]
    await Promise.all(listens)
    broker.foreign('news', '1')
    broker.foreign('news', '2')
    await client.close()
    expect(heard).toEqual(['first'])
    expect(broker.calls).toContain('publish other 1')
  })
})

describe('a logger', () => {
  it('may be an object whose methods need their `this`', async () => {
    class Lines {
      readonly lines: string[] = []
      info(line: string): void {
        this.lines.push(line)
      }
      warn(line: string): void {
        this.lines.push(line)
      }
      error(line: string): void {
        this.lines.push(line)
      }
    }
    const log = new Lines()
    const backend = createControlledBackend('redis')
    const client = await createClient({
      backend: 'redis',
      backends: { redis: () => backend },
      environment: {},
      log,
    })
    try {
      const heard = new Promise((resolve) => {
        void client.listen('c', resolve).then(() => {
          backend.foreign('c', 'not json')
          backend.foreign('c', '1')
        })
      })
      expect(await heard).toBe(1)
    } finally {
      await client.close()
    }
    expect(log.lines.filter((line) => line.includes('is not JSON'))).toHaveLength(1)
  })
})
