import type { Backend } from '@ps/core'
import { describe, it, type TestContext } from 'vitest'
import type { Case } from './case.js'
import { delivery } from './delivery.js'
import { lifecycle } from './lifecycle.js'
import { limits } from './limits.js'
import { runCase } from './run-case.js'

/** In milliseconds. */
const caseTimeout = 60_000

/** What the suite needs of a backend. */
export interface BackendUnderTest {
  /**
   * Makes a backend that has not been started. All that are made lead to one broker. Called several times a case; it is
   * given the case's test context, to `skip` with a reason where there is no broker to be had.
   */
  create(test: TestContext): Backend | Promise<Backend>
}

const concerns: readonly (readonly [string, readonly Case[]])[] = [
  ['delivery', delivery],
  ['limits', limits],
  ['lifecycle', lifecycle],
]

/**
 * Declares the suite for a backend. Call it at the top level of a test file.
 *
 * @example
 * testBackend('redis', { create: () => createBackend({ url: 'redis://localhost:6379' }) })
 */
export function testBackend(name: string, { create }: BackendUnderTest): void {
  describe(`conformance of ${name}`, () => {
    for (const [concern, cases] of concerns) {
      describe(concern, () => {
        for (const one of cases)
          it(one.title, { timeout: caseTimeout }, (test) => runCase(one, () => create(test)))
      })
    }
  })
}
