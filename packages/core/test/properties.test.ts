import { propertyRuns } from '@ps/services/vitest'
import * as fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  type Client,
  type ClientOptions,
  createClient,
  isPubSubError,
  type OverflowPolicy,
  silentLogger,
} from '../src/index.js'
import { createListener } from '../src/listener.js'
import { createMemoryBroker } from '../src/memory.js'
import { createControlledBackend } from './controlled-backend.js'

fc.configureGlobal(propertyRuns)

async function open(options: ClientOptions = {}): Promise<Client> {
  const broker = createMemoryBroker()
  const client = await createClient({
    backend: 'memory',
    backends: { memory: () => broker },
    environment: {},
    log: silentLogger,
    ...options,
  })
  onTestFinished(() => client.close())
  return client
}

/** Lets everything that is due now run. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

const codeOf = (error: unknown): string => (isPubSubError(error) ? error.code : String(error))

/** Any sequence of UTF-16 code units, halves of surrogate pairs among them. */
const units = fc
  .array(fc.oneof(fc.integer({ min: 0, max: 0xffff }), fc.integer({ min: 0xd7ff, max: 0xe000 })), {
    maxLength: 20,
  })
  .map((codes) => String.fromCharCode(...codes))
const anyName = fc.oneof(
  units,
  fc.string({ unit: 'binary', maxLength: 80 }),
  fc
    .tuple(fc.constantFrom('x', 'é', '日', '🌍'), fc.integer({ min: 50, max: 260 }))
    .map(([text, n]) => text.repeat(n)),
  fc.string({ unit: 'binary', maxLength: 9 }).map((rest) => `$ps${rest}`),
)
const isName = (name: string): boolean =>
  name !== '' &&
  !name.includes('\0') &&
  !name.startsWith('$ps') &&
  name.isWellFormed() &&
  new TextEncoder().encode(name).length <= 255

const jsonTexts = fc.oneof(
  fc.json({ stringUnit: 'binary', maxDepth: 6 }),
  units.map((text) => JSON.stringify(text)),
  units.map((key) => `{${JSON.stringify(key)}:{"__proto__":[null,-0,1e400,0.1]}}`),
  fc.constantFrom('{"toJSON":1}', '{"then":1}', '{"$ps":{"$ps.part":["a",0,1]}}', '"\u2028\\u0000"', '1E400'),
  fc.integer({ min: 0, max: 2_000 }).map((depth) => '['.repeat(depth) + '{}' + ']'.repeat(depth)),
)
/** What a value means on the wire, with the order of its keys. */
const wire = (value: unknown): string => JSON.stringify(value)

