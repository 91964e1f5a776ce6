import { expect, test } from 'vitest'
import { backendDetails, type BackendState, backendWords } from '../dashboard/backend-words.js'

const ready = (name: string) => ({ name, state: 'ready', latencyMs: 0.5 }) as const
const down = (name: string) => ({ name, state: 'down', latencyMs: null, reason: 'ECONNREFUSED' }) as const

const since = new Date(2026, 0, 1, 12).toISOString()
const health = (given: Omit<BackendState, 'since'>): BackendState => ({ since, ...given })

test.each<[string, string, BackendState]>([
  [
    'Redis',
    'Since 1 Jan, 12:00:00, because it is the first choice. Redis answers in 0.50 ms · Postgres answers in 0.50 ms',
    health({
      backend: 'redis',
      state: 'ready',
      reason: 'it is the first choice',
      backends: [ready('redis'), ready('postgres')],
    }),
  ],
  [
    'Redis, which does not answer',
    'Since 1 Jan, 12:00:00, because it is the first choice. Redis is down: ECONNREFUSED · Postgres answers in 0.50 ms',
    health({
      backend: 'redis',
      state: 'degraded',
      reason: 'it is the first choice',
      backends: [down('redis'), ready('postgres')],
    }),
  ],
  [
    'Postgres, since Redis is unreachable',
    'Since 1 Jan, 12:00:00. Redis is down: ECONNREFUSED · Postgres answers in 0.50 ms',
    health({
      backend: 'postgres',
      state: 'degraded',
      reason: 'redis is unreachable: ECONNREFUSED',
      backends: [down('redis'), ready('postgres')],
    }),
  ],
  [
    'Postgres, soon back on Redis',
    'Since 1 Jan, 12:00:00, until Redis has answered for a while. Redis answers in 0.50 ms · Postgres answers in 0.50 ms',
    health({
      backend: 'postgres',
      state: 'ready',
      reason: 'redis is unreachable: ECONNREFUSED',
      backends: [ready('redis'), ready('postgres')],
    }),
  ],
  [
    'Redis',
    'Since 1 Jan, 12:00:00, because Redis is back. Redis answers in 0.50 ms · Postgres answers in 0.50 ms',
    health({
      backend: 'redis',
      state: 'ready',
      reason: 'redis is back',
      backends: [ready('redis'), ready('postgres')],
    }),
  ],
  [
    'Redis, without Postgres behind it',
    'Since 1 Jan, 12:00:00, because it is the first choice. Redis answers in 0.50 ms · Postgres is down: ECONNREFUSED',
    health({
      backend: 'redis',
      state: 'degraded',
      reason: 'it is the first choice',
      backends: [ready('redis'), down('postgres')],
    }),
  ],
  [
    'Redis and Postgres are unreachable',
    'Since 1 Jan, 12:00:00. Redis is down: ECONNREFUSED · Postgres is down: ECONNREFUSED',
    health({
      backend: 'postgres',
      state: 'down',
      reason: 'redis is unreachable: ECONNREFUSED',
      backends: [down('redis'), down('postgres')],
    }),
  ],
  [
    'Postgres is unreachable',
    'Postgres is down: ECONNREFUSED',
    health({
      backend: 'postgres',
      state: 'down',
      reason: 'it is the first choice',
      backends: [down('postgres')],
    }),
  ],
  [
    'Postgres',
    'Postgres answers in 0.50 ms',
    health({
      backend: 'postgres',
      state: 'ready',
      reason: 'it is the first choice',
      backends: [ready('postgres')],
    }),
  ],
])('says in words which broker carries the messages: %s', (words, details, given) => {
  expect(backendWords(given)).toBe(words)
  expect(backendDetails(given)).toBe(details)
})
