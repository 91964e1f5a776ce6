import type { Backend } from '@ps/core'
import type { Case, CaseContext } from './case.js'
import { watchHandles } from './handles.js'
import { type Peer, startPeer } from './peer.js'

export interface RunCaseOptions {
  /** Nothing is waited for longer than this, in milliseconds. Default: 20,000. */
  readonly patience?: number
}

/** Runs one case in a world of its own, and rejects where the backend broke the guarantee or left something behind. */
export async function runCase(
  { run }: Case,
  create: () => Backend | Promise<Backend>,
  { patience = 20_000 }: RunCaseOptions = {},
): Promise<void> {
  const identity = crypto.randomUUID().slice(0, 13)
  const handles = watchHandles()
  const peers: Peer[] = []
  let channels = 0
  const context: CaseContext = {
    async open() {
      const peer = await startPeer(await handles.exempt(create), patience)
      peers.push(peer)
      return peer
    },
    channel() {
      channels += 1
      return `channel-${identity}-${channels}`
    },
  }
  try {
    const outcomes = await Promise.allSettled([handles.run(() => run(context))])
    outcomes.push(...(await Promise.allSettled(peers.map((peer) => peer.finish()))))
    throwFailures(outcomes)
    await handles.expectClosed(patience)
  } finally {
    handles.stop()
  }
}

function throwFailures(outcomes: readonly PromiseSettledResult<unknown>[]): void {
  const failures: unknown[] = outcomes.flatMap((outcome) =>
    outcome.status === 'rejected' ? [outcome.reason] : [],
  )
  if (failures.length === 1) throw failures[0]
  if (failures.length > 1) throw new AggregateError(failures, failures.map(String).join('; '))
}