describe('a message', () => {
  it('arrives as its JSON value, in order, whatever it is, on every channel with a valid name', {
    timeout: 120_000,
  }, async () => {
    const client = await open()
    const named = fc.uniqueArray(anyName.filter(isName), { minLength: 1, maxLength: 3 })
    const messages = fc.array(fc.tuple(fc.nat(), jsonTexts), { maxLength: 30 })
    await fc.assert(
      fc.asyncProperty(named, messages, async (channels, texts) => {
        const heard: string[] = []
        const subscriptions = await Promise.all(
          channels.map((channel) =>
            client.listen(channel, (message) => void heard.push(`${channel} ${wire(message)}`)),
          ),
        )
        const sent = texts.map(([index, text]) => {
          const channel = channels[index % channels.length] ?? ''
          return { channel, message: JSON.parse(text) as unknown }
        })
        const accepted = await Promise.all(
          sent.map(({ channel, message }) => client.publish(channel, message)),
        )
        await turn()
        expect(accepted.every(Boolean)).toBe(true)
        expect(heard).toEqual(sent.map(({ channel, message }) => `${channel} ${wire(message)}`))
        await Promise.all(subscriptions.map((subscription) => subscription.unsubscribe()))
      }),
      { numRuns: 1_000 },
    )
  })

  it('of any other value is either its JSON text or refused, and nothing else ever happens', async () => {
    const client = await open({ maxMessageBytes: 200 })
    const value = fc.oneof(
      fc.anything({
        withBigInt: true,
        withDate: true,
        withMap: true,
        withNullPrototype: true,
        withSparseArray: true,
      }),
      fc.anything().map((inner) => ({ toJSON: () => inner })),
      fc.anything().map((reason) => ({
        toJSON() {
          throw reason
        },
      })),
      fc.constantFrom(undefined, Symbol('s'), () => {}, 1n, Number.NaN, new Date(Number.NaN)),
      fc.nat(400).map((length) => 'é'.repeat(length)),
    )
    const heard: string[] = []
    await client.listen('c', (message) => void heard.push(wire(message)))
    await fc.assert(
      fc.asyncProperty(value, async (message) => {
        heard.length = 0
        let text: string | undefined
        let refused = false
        try {
          text = JSON.stringify(message)
        } catch {
          refused = true
        }
        const code =
          refused || text === undefined
            ? 'invalid_message'
            : Buffer.byteLength(text) > 200
              ? 'message_too_large'
              : undefined
        expect(await client.publish('c', message).catch(codeOf)).toBe(code ?? true)
        await turn()
        expect(heard).toEqual(code === undefined && text !== undefined ? [wire(JSON.parse(text))] : [])
      }),
      { numRuns: 3_000 },
    )
  })

  it('from a foreign program is told where it is JSON, reported where it is not, and hurts no other', async () => {
    const backend = createControlledBackend('memory')
    const client = await open({ backends: { memory: () => backend } })
    const heard: string[] = []
    const reported: string[] = []
    await client.listen('c', (message) => void heard.push(wire(message)))
    client.on('error', (error) => void reported.push(error.code))
    const payload = fc.oneof(
      units,
      jsonTexts,
      fc.tuple(jsonTexts, fc.nat(), units).map(([text, at, noise]) => {
        const from = at % (text.length + 1)
        return text.slice(0, from) + noise + text.slice(from + 1)
      }),
      fc.constantFrom(
        '',
        ' ',
        'NaN',
        'undefined',
        '\uFEFF1',
        '01',
        '1,',
        '{"a":1,}',
        '"\u0001"',
        '['.repeat(100_000),
      ),
    )
    const isJson = (text: string): boolean => {
      try {
        JSON.parse(text)
        return true
      } catch {
        return false
      }
    }
    await fc.assert(
      fc.asyncProperty(fc.array(payload, { maxLength: 20 }), async (payloads) => {
        heard.length = 0
        reported.length = 0
        for (const one of [...payloads, '"good"']) backend.foreign('c', one)
        await turn()
        const valid = payloads.filter(isJson)
        expect(heard).toEqual([...valid.map((one) => wire(JSON.parse(one))), '"good"'])
        expect(reported).toEqual(
          Array.from({ length: payloads.length - valid.length }, () => 'invalid_payload'),
        )
      }),
      { numRuns: 1_000 },
    )
  })
})

it('a channel is refused exactly where its name is empty, reserved, too long, holds a NUL or is no Unicode', async () => {
  const client = await open()
  await fc.assert(
    fc.asyncProperty(anyName, async (name) => {
      const expected = isName(name) ? true : 'invalid_channel'
      expect(await client.publish(name, 1).catch(codeOf)).toBe(expected)
      const listening = await client.listen(name, () => {}).catch(codeOf)
      if (typeof listening === 'string') expect(listening).toBe(expected)
      else await listening.unsubscribe()
      expect(typeof listening === 'string').toBe(expected !== true)
    }),
    { numRuns: 3_000 },
  )
})

