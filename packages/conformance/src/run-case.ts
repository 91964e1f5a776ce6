import type { Backend, Client } from '@ps/core'
import { createBackendOverClient } from './backend-over-client.js'
import type { Case, CaseContext } from './case.js'
import { watchHandles } from './handles.js'
import { type Interrupt, isNotApplicable, type NotApplicable } from './interrupt.js'
import { startPeer } from './peer.js'
import { expectSurvival } from './survival.js'
import { until } from './until.js'
import { type SuiteSettings, watchClient } from './watched-client.js'

/** What a case is run on. */
export interface CaseSubject {
  create(): Backend | Promise<Backend>
  readonly interrupt?: Interrupt | NotApplicable | undefined
  readonly subscriptions?: ((channel: string) => Promise<number>) | NotApplicable | undefined
  /** How long an outage lasts, in milliseconds. Default: 60,000. */
  readonly outage?: number | undefined
  /** How many times the case runs at once. Default: 1. */
  readonly times?: number | undefined
  /** Of every client. With them, what a case would ask a backend it asks a client. */
  readonly settings?: SuiteSettings | undefined
  /** Changes every client that a case opens. For proving that the case can fail. */
  readonly wrapClient?: ((client: Client) => Client) | undefined
  /** Nothing is waited for longer than this, in milliseconds. */
  readonly patience: number
}

/** How long an outage lasts unless said otherwise, in milliseconds. */
export const defaultOutage = 60_000

/** Runs one case in a world of its own, and rejects where the backend broke the guarantee or left something behind. */
export async function runCase(
  { run, needs }: Case,
  {
    create,
    interrupt,
    subscriptions,
    outage = defaultOutage,
    times = 1,
    settings: own,
    wrapClient,
    patience,
  }: CaseSubject,
): Promise<void> {
  const identity = crypto.randomUUID().slice(0, 13)
  const handles = watchHandles()
  const opened: { finish(): Promise<void> }[] = []
  let channels = 0
  const keep = <Opened extends { finish(): Promise<void> }>(one: Opened): Opened => {
    opened.push(one)
    return one
  }
  const context: CaseContext = {
    async open({ foreign = false, ...options } = {}) {
      const backend = await handles.exempt(create)
      const asked = own === undefined || foreign ? backend : createBackendOverClient(backend, own, patience)
      return keep(await startPeer(asked, patience, options))
    },
    client: async (settings = {}) =>
      keep(
        await watchClient(await handles.exempt(create), {
          settings: { ...own, ...settings },
          patience,
          wrapClient,
        }),
      ),
    survive: ({ settings, ...options }) =>
      expectSurvival({
        patience,
        ...options,
        settings: { ...own, ...settings },
        create: () => handles.exempt(create),
      }),
    channel() {
      channels += 1
      return `channel-${identity}-${channels}`
    },
    outage,
    times,
    get interrupt() {
      return outside(required('interrupt', interrupt), handles.exempt)
    },
    subscriptions: (channel) => handles.exempt(() => required('subscriptions', subscriptions)(channel)),
    until: (condition, what) => until(condition, what, patience),
  }
  try {
    const outcomes = await Promise.allSettled([handles.run(() => run(context))])
    // A case that fails half-way must not spoil the next one.
    if (needs?.includes('interrupt')) {
      await context.interrupt.thaw()
      await context.interrupt.start()
    }
    outcomes.push(...(await Promise.allSettled(opened.map((one) => one.finish()))))
    throwFailures(outcomes)
    await handles.expectClosed(patience)
  } finally {
    handles.stop()
  }
}

/** The same, but what it opens does not count as the backend's. */
function outside(interrupt: Interrupt, exempt: <Result>(work: () => Result) => Result): Interrupt {
  return {
    cut: () => exempt(() => interrupt.cut()),
    freeze: () => exempt(() => interrupt.freeze()),
    thaw: () => exempt(() => interrupt.thaw()),
    stop: () => exempt(() => interrupt.stop()),
    start: () => exempt(() => interrupt.start()),
  }
}

function required<Given extends object>(name: string, given: Given | NotApplicable | undefined): Given {
  if (given === undefined || isNotApplicable(given))
    throw new Error(`a case that uses ${name} must say that it needs it`)
  return given
}

function throwFailures(outcomes: readonly PromiseSettledResult<unknown>[]): void {
  const failures: unknown[] = outcomes.flatMap((outcome) =>
    outcome.status === 'rejected' ? [outcome.reason] : [],
  )
  if (failures.length === 1) throw failures[0]
  if (failures.length > 1) throw new AggregateError(failures, failures.map(String).join('; '))
}
