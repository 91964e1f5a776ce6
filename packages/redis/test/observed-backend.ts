import { inspect } from 'node:util'
import type { Backend, BackendState } from '@ps/core'
import { type RedisOptions, type RedisServer, RedisUnavailable, startRedis } from '@ps/services'
import { waitFor } from '@ps/services/vitest'
import { Redis } from 'ioredis'
import type { TestContext } from 'vitest'
import { createBackend } from '../src/index.js'

/** A backend, and what it has told. */
export interface ObservedBackend {
  readonly backend: Backend
  readonly messages: { channel: string; payload: string }[]
  readonly invalid: string[]
  readonly gaps: string[]
  /** Every `state` and `gap`, in order. */
  readonly events: string[]
  readonly state: BackendState | undefined
  /** Why it is down, or was last. */
  readonly cause: Error | undefined
  readonly warnings: string[]
  payloads(channel: string): string[]
}

/** A backend that has not been started. */
export function observe(
  test: TestContext,
  url: string,
  listenUrl?: string,
): ObservedBackend & { start(): Promise<void> } {
  const warnings: string[] = []
  const log = {
    info() {},
    warn: (line: string) => void warnings.push(line),
    error: (line: string) => void warnings.push(line),
  }
  const backend = createBackend({ url, listenUrl, log })
  test.onTestFinished(() => backend.close())
  const messages: { channel: string; payload: string }[] = []
  const invalid: string[] = []
  const gaps: string[] = []
  const events: string[] = []
  let state: BackendState | undefined
  let cause: Error | undefined
  return {
    backend,
    messages,
    invalid,
    gaps,
    events,
    warnings,
    get state() {
      return state
    },
    get cause() {
      return cause
    },
    payloads: (channel) =>
      messages.filter((message) => message.channel === channel).map(({ payload }) => payload),
    start: () =>
      backend.start({
        message: (channel, payload) => void messages.push({ channel, payload }),
        gap(reason) {
          gaps.push(reason)
          events.push('gap')
        },
        state(next, why) {
          state = next
          cause = why ?? cause
          events.push(next)
        },
        invalid: (channel) => void invalid.push(channel),
      }),
  }
}

/** A backend that has started and is ready; its events begin there. */
export async function startReady(
  test: TestContext,
  url: string,
  listenUrl?: string,
): Promise<ObservedBackend> {
  const observed = observe(test, url, listenUrl)
  await observed.start()
  await waitFor(() => observed.state === 'ready')
  observed.events.length = 0
  return observed
}

/** A Redis that this test may break. */
export async function startOwnRedis(test: TestContext, options: RedisOptions = {}): Promise<RedisServer> {
  try {
    const server = await startRedis(options)
    test.onTestFinished(() => server.stop())
    return server
  } catch (error) {
    if (error instanceof RedisUnavailable && !process.env.CI) return test.skip(error.message)
    throw error
  }
}

/** A connection of the test's own. */
export function connectAdmin(test: TestContext, url: string): Redis {
  const admin = new Redis(url)
  test.onTestFinished(() => admin.disconnect())
  return admin
}

/** How a call ends: `resolved`, or the code that it rejects with. */
export const outcome = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'resolved',
    (error: unknown) => String((error as { code?: unknown }).code ?? error),
  )

/** All that a logger might print of an error. */
export const inspectDeep = (error: unknown): string => inspect(error, { depth: 20, showHidden: true })