it('whenever a connection breaks, what is sent again comes neither twice nor out of order nor after it was given up', async () => {
  const step = fc.oneof(
    { arbitrary: fc.constant('publish' as const), weight: 6 },
    ...(['lose', 'mend', 'hold', 'release', 'turn'] as const).map((one) => ({
      arbitrary: fc.constant(one),
      weight: 1,
    })),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const backend = createControlledBackend('memory')
      const client = await open({ backends: { memory: () => backend } })
      const heard: unknown[] = []
      await client.listen('c', (message) => void heard.push(message))
      const results: Promise<boolean>[] = []
      let connected = true
      const mend = (): void => {
        if (!connected) backend.reconnect()
        connected = true
      }
      for (const one of steps) {
        if (one === 'publish') results.push(client.publish('c', results.length))
        else if (one === 'hold' || one === 'release') backend.hold(one === 'hold')
        else if (one === 'mend') mend()
        else if (one === 'turn') await turn()
        else if (connected) {
          connected = false
          backend.disconnect('connection reset', 'not_sent')
        }
      }
      backend.hold(false)
      mend()
      expect(await Promise.all(results)).toEqual(results.map(() => true))
      await turn()
      expect(heard).toEqual(results.map((_, index) => index))
      await client.close()
    }),
    { numRuns: 500 },
  )
})

describe.each(['drop-oldest', 'drop-newest', 'close'] satisfies OverflowPolicy[])(
  'under the policy %s, however slow a listener is,',
  (overflow) => {
    it('it hears each message or is told how many it missed, there where they are missing', async () => {
      const maxMessages = 4
      const maxBytes = 100
      const step = fc.oneof(
        { arbitrary: fc.integer({ min: 1, max: 120 }), weight: 5 },
        { arbitrary: fc.constantFrom('finish' as const, 'fail' as const), weight: 2 },
        { arbitrary: fc.constant('gap' as const), weight: 1 },
      )
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
          // What the listener knows of: the number of each message, and as -n that n are missing.
          const told: number[] = []
          let gaps = 0
          let dropped = 0
          let overflowed = false
          let running: { resolve(): void; reject(error: Error): void } | undefined
          const listener = createListener({
            channel: 'c',
            callback(message: number) {
              told.push(message)
              return new Promise<void>((resolve, reject) => {
                running = { resolve, reject }
              })
            },
            onGap({ missed }) {
              if (missed === undefined) gaps += 1
              else told.push(-missed)
            },
            overflow,
            maxMessages,
            maxBytes,
            onCallbackError() {},
            onOverflowClose() {
              overflowed = true
            },
            onDropped(count) {
              dropped += count
            },
            onDelivered() {},
          })
          /** Says whether one was running. */
          const end = async (how: 'finish' | 'fail'): Promise<boolean> => {
            const ended = running
            running = undefined
            if (how === 'finish') ended?.resolve()
            else ended?.reject(new Error('the callback failed'))
            await turn()
            return ended !== undefined
          }
          // The messages that should wait, as the policy says.
          let queue: { number: number; bytes: number }[] = []
          const isFull = (bytes: number): boolean =>
            queue.length > 0 &&
            (queue.length === maxMessages || queue.reduce((sum, one) => sum + one.bytes, bytes) > maxBytes)
          let sent = 0
          let interruptions = 0
          for (const one of steps) {
            if (overflowed) break
            if (one === 'gap') {
              interruptions += 1
              listener.gap({ channel: 'c', reason: 'interrupted' })
            } else if (typeof one === 'string') {
              await end(one)
              queue.shift()
            } else {
              const idle = running === undefined
              listener.deliver(sent, 'x'.repeat(one), 1)
              if (overflow === 'drop-oldest') while (isFull(one)) queue.shift()
              if (overflow === 'close' && !idle && isFull(one)) queue = []
              else if (!idle && !isFull(one)) queue.push({ number: sent, bytes: one })
              sent += 1
            }
          }
          const before = told.filter((one) => one >= 0)
          let more = await end('finish')
          while (more) more = await end('finish')
          const heard = told.filter((one) => one >= 0)
          expect(heard).toEqual([...before, ...queue.map((one) => one.number)])
          let next = 0
          for (const one of told) {
            if (one >= 0) expect(one).toBe(next)
            next += one >= 0 ? 1 : -one
          }
          expect(next).toBe(sent)
          expect(heard.length + dropped).toBe(sent)
          if (!overflowed) expect(gaps).toBe(interruptions)
          expect(overflowed).toBe(overflow === 'close' && dropped > 0)
        }),
        { numRuns: 1_000 },
      )
    })
  },
)
