import { randomUUID } from 'node:crypto'
import type { Backend, BackendOptions } from '@ps/core'
import { waitFor } from '@ps/services/vitest'
import postgres from 'postgres'
import { inject, onTestFinished } from 'vitest'
import { createBackend } from '../src/index.js'

/** A backend, and all that it has told. */
export interface OpenedBackend {
  readonly backend: Backend
  readonly messages: { readonly channel: string; readonly payload: string }[]
  readonly gaps: string[]
  readonly invalid: { readonly channel: string; readonly cause: Error }[]
  /** All events by name, in order. */
  readonly events: string[]
  readonly causes: Error[]
  /** The `application_name` of its sessions. */
  readonly application: string
  /** Waits until that many messages have arrived, and gives their payloads. */
  payloads(count: number): Promise<string[]>
  /** Waits for the next `ready` after `seen` of them. */
  ready(times?: number): Promise<void>
}

/** A backend of the test's own, not started; closed after the test. */
export function makeBackend(
  options: Partial<BackendOptions> = {},
  onMessage: (channel: string) => void = () => {},
): OpenedBackend & { start(): Promise<void> } {
  const application = `test-${randomUUID()}`
  const { url = inject('postgresUrl') } = options
  const backend = createBackend({ ...options, url: withParameter(url, 'application_name', application) })
  const opened: OpenedBackend = {
    backend,
    messages: [],
    gaps: [],
    invalid: [],
    events: [],
    causes: [],
    application,
    async payloads(count) {
      await waitFor(() => opened.messages.length >= count, { what: `${count} messages` })
      return opened.messages.map(({ payload }) => payload)
    },
    async ready(times = 1) {
      await waitFor(() => opened.events.filter((event) => event === 'ready').length >= times, {
        what: 'ready',
      })
    },
  }
  onTestFinished(() => backend.close())
  return {
    ...opened,
    start: () =>
      backend.start({
        message(channel, payload) {
          opened.messages.push({ channel, payload })
          onMessage(channel)
        },
        gap(reason) {
          opened.gaps.push(reason)
          opened.events.push('gap')
        },
        state(state, cause) {
          opened.events.push(state)
          if (cause !== undefined) opened.causes.push(cause)
        },
        invalid(channel, cause) {
          opened.invalid.push({ channel, cause })
        },
      }),
  }
}

/** A started backend of the test's own. */
export async function openBackend(
  options: Partial<BackendOptions> = {},
  onMessage?: (channel: string) => void,
): Promise<OpenedBackend> {
  const { start, ...opened } = makeBackend(options, onMessage)
  await start()
  return opened
}

/** A session of another program, with the plain driver. */
export function openPeer(url: string = inject('postgresUrl')): postgres.Sql {
  const sql = postgres(url, { max: 1, onnotice: () => {} })
  onTestFinished(() => sql.end())
  return sql
}

/** Ends the sessions of a backend as an administrator would. Returns how many there were. */
export async function killSessions(peer: postgres.Sql, application: string): Promise<number> {
  const killed = await peer`
    select pg_terminate_backend(pid) from pg_stat_activity where application_name = ${application}
  `
  return killed.length
}

export function withParameter(url: string, name: string, value: string): string {
  return `${url}${url.includes('?') ? '&' : '?'}${name}=${encodeURIComponent(value)}`
}

/** The URL with another database, user or password. */
export function urlWith(
  url: string,
  changes: Partial<Record<'pathname' | 'username' | 'password', string>>,
): string {
  return Object.assign(new URL(url), changes).href
}
