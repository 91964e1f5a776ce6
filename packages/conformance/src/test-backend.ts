import type { Backend } from '@ps/core'
import { afterAll, describe, it, onTestFailed, type TestContext } from 'vitest'
import { type CaseOutcome, capabilityTable } from './capability-table.js'
import type { Case, Need } from './case.js'
import { delivery } from './delivery.js'
import { faults } from './faults.js'
import { type Interrupt, isNotApplicable, type NotApplicable } from './interrupt.js'
import { lifecycle } from './lifecycle.js'
import { limits } from './limits.js'
import { listeners } from './listeners.js'
import { defaultOutage, runCase } from './run-case.js'
import type { SuiteSettings } from './watched-client.js'

/** In milliseconds, beside the length of an outage. */
const caseTimeout = 60_000
/** Nothing in a case is waited for longer than this, in milliseconds. */
const casePatience = 20_000

/** What the suite needs of a backend. */
export interface BackendUnderTest {
  /**
   * Makes a backend that has not been started. All that are made lead to one broker, on the way that `interrupt` breaks.
   * Called several times a case; it is given the case's test context, to `skip` with a reason where there is no broker to
   * be had.
   */
  create(test: TestContext): Backend | Promise<Backend>
  /** How the connections to the broker are broken. Only a backend without connections may say that it does not apply. */
  readonly interrupt: Interrupt | NotApplicable
  /**
   * How many connections the broker counts as subscribed to a channel, by its name on the wire. Default: it cannot be
   * asked.
   */
  readonly subscriptions?: ((channel: string) => Promise<number>) | NotApplicable | undefined
  /** How long the broker stays away in the case of an outage, in milliseconds. Default: 60,000. */
  readonly outage?: number | undefined
  /**
   * How many times every case that interrupts nothing runs at once, as stress; the largest one then publishes less each time.
   * Default: 1.
   */
  readonly times?: number | undefined
  /**
   * Settings of a client under which all must hold as well. Every case then asks clients with these settings, also where
   * it would ask the backend alone; the few that only the backend can answer do not apply. Default: the backend is asked, and
   * clients have their defaults.
   */
  readonly settings?: SuiteSettings | undefined
}

/** All cases of the suite, by concern. */
export const concerns: readonly (readonly [string, readonly Case[]])[] = [
  ['delivery', delivery],
  ['limits', limits],
  ['lifecycle', lifecycle],
  ['listeners', listeners],
  ['faults', faults],
]

/**
 * Declares the suite for a backend. Call it at the top level of a test file. A table of what holds is printed at the end.
 *
 * @example
 * testBackend('redis', { create: () => createBackend({ url: proxy.url }), interrupt: { cut: () => proxy.cut(), … } })
 */
export function testBackend(
  name: string,
  {
    create,
    interrupt,
    subscriptions = { notApplicable: 'the broker cannot be asked who is subscribed' },
    outage = defaultOutage,
    times = 1,
    settings,
  }: BackendUnderTest,
): void {
  const backend =
    settings === undefined
      ? {}
      : { notApplicable: 'it asks the backend alone, on which the settings of a client have no effect' }
  const abilities = { interrupt, subscriptions, backend }
  const table = concerns.map(([concern, cases]) => ({
    concern,
    outcomes: cases.map((one) => ({
      ...one,
      outcome: (whyNot(one.needs, abilities) ?? 'did not run') as CaseOutcome,
    })),
  }))
  describe(`conformance of ${name}`, () => {
    afterAll(() => console.log(capabilityTable(name, table)))
    for (const { concern, outcomes } of table) {
      const asked = outcomes.filter(({ outcome }) => typeof outcome === 'string')
      if (asked.length === 0) continue
      describe(concern, () => {
        for (const one of asked) {
          it(one.title, { timeout: caseTimeout * times + outage }, async (test) => {
            onTestFailed(() => {
              one.outcome = 'FAILED'
            })
            const subject = {
              create: () => create(test),
              interrupt,
              subscriptions,
              settings,
              outage,
              patience: casePatience * times,
              // What interrupts would interrupt its own copies.
              times: concern === 'faults' ? 1 : times,
            }
            const copies = subject.times
            await Promise.all(Array.from({ length: copies }, () => runCase(one, subject)))
            one.outcome = 'holds'
          })
        }
      })
    }
  })
}

/** Why a case cannot be asked, if so. */
function whyNot(
  needs: readonly Need[] = [],
  abilities: Readonly<Record<Need, object>>,
): NotApplicable | undefined {
  return needs.map((need) => abilities[need]).find(isNotApplicable)
}
