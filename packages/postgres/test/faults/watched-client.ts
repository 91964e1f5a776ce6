import { randomUUID } from 'node:crypto'
import { inspect } from 'node:util'
import { type Client, createClient, type PubSubError, type Settings } from '@ps/core'
import { uniqueName, waitFor, withDeadline } from '@ps/services/vitest'
import { expect, onTestFinished } from 'vitest'
import { urlWith, withParameter } from '../opened-backend.js'

/** A client over PostgreSQL, and all that it has told. */
export interface WatchedClient {
  readonly client: Client
  /** Warnings and errors that it has logged. */
  readonly lines: readonly string[]
  readonly errors: readonly PubSubError[]
  /** `ready` and `down`, as they came. */
  readonly states: readonly string[]
  /** The `application_name` of its sessions. */
  readonly application: string
  /** Listens on a channel of its own and writes down what comes. */
  hear(): Promise<Heard>
  /** Waits until it is ready. */
  ready(): Promise<void>
  /** Waits until it has been down so many times after its start. */
  downs(times: number): Promise<void>
}

export interface Heard {
  readonly channel: string
  /** Numbers of messages, and gaps in their place. */
  readonly events: readonly (number | 'gap')[]
  gaps(): number
}

/** Publishers that go on until they are told to stop. */
export interface Load {
  /** The numbers that were accepted so far. */
  readonly accepted: ReadonlySet<number>
  /** How many were not. */
  refused(): number
  /** Resolves when so many more were accepted. */
  more(count: number): Promise<void>
  /** Resolves when every publish has settled. */
  stop(): Promise<void>
}

/** A client of the test's own, closed after it. */
export async function watchClient({ databaseUrl = '', ...settings }: Settings): Promise<WatchedClient> {
  const lines: string[] = []
  const errors: PubSubError[] = []
  const states: string[] = []
  const note = (line: string): void => void lines.push(line)
  const application = `test-${randomUUID()}`
  const client = await createClient({
    ...settings,
    backend: 'postgres',
    databaseUrl: withParameter(databaseUrl, 'application_name', application),
    backends: { postgres: () => import('../../src/index.js') },
    environment: {},
    log: { info: () => {}, warn: note, error: note },
  })
  onTestFinished(() => client.close())
  client.on('error', (error) => errors.push(error))
  client.on('state', ({ state }) => states.push(state))
  return {
    client,
    lines,
    errors,
    states,
    application,
    async hear() {
      const channel = uniqueName('fault')
      const events: (number | 'gap')[] = []
      const onGap = (): void => void events.push('gap')
      await client.listen(channel, (message) => void events.push(Number(message)), { onGap })
      return { channel, events, gaps: () => events.filter((event) => event === 'gap').length }
    },
    async ready() {
      const isReady = async (): Promise<boolean> =>
        states.at(-1) !== 'down' && (await client.health()).state === 'ready'
      await waitFor(isReady, { timeout: 20_000, what: 'the client to be ready' })
    },
    async downs(times) {
      // It may be ready again before anybody looks.
      const count = (): number => states.filter((state) => state === 'down').length
      await waitFor(() => count() >= times, { timeout: 20_000, what: `the client to be down ${times} times` })
    },
  }
}

/** Publishes numbers to the channel that is heard, several at once. */
export function load({ client }: WatchedClient, { channel }: Heard): Load {
  const accepted = new Set<number>()
  const running = new Set([true])
  let next = 0
  let refused = 0
  const publishers = Array.from({ length: 10 }, async () => {
    while (running.size > 0) {
      const number = next
      next += 1
      if (await client.publish(channel, number)) accepted.add(number)
      else refused += 1
      // Else a client that answers at once would let nothing else run.
      await new Promise((resolve) => setImmediate(resolve))
    }
  })
  onTestFinished(() => running.clear())
  return {
    accepted,
    refused: () => refused,
    async more(count) {
      const goal = accepted.size + count
      await waitFor(() => accepted.size >= goal, { timeout: 20_000, what: `${count} more to be accepted` })
    },
    async stop() {
      running.clear()
      await withDeadline(Promise.all(publishers), 15_000, 'every publish to settle')
    },
  }
}

/**
 * Stops the load, publishes one more message and waits for it; then expects order, nothing doubled, and nothing
 * missing that was accepted unless a gap was told in its place.
 */
export async function expectWhole({ client }: WatchedClient, heard: Heard, running: Load): Promise<void> {
  await running.stop()
  const last = 2 ** 40
  expect(await client.publish(heard.channel, last)).toBe(true)
  await waitFor(() => heard.events.includes(last), { what: 'the last message' })

  let before = -1
  let gap = false
  const arrived = new Set<number>()
  const excused = new Set<number>()
  for (const event of heard.events) {
    if (event === 'gap') {
      gap = true
      continue
    }
    expect(event).toBeGreaterThan(before)
    if (gap) for (const number of running.accepted) if (number > before && number < event) excused.add(number)
    arrived.add(event)
    before = event
    gap = false
  }
  const lost = [...running.accepted].filter((number) => !arrived.has(number) && !excused.has(number))
  expect(lost).toEqual([])
}

/** Expects that few lines were logged, and that neither they nor the errors hold the password. */
export function expectFewLines({ lines, errors }: WatchedClient, most: number, url: string): void {
  expect(lines.length, lines.join('\n')).toBeLessThanOrEqual(most)
  const { password } = new URL(url)
  expect(password).not.toBe('')
  expect(inspect({ lines, errors }, { depth: 9, showHidden: true })).not.toContain(
    decodeURIComponent(password),
  )
}

/** The user of a URL that has no rights beyond connecting, as an application has. */
export const asWorker = (url: string): string => urlWith(url, { username: 'worker', password: 'hunter2' })
